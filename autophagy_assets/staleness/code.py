"""Code that makes content, identified by a hash of all code that a function reaches.

How the code is followed is in ``walk``, what is found in one module in ``modules``.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from autophagy_assets.staleness.libraries import versions_of
from autophagy_assets.staleness.modules import parse
from autophagy_assets.staleness.walk import Walk

_GIVEN = "the asset's definition"  # in place of a module


@dataclass(frozen=True)
class Code:
    """The code that makes an asset.

    Parameters
    ----------
    modules : dict
        Hash of the definitions that are reached, by module of the package; of data files by
        ``module:file``.
    libraries : dict
        Version of the libraries that are reached and make content, by distribution.
    source : str
        The definitions as they are written, module by module. Not part of the version.
    """

    modules: dict[str, str]
    libraries: dict[str, str]
    source: str

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when the content may."""
        return _hash(dumps([self.modules, self.libraries], sort_keys=True))

    def with_values(self, values: Mapping[str, Any] | None) -> Code:
        """The same with values that the definition of the asset gives the body, if any."""
        if not values:
            return self
        given = {_GIVEN: _hash(dumps(values, sort_keys=True))}
        return Code({**self.modules, **given}, self.libraries, self.source)


def code_of(function: Callable, package: str = "autophagy_assets") -> Code:
    """Find the code that a function reaches.

    Parameters
    ----------
    function : callable
        Its decorators are taken off and do not count.
    package : str
        Whose modules are followed; everything else is a library.

    Raises
    ------
    ValueError
        If the function was not defined with ``def`` in a file.
    """
    body = inspect.unwrap(function)
    code = getattr(body, "__code__", None)
    if code is None or not Path(code.co_filename).is_file():
        raise ValueError(f"{function!r} is not defined in a file, so its code cannot be read.")
    return _code_at(
        body.__module__, body.__qualname__, code.co_filename, code.co_firstlineno, package
    )


@cache
def _code_at(module: str, qualname: str, file: str, line: int, package: str) -> Code:
    walk = Walk(package)
    with _no_garbage():
        walk.start(parse(module, Path(file)), qualname, line)
    modules = {name: _hash(dumps(sorted(found.items()))) for name, found in walk.reached.items()}
    modules |= {name: _hash(content) for name, content in walk.files.items()}
    return Code(dict(sorted(modules.items())), versions_of(walk.libraries), walk.source())


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keep Python from looking for garbage among modules as they are parsed: all of it is kept."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _hash(content: str | bytes) -> str:
    return sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:12]
