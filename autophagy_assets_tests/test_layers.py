"""Imports go one way, as docs/design.md draws them, without circles and without side effects."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from autophagy_assets_tests.conftest import ROOT

PACKAGE = "autophagy_assets"
# From the top to the bottom; those beside each other do not know one another.
LAYERS = [
    {"cli"},
    {"definitions"},
    {"automation"},
    {"assets", "checks"},
    {"io_managers"},
    {"staleness"},
    {"registry"},
    {"analysis", "simulation"},
    {"config"},
    {"compute"},
    {"errors"},
]
FLOOR = {room: floor for floor, rooms in enumerate(LAYERS) for room in rooms}
WITHOUT = {"analysis": {"dagster", "lamindb", "lamindb_setup", "django"}}
SLOW = {"scportrait", "torch", "cellpose"}
IMPORT_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(name for name in ("scportrait", "torch") if name in sys.modules)))
"""


@dataclass(frozen=True)
class Arrow:
    """An import, at module level or within a function."""

    source: str
    target: str
    at_top: bool
    for_types: bool


def modules_of(folder: Path) -> dict[str, str]:
    """Text of every module below a folder, by its name."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        name = ".".join(file.relative_to(folder.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = file.read_text()
    return found


def arrows(modules: Mapping[str, str]) -> Iterator[Arrow]:
    for name, text in modules.items():
        yield from _arrows(name, ast.parse(text), modules, at_top=True, for_types=False)


def _arrows(
    name: str, node: ast.AST, modules: Mapping[str, str], at_top: bool, for_types: bool
) -> Iterator[Arrow]:
    for child in ast.iter_child_nodes(node):
        targets = []
        if isinstance(child, ast.Import):
            targets = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{name} imports relatively, which is not followed here"
            full = [f"{child.module}.{alias.name}" for alias in child.names]
            targets = [one if one in modules else child.module or "" for one in full]
        yield from (Arrow(name, target, at_top, for_types) for target in targets)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _arrows(name, child, modules, at_top, True)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _arrows(name, child, modules, at_top and not inside, for_types)


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def faults(modules: Mapping[str, str]) -> list[str]:
    """What is against the layers, a sentence for each."""
    found = []
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for arrow in arrows(modules):
        source, top = room(arrow.source), arrow.target.split(".")[0]
        if top != PACKAGE:
            if top in WITHOUT.get(source, ()):
                found.append(f"{arrow.source} imports {top}, which {source} does not know")
            if top in SLOW and arrow.at_top and not arrow.for_types and source != "analysis":
                found.append(f"{arrow.source} imports {top} when it is imported itself: too slow")
            continue
        target = room(arrow.target)
        if source and target and source != target:
            # A type is known of a neighbour too; nothing is imported for it.
            down = FLOOR[target] - FLOOR[source]
            if down < 0 or (down == 0 and not arrow.for_types):
                found.append(
                    f"{arrow.source} imports {arrow.target}: {target} is not below {source}"
                )
        if not arrow.for_types and arrow.source != arrow.target:
            graph[arrow.source].add(arrow.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append("Modules import each other: " + " -> ".join(error.args[1]))
    return found


def test_every_arrow_goes_down_and_there_is_no_circle():
    assert faults(modules_of(ROOT / PACKAGE)) == []


def test_every_room_has_its_floor():
    found = {room(name) for name in modules_of(ROOT / PACKAGE)} - {""}
    assert found == set(FLOOR)


TOY = {
    "autophagy_assets.errors": "",
    "autophagy_assets.registry.store": "from autophagy_assets import errors",
    "autophagy_assets.staleness.plan": "import autophagy_assets.registry.store",
    "autophagy_assets.analysis.cells": "import numpy",
    "autophagy_assets.assets.cells": "",
    "autophagy_assets.checks.cells": "",
}


def test_a_toy_in_which_all_arrows_go_down_is_fine():
    assert faults(TOY) == []


@pytest.mark.parametrize(
    ("module", "text", "result"),
    [
        ("registry.store", "from autophagy_assets.staleness import plan", "is not below registry"),
        ("registry.store", "def f():\n    import autophagy_assets.staleness.plan", "is not below"),
        (
            "registry.store",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from autophagy_assets.staleness.plan import Plan",
            "is not below registry",
        ),
        ("checks.cells", "from autophagy_assets.assets import cells", "assets is not below checks"),
        ("analysis.cells", "from dagster import asset", "imports dagster"),
        ("analysis.cells", "def f():\n    import lamindb as ln", "imports lamindb"),
        ("assets.cells", "try:\n    import torch.nn\nexcept ImportError:\n    pass", "too slow"),
        ("errors", "def f():\n    from autophagy_assets.registry import store", "each other"),
    ],
)
def test_an_arrow_that_runs_back_is_found_wherever_it_stands(module, text, result):
    found = faults(TOY | {f"autophagy_assets.{module}": text})
    assert any(result in fault for fault in found), found


def test_a_type_of_a_neighbour_and_a_slow_import_within_a_function_are_fine():
    text = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from autophagy_assets.assets.cells import Cells
def f():
    import torch
"""
    assert faults(TOY | {"autophagy_assets.checks.cells": text}) == []


@pytest.mark.slow
def test_importing_everything_writes_nothing_and_leaves_scportrait_for_later(tmp_path):
    names = [n for n in modules_of(ROOT / PACKAGE) if not n.endswith("__main__")]
    names.remove(f"{PACKAGE}.analysis.imaging.scportrait_steps")
    home, work = tmp_path / "me", tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    # What matplotlib finds out of fonts is its own.
    cache = {"MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    kept = {k: v for k, v in os.environ.items() if not re.match("AUTOPHAGY_|DAGSTER_|LAMIN_", k)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, json.dumps(names)],
        cwd=work,
        env=kept | cache | {"PYTHONPATH": str(ROOT), "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert [*home.rglob("*"), *work.rglob("*")] == []


def test_the_diagram_in_the_docs_has_the_same_rooms_and_arrows():
    text = (ROOT / "docs" / "design.md").read_text()
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    drawn: dict[str, set[str]] = {}
    for line in diagram.splitlines()[1:]:
        steps = [[name.strip() for name in step.split("&")] for step in line.split("-->")]
        for above, below in pairwise(steps):
            for one in above:
                drawn.setdefault(one, set()).update(below)
    assert set(drawn).union(*drawn.values()) == set(FLOOR)
    assert [(a, b) for a in drawn for b in drawn[a] if FLOOR[a] >= FLOOR[b]] == []

    def reached(name: str) -> set[str]:
        return set().union(*({below} | reached(below) for below in drawn.get(name, ())))

    there = {
        (room(arrow.source), room(arrow.target))
        for arrow in arrows(modules_of(ROOT / PACKAGE))
        if arrow.target.startswith(f"{PACKAGE}.") and not arrow.for_types
    }
    hidden = [(a, b) for a, b in sorted(there) if a and b and a != b and b not in reached(a)]
    assert hidden == []
