"""Modules of the package as definitions: which statements bind a name, and where a function is.

Read from files, never imported. Here: what is found in one module. Not here: what a definition
means (``syntax``), and following it into other modules (``walk``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from textwrap import dedent

from autophagy_assets.staleness.syntax import (
    Function,
    arguments_of,
    bound_name,
    first_line,
    nodes_of,
    normalised,
)

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@dataclass(frozen=True)
class Import:
    """Target of a name that an import binds.

    Parameters
    ----------
    module : str
        Absolute.
    symbol : str or None
        What is taken from the module; None for the module itself, ``"*"`` for all of it.
    """

    module: str
    symbol: str | None = None

    def __str__(self) -> str:
        return f"from {self.module} import {self.symbol or 'itself'}"


@dataclass(eq=False)
class Scope:
    """Names of a module, or of a function that has functions inside.

    Parameters
    ----------
    prefix : str
        Before its names, such as ``"assets.<locals>."``.
    parent : Scope or None
        Where a name is looked for next.
    statements : dict
        Those that bind a name, by name; none for an argument.
    effects : list
        Those that bind no name and are run all the same.
    """

    prefix: str = ""
    parent: Scope | None = None
    statements: dict[str, list[ast.stmt]] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)

    def take(self, body: Iterable[ast.stmt]) -> Scope:
        """Add the statements of a body."""
        for statement in body:
            test = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
            if "TYPE_CHECKING" in test:
                self.take([*statement.body, *statement.orelse])  # type: ignore[attr-defined]
                continue
            if "__main__" in test:
                continue
            names = set(_bound_by(statement))
            for name in names:
                self.statements.setdefault(name, []).append(statement)
            if not names and not isinstance(statement, ast.Pass):
                self.effects.append(statement)
        return self


@dataclass(eq=False)
class Module:
    """A parsed module.

    Parameters
    ----------
    name : str
        Full name.
    tree : ast.Module
        Normalised.
    lines : list of str
        As written.
    """

    name: str
    file: Path
    tree: ast.Module
    lines: list[str]
    scope: Scope = field(init=False)
    _imports: dict[ast.AST, list[tuple[str, Import]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.scope = Scope().take(self.tree.body)

    def source(self, node: ast.stmt) -> str:
        """A statement as written, with its decorators."""
        return dedent("\n".join(self.lines[first_line(node) - 1 : node.end_lineno]))

    def imports(self, node: ast.AST) -> list[tuple[str, Import]]:
        """Names that imports within a node bind, and what to; those in its functions too."""
        if node not in self._imports:
            self._imports[node] = list(self._find_imports(node))
        return self._imports[node]

    def _find_imports(self, node: ast.AST) -> Iterator[tuple[str, Import]]:
        for found in nodes_of(node):
            if isinstance(found, ast.Import):
                for alias in found.names:
                    name = bound_name(alias)
                    yield name, Import(alias.name if alias.asname else name)
            elif isinstance(found, ast.ImportFrom):
                for alias in found.names:
                    yield bound_name(alias), Import(self._absolute(found), alias.name)

    def find(self, qualname: str, line: int) -> tuple[Function, Scope]:
        """Definition of a function, and the scope that it stands in.

        Parameters
        ----------
        qualname : str
            Its ``__qualname__``.
        line : int
            First line, which distinguishes functions of one name.

        Raises
        ------
        ValueError
            If there is none.
        """
        names = [name for name in qualname.split(".") if name != "<locals>"]
        found = list(_definitions(self.tree, names, ()))
        if not found:
            raise ValueError(
                f"{self.file} has no function {qualname}: give it a name with 'def' to have its "
                "code read."
            )
        node, outside = next((one for one in found if first_line(one[0]) == line), found[-1])
        scope = self.scope
        for outer in outside:
            scope = Scope(f"{scope.prefix}{outer.name}.<locals>.", scope)
            scope.statements = {argument.arg: [] for argument in arguments_of(outer.args)}
            scope.take(outer.body)
        return node, scope

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        up = node.level - (self.file.name == "__init__.py")
        parts = self.name.split(".")
        return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


@cache
def parse(name: str, file: Path) -> Module:
    """Read and normalise a module; once for each.

    Parameters
    ----------
    name : str
        Full name.
    """
    written = file.read_text(encoding="utf-8")
    tree = normalised(ast.parse(written, str(file)))
    return Module(name, file, tree, written.splitlines())


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Names that a statement, or one within it, binds where it stands."""
    if isinstance(node, _DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from map(bound_name, node.names)
    elif isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif not isinstance(node, _COMPREHENSIONS):
        for child in ast.iter_child_nodes(node):
            yield from _bound_by(child)


def _definitions(
    parent: ast.AST, names: list[str], outside: tuple[Function, ...]
) -> Iterator[tuple[Function, tuple[Function, ...]]]:
    """Functions of a dotted name, and the functions around each."""
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, _DEFINITIONS):
            yield from _definitions(node, names, outside)
        elif node.name == names[0] and len(names) > 1:
            around = outside if isinstance(node, ast.ClassDef) else (*outside, node)
            yield from _definitions(node, names[1:], around)
        elif node.name == names[0] and not isinstance(node, ast.ClassDef):
            yield node, outside
