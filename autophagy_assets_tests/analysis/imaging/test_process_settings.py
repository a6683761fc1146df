"""Conditions under which scPortrait runs."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import FunctionCache, NullCache

from autophagy_assets.analysis.imaging.process_settings import compiled_code_kept, no_histograms

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


@pytest.mark.slow
def test_cells_are_filtered_by_size_without_a_histogram(tmp_path: Path) -> None:
    from scportrait.processing.masks.mask_filtering import SizeFilter

    draw = SizeFilter._get_histogram_plot
    mask = np.zeros((40, 40), dtype=int)
    mask[2:6, 2:6], mask[10:30, 10:30] = 1, 2
    by_size = SizeFilter(filter_threshold=(50, 1000), plot_qc=False, directory=str(tmp_path))
    with no_histograms():
        kept = by_size.filter(mask)
    assert np.unique(kept).tolist() == [0, 2]
    assert not list(tmp_path.glob("*.png"))
    assert SizeFilter._get_histogram_plot is draw
