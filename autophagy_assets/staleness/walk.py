"""Following code from a function, name by name, through the modules of the package.

What a function reaches is read from the text of the package, and never imported. A method is
found where its class is: one that is called on an argument without a type is not followed.
Which modules are followed is said here. Not here: what is found in one module (``modules``).
"""

from __future__ import annotations

import ast
import copy
from collections import defaultdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from autophagy_assets.staleness.libraries import makes_content
from autophagy_assets.staleness.modules import Import, Module, Scope, parse
from autophagy_assets.staleness.syntax import file_names, text, uses

# Rooms that store, record, ask or talk, each with all below it. Values that are read from the study
# are recorded as such.
INFRASTRUCTURE = (
    "assets.context",
    "assets.definition",
    "automation",
    "cli",
    "compute",
    "config",
    "errors",
    "io_managers",
    "registry",
    "staleness",
)
# It says which genotype a sample is of.
_MAKES_CONTENT = ("staleness.partitions",)
_ON_IMPORT = "(run on import)"
_TEMPLATES = (".css", ".html", ".js")


class Walk:
    """A walk from a function through the code that it reaches.

    Parameters
    ----------
    package : str
        Whose modules are followed; everything else is a library.

    Attributes
    ----------
    reached : dict
        Text of the definitions that were reached, without comments and formatting, by name and
        by module of the package.
    files : dict
        Content of data files that they name, by ``module:file``.
    libraries : set of str
        Modules outside the package that make content.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.reached: dict[str, dict[str, str]] = defaultdict(dict)
        self.files: dict[str, bytes] = {}
        self.libraries: set[str] = set()
        self._written: dict[str, dict[int, str]] = defaultdict(dict)
        self._seen: set[tuple] = set()
        spec = find_spec(package)
        self._roots = [Path(root) for root in (spec and spec.submodule_search_locations) or []]

    def start(self, module: Module, qualname: str, line: int) -> None:
        """Follow all that the function of that name, defined at that line of a module, reaches."""
        node, scope = module.find(qualname, line)
        self._enter(module)
        body = copy.copy(node)
        body.decorator_list = []
        self._seen.add((scope, node.name))  # a function that calls itself
        self._definition(module, scope, node.name, [body])

    def source(self) -> str:
        """All that was reached, as it is written."""
        parts = [
            f"# {name}\n\n" + "\n\n".join(piece for _, piece in sorted(pieces.items()))
            for name, pieces in sorted(self._written.items())
        ]
        for name, content in sorted(self.files.items()):
            parts.append(f"# {name}\n\n{content.decode(errors='backslashreplace').rstrip()}")
        return "\n\n\n".join(parts) + "\n"

    def _name(self, module: Module, scope: Scope, chain: tuple[str, ...]) -> None:
        """Follow a name that code in a scope uses."""
        found: Scope | None = scope
        while found is not None and chain[0] not in found.statements:
            found = found.parent
        if found is not None:
            self._bound(module, found, chain)
            return
        if (module, chain) in self._seen:
            return
        self._seen.add((module, chain))
        for star in module.scope.statements.get("*", []):  # none has a name of Python itself
            for _, target in module.imports(star):
                self._library(target)
                origin = self._module(target.module)
                if origin is not None:
                    self._name(origin, origin.scope, chain)

    def _bound(self, module: Module, scope: Scope, chain: tuple[str, ...]) -> None:
        """Follow all that binds a name."""
        name, rest = chain[0], chain[1:]
        statements = scope.statements[name]
        plain = all(isinstance(one, ast.Import | ast.ImportFrom) for one in statements)
        key = (scope, chain) if plain else (scope, name)
        if key in self._seen:
            return
        self._seen.add(key)
        self._definition(module, scope, name, statements)
        for statement in statements:
            for bound, target in module.imports(statement):
                if bound == name:
                    self._import(target, rest)

    def _definition(
        self, module: Module, scope: Scope, name: str, statements: list[ast.stmt]
    ) -> None:
        """Note the statements that bind a name, and follow what they use."""
        texts = []
        for statement in statements:
            self._written[module.name][statement.lineno] = module.source(statement)
            imports = module.imports(statement)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                texts += [str(target) for bound, target in imports if bound == name]
                continue
            texts.append(text(statement))
            self._files(module, statement)
            for _, target in imports:
                self._library(target)
            for chain in uses(statement):
                within = [target for bound, target in imports if bound == chain[0]]
                for target in within:
                    self._import(target, chain[1:])
                if not within:
                    self._name(module, scope, chain)
        if texts:
            self.reached[module.name][scope.prefix + name] = "\n".join(texts)

    def _import(self, target: Import, rest: tuple[str, ...]) -> None:
        self._library(target)
        if target.module.split(".")[0] == self.package:
            self._looked_up(target.module, (target.symbol, *rest) if target.symbol else rest)

    def _library(self, target: Import) -> None:
        if target.module.split(".")[0] != self.package and makes_content(target.module):
            self.libraries.add(target.module)

    def _looked_up(self, name: str, chain: tuple[str, ...]) -> None:
        """Follow what is looked up on a module of the package; all of it, where nothing is."""
        module = self._module(name)
        if module is None:
            return
        self._enter(module)
        names = module.scope.statements
        if chain and chain[0] != "*" and chain[0] in names:
            self._bound(module, module.scope, chain)
        elif chain and self._file(f"{name}.{chain[0]}") is not None:
            self._looked_up(f"{name}.{chain[0]}", chain[1:])
        elif chain and chain[0] != "*" and "*" in names:
            self._name(module, module.scope, chain)
        else:  # all of it, or what it has in a way that cannot be read
            for every in names:
                self._bound(module, module.scope, (every,))

    def _module(self, name: str) -> Module | None:
        """Parsed module; none for one that makes no content."""
        below = name.removeprefix(f"{self.package}.")
        names = (below == one or below.startswith((f"{one}.", f"{one}_")) for one in INFRASTRUCTURE)
        if any(names) and below not in _MAKES_CONTENT:
            return None
        file = self._file(name)
        return None if file is None else parse(name, file)

    def _file(self, module: str) -> Path | None:
        if module.split(".")[0] != self.package:
            return None
        return next((f for root in self._roots if (f := _file_of(root, module))), None)

    def _enter(self, module: Module) -> None:
        """Note the code that runs when a module is imported, and the packages that it is in."""
        if (module,) in self._seen:
            return
        self._seen.add((module,))
        self._definition(module, module.scope, _ON_IMPORT, module.scope.effects)
        outside = module.name.rpartition(".")[0]
        if outside and (package := self._module(outside)) is not None:
            self._enter(package)

    def _files(self, module: Module, statement: ast.stmt) -> None:
        """Note data files that are named; with a template all of its folder, as one uses others."""
        folder = module.file.parent
        for name in file_names(statement):
            if name.endswith(".py") or not (folder / name).is_file():
                continue
            others = (folder / name).parent.iterdir() if name.endswith(_TEMPLATES) else []
            for file in {folder / name, *(f for f in others if f.name.endswith(_TEMPLATES))}:
                label = f"{module.name}:{file.relative_to(folder).as_posix()}"
                self.files[label] = file.read_bytes()


@cache
def _file_of(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split(".")[1:])
    files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)
