"""Features of the marker are found by what names a cell, however the tables are cut."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.features.marker import MarkerFeatures
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY
from autophagy_assets.errors import InputError


def with_marker(cells: pd.DataFrame, tables: list[pd.DataFrame], name: str) -> pd.DataFrame:
    marker = MarkerFeatures(cells, name)
    for one in tables:
        marker.add(one)
    return marker.beside(cells)


def table(cells: list[tuple[str, int]], **features: list[float]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=IDENTITY).assign(**features)


@given(st.permutations(range(6)))
def test_features_are_joined_by_identity_whatever_the_order(order):
    cells = [(f"d{n % 2}", n // 2) for n in range(6)]
    ours = table(cells, nucleus_area=[float(n) for n in range(6)])
    marker = table(cells, marker_puncta_contrast=[10.0 * n for n in range(6)])
    shuffled = marker.iloc[list(order)]
    parts = [shuffled.iloc[:4], shuffled.iloc[4:]]
    joined = with_marker(ours, parts, "cells")
    assert joined[[DATASET, CELL_ID]].equals(ours[[DATASET, CELL_ID]])
    assert (joined["marker_puncta_contrast"] == 10 * joined["nucleus_area"]).all()


def test_cells_that_nobody_has_measured_stay_as_they_are():
    ours, other = table([("a", 1)], nucleus_area=[1.0]), table([("b", 1)], marker_x_contrast=[1.0])
    pd.testing.assert_frame_equal(with_marker(ours, [other], "cells"), ours)


def test_a_cell_without_features_of_the_marker_beside_others_that_have_them_is_named():
    ours, marker = table([("a", 1), ("a", 2)]), table([("a", 1)], marker_x_contrast=[1.0])
    with pytest.raises(InputError, match=r"for clean_features lacks 1 of 2 cells.*cell 2 of"):
        with_marker(ours, [marker], "clean_features")


def test_cells_without_features_are_counted_among_all_and_not_among_those_at_hand():
    ours, there = table([("a", n) for n in range(6)]), table([("a", 0), ("a", 4)])
    marker = MarkerFeatures(ours, "clean_features")
    marker.add(there.assign(marker_x_contrast=1.0))
    with pytest.raises(InputError, match=r"lacks 4 of 6 cells, for instance cell 1 of"):
        marker.beside(ours.iloc[2:4].reset_index(drop=True))


def test_features_that_only_some_samples_have_are_left_out():
    first = table([("a", 1)], marker_x_contrast=[1.0], marker_x_units=[2.0])
    second = table([("b", 1)], marker_x_contrast=[3.0])
    joined = with_marker(table([("a", 1), ("b", 1)]), [first, second], "cells")
    assert list(joined.columns) == [*IDENTITY, "marker_x_contrast"]
