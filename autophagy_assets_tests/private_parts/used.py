"""Which module has to follow where a private part of a library is not what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import pytest

from autophagy_assets_tests.conftest import ROOT

PACKAGE = ROOT / "autophagy_assets"


@contextmanager
def used_in(library: str, part: str, module: str) -> Iterator[None]:
    """Say which module has to follow where a part of a library is not what it was."""
    assert (PACKAGE / f"{module}.py").is_file(), f"{module} has moved: correct its test"
    try:
        yield
    except Exception as error:
        pytest.fail(
            f"{library} {version(library)} moved or changed {part} ({error!r}): correct "
            f"autophagy_assets/{module}.py, and the table in docs/design.md"
        )
