"""Every private part that is used stands in docs/design.md, and is used in one module."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from autophagy_assets_tests.conftest import ROOT
from autophagy_assets_tests.private_parts.used import PACKAGE

PUBLIC_ALL_THE_SAME = {"_exit", "_replace", "_meta"}  # documented by Python and by Django


def own_names(tree: ast.Module) -> Iterator[str]:
    """Private names that a module defines, or gives to its own objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] if ast.unparse(node.value) in ("self", "cls") else []


def foreign_names(tree: ast.Module, own: set[str]) -> Iterator[str]:
    """Private parts of others that a module uses: modules, attributes, and names of arguments."""

    def private(name: str) -> bool:
        return bool(re.match(r"_[a-z]", name)) and name not in own | PUBLIC_ALL_THE_SAME

    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named = named or [alias.name for alias in node.names]
            yield from (name for name in named if "._" in name)
        elif isinstance(node, ast.Attribute) and private(node.attr):
            yield node.attr
        elif isinstance(node, ast.keyword) and private(node.arg or ""):
            yield str(node.arg).split("__")[0]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^[a-z_]+\._[\w.]+$", node.value)


def private_parts(folder: Path) -> dict[str, set[str]]:
    """Modules that use each private part of another library."""
    trees = {f.relative_to(folder): ast.parse(f.read_text()) for f in folder.rglob("*.py")}
    own = {name for tree in trees.values() for name in own_names(tree)}
    found = defaultdict(set)
    for file, tree in trees.items():
        for name in foreign_names(tree, own):
            found[name].add(file.with_suffix("").as_posix())
    return dict(found)


def table_of_docs() -> str:
    text = (ROOT / "docs" / "design.md").read_text()
    return text.partition("## Private parts of other libraries")[2].partition("\n## ")[0]


@pytest.mark.slow
def test_each_private_part_is_used_in_one_module_which_the_docs_name():
    rows = [line for line in table_of_docs().splitlines() if line.startswith("| ")]
    for part, modules in private_parts(PACKAGE).items():
        assert len(modules) == 1, f"{part} is used in {sorted(modules)}: it belongs in one of them"
        (module,) = modules
        row = [line for line in rows if f"`{module}`" in line and part.split(".")[-1] in line]
        assert row, f"{part}, used in {module}, is not in the table of docs/design.md"


def test_every_module_that_the_docs_name_is_there():
    named = re.findall(r"`((?:\w+/)+\w+)`", table_of_docs())
    assert named and [one for one in named if not (PACKAGE / f"{one}.py").is_file()] == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("from dagster._core.x import Y", "dagster._core.x"),
        ("import dagster._core.x", "dagster._core.x"),
        ("artifact._real_key", "_real_key"),
        ("ln.Artifact.filter(_aux__so=1)", "_aux"),
        ("program = ['dagster._daemon', 'run']", "dagster._daemon"),
    ],
)
def test_a_private_part_is_found_however_it_is_used(tmp_path, text, part):
    (tmp_path / "module.py").write_text(f"def _own(self): self._mine = 1\n{text}\nx._own\n")
    assert private_parts(tmp_path) == {part: {"module"}}
