"""Which features a model uses, and features of the marker beside those of the same cells."""

from __future__ import annotations

import pytest

from autophagy_assets.analysis.features.sets import features_of, scale_of, set_of
from autophagy_assets.analysis.identity import IDENTITY, METADATA
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest

FEATURES = ["nucleus_area", "DAPI_mean_nucleus", "marker_puncta_contrast", "marker_mean_units"]


def test_feature_set_and_scale_follow_from_the_name():
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
