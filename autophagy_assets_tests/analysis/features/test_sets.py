"""Which features a model uses, and features of the marker beside those of the same cells."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.features.sets import features_of, scale_of, set_of, with_marker
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY, METADATA
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest

FEATURES = ["nucleus_area", "DAPI_mean_nucleus", "marker_puncta_contrast", "marker_mean_units"]


def test_a_name_says_its_set_and_scale():
    assert [set_of(name) for name in FEATURES] == ["scportrait"] * 2 + ["marker"] * 2
    assert [scale_of(name) for name in FEATURES] == [None, None, "contrast", "units"]


@pytest.mark.parametrize(
    ("entries", "used"),
    [
        ({"feature_sets": ["scportrait"]}, FEATURES[:2]),
        ({"feature_sets": ["marker"]}, [FEATURES[2]]),
        ({"feature_sets": ["marker"], "marker_scales": ["units", "contrast"]}, FEATURES[2:]),
        ({"feature_sets": ["marker", "scportrait"]}, FEATURES[:3]),
        ({"feature_sets": ["scportrait"], "excluded_features": ["DAPI"]}, FEATURES[:1]),
    ],
)
def test_a_model_uses_the_features_of_its_sets_and_scales(entries, used):
    assert features_of(forest(**entries), FEATURES) == used


def test_of_a_model_that_looks_at_crops_it_is_first_which_cells_they_are():
    cells = [*IDENTITY, *METADATA]
    assert features_of(forest(feature_sets=["cnn"]), FEATURES) == cells
    assert features_of(forest(feature_sets=["marker", "cnn"]), FEATURES) == [*cells, FEATURES[2]]


def test_a_model_without_any_feature_is_refused_by_name():
    with pytest.raises(InputError, match="Model 'small' has no feature: of the 2 of the table"):
        features_of(forest(), FEATURES[:2])


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


def test_features_that_only_some_samples_have_are_left_out():
    first = table([("a", 1)], marker_x_contrast=[1.0], marker_x_units=[2.0])
    second = table([("b", 1)], marker_x_contrast=[3.0])
    joined = with_marker(table([("a", 1), ("b", 1)]), [first, second], "cells")
    assert list(joined.columns) == [*IDENTITY, "marker_x_contrast"]
