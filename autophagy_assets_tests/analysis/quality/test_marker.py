"""A marker that is flat or saturated in many cells is said."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.quality.marker import marker_measurable


def cells(flat: int = 0, saturated: int = 0, n: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": ["a"] * (n // 2) + ["b"] * (n // 2),
            "marker_variation_contrast": [0.0] * flat + [0.4] * (n - flat),
            "marker_saturated_units": [0.0] * (n - saturated) + [0.3] * saturated,
        }
    )


def test_few_flat_and_saturated_cells_pass_with_their_numbers() -> None:
    found = marker_measurable(cells(flat=2, saturated=1), "marker_features[s]")
    assert found.passed and found.numbers == {"cells": 20, "flat": 2, "saturated": 1}
    assert found.sentence == (
        "The marker is flat in 2 of 20 cells of marker_features[s], and saturated in 1 (more than "
        "1% of their pixels)."
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (cells(flat=3), "flat in 3 of 20 cells of t, and saturated in 0 .* in 1 dataset"),
        (cells(saturated=12), "and saturated in 12 .* in 2 datasets; .* look at the images"),
        (
            cells(flat=20).drop(columns="marker_saturated_units"),
            "flat in 20 of 20 cells of t; whether it is saturated is not known, in 2 datasets",
        ),
    ],
)
def test_a_flat_or_saturated_marker_is_a_sentence(table: pd.DataFrame, said: str) -> None:
    found = marker_measurable(table, "t")
    assert not found.passed
    assert pd.Series([found.sentence]).str.contains(said).item(), found.sentence


def test_a_sample_without_cells_has_nothing_to_look_at() -> None:
    assert marker_measurable(cells().iloc[:0], "t").passed
