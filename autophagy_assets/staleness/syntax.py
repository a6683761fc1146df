"""Normal form of a definition, without comments and formatting, and the names that it uses.

Definitions are normalised: without comments, docstrings, formatting, and without the types of
arguments, results and variables, as none of them changes what code does. The types of a class
body stay: dataclasses and models are made from them. Types that are taken away are still used:
a method that is called on an argument is found in the class that it is said to have.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

Chain = tuple[str, ...]  # a name and what is looked up on it: ("np", "random", "seed")
Function = ast.FunctionDef | ast.AsyncFunctionDef
_TYPES = "_types_taken_away"
_FILE = re.compile(r"[\w./-]+\.\w+")


def normalised(tree: ast.Module) -> ast.Module:
    """Remove what does not change what code does, in place."""
    return _Normaliser().visit(tree)


@cache
def text(node: ast.stmt) -> str:
    """A normalised statement as text, which equals that of another exactly if they do the same."""
    return ast.unparse(node)


@cache
def uses(node: ast.stmt) -> frozenset[Chain]:
    """Names that a normalised definition looks up outside of itself, or imports."""
    names, types = _outer_names(node), set[Chain]()
    for found in nodes_of(node):
        if isinstance(found, ast.Import | ast.ImportFrom):
            names |= {bound_name(alias) for alias in found.names}
        for taken in getattr(found, _TYPES, ()):
            types |= _chains(ast.walk(taken))
    return frozenset(c for c in _chains(nodes_of(node)) if c[0] in names) | types


@cache
def nodes_of(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and all below it, each before those below; walked once, as several look at them."""
    return tuple(ast.walk(node))


@cache
def file_names(node: ast.AST) -> set[str]:
    """Strings in a definition that could be the name of a file."""
    values = (found.value for found in nodes_of(node) if isinstance(found, ast.Constant))
    return {name for name in values if isinstance(name, str) and _FILE.fullmatch(name)}


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """All arguments of a function, those with stars too."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*every, *(one for one in (arguments.vararg, arguments.kwarg) if one is not None)]


def bound_name(alias: ast.alias) -> str:
    """Name that an import binds: the first of `import a.b`, from which b is looked up."""
    return alias.asname or alias.name.split(".")[0]


def first_line(node: ast.stmt) -> int:
    """Line on which a statement starts, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _outer_names(node: ast.stmt) -> set[str]:
    """Names that are not an argument or a variable of a function, as Python distinguishes them."""
    # Where the variable of a nonlocal statement is outside, it has no place in the text.
    alone = re.sub(r"(?m)^( *)nonlocal ", r"\1global ", text(node))
    top = symtable.symtable(alone, "code", "exec")
    names = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    inner = top.get_children()
    while inner:
        table = inner.pop()
        inner += table.get_children()
        names |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return names


def _chains(nodes: Iterable[ast.AST]) -> set[Chain]:
    """Names with what is looked up on them, the longest of each; nodes above come first."""
    found: set[Chain] = set()
    within: set[ast.AST] = set()  # of a longer one
    for node in nodes:
        if node in within or not isinstance(node, ast.Name | ast.Attribute):
            continue
        looked_up: list[str] = []
        value: ast.expr = node
        while isinstance(value, ast.Attribute):
            looked_up.append(value.attr)
            value = value.value
            within.add(value)
        if isinstance(value, ast.Name):
            found.add((value.id, *reversed(looked_up)))
    return found


def _take_away(node: ast.AST, *types: ast.expr | None) -> None:
    """Remember types that a node is going to lose; those in quotes as what they stand for."""
    taken = []
    for one in types:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            with suppress(SyntaxError):
                taken.append(ast.parse(one.value, mode="eval").body)
        elif one is not None:
            taken.append(one)
    setattr(node, _TYPES, taken)


class _Normaliser(ast.NodeTransformer):
    """Takes away what does not change what code does."""

    _in_class = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._body_of(node, in_class=True)

    def visit_FunctionDef(self, node: Function) -> ast.AST:
        arguments = arguments_of(node.args)
        _take_away(node, node.returns, *(argument.annotation for argument in arguments))
        node.returns = None
        for argument in arguments:
            argument.annotation = None
        return self._body_of(node, in_class=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        words = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if words else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self._in_class:
            return self.generic_visit(node)
        if node.value is None:
            return None
        plain = ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
        _take_away(plain, node.annotation)
        return self.generic_visit(plain)

    def _body_of(self, node: Any, in_class: bool) -> ast.AST:
        before, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = before
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node
