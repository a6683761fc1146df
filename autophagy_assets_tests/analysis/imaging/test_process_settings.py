"""Conditions under which scPortrait runs."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from numba.core.caching import FunctionCache, NullCache

from autophagy_assets.analysis.imaging.process_settings import compiled_code_kept

SOURCE = "from numba import njit\n\n@njit\ndef add(a, b):\n    return a + b\n"


def test_compiled_code_is_kept_of_the_named_packages_only_and_only_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("kept_package", "other_package", "late_package"):
        (tmp_path / f"{name}.py").write_text(SOURCE)
    with compiled_code_kept("kept_package", "late_package"):
        kept = importlib.import_module("kept_package")
        other = importlib.import_module("other_package")
    late = importlib.import_module("late_package")
    assert isinstance(kept.add._cache, FunctionCache)
    assert isinstance(other.add._cache, NullCache) and isinstance(late.add._cache, NullCache)
    assert kept.add(1, 2) == 3 and list(tmp_path.rglob("kept_package.add*.nbi"))
