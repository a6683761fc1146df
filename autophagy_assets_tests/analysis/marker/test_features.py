"""Marker features: finite whatever the cell, said in words, and moved by puncta as they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from autophagy_assets.analysis.features.sets import CONTRAST, UNITS
from autophagy_assets.analysis.features.tables import feature
from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.analysis.marker.columns import names
from autophagy_assets.analysis.marker.features import known_size, marker_features
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.marker.cells import as_crop, marker, places, write_crops
from autophagy_assets_tests.analysis.synthetic import write_store

STUDY = Study.load()
NUMBER, DENSITY = "marker_puncta_number_contrast", "marker_puncta_density_contrast"


def table(folder: Path, crops: list[np.ndarray], **options) -> pd.DataFrame:
    return marker_features(write_crops(folder / "cells.h5ad", crops), STUDY, 0.598, **options)


def test_the_number_of_puncta_is_that_of_the_cell(tmp_path: Path):
    counts = [0, 1, 5, 12, 20]
    crops = [as_crop(marker(places(n, seed=n), seed=n)) for n in counts]
    found = table(tmp_path, crops)
    assert found[CELL_ID].tolist() == [1, 2, 3, 4, 5]
    assert found[NUMBER].to_numpy() == pytest.approx(counts, abs=1)
    assert found[DENSITY].is_monotonic_increasing


def test_erasing_puncta_lowers_and_adding_them_raises_number_and_score(tmp_path: Path):
    few = [as_crop(marker(places(n % 4, seed=n), seed=n)) for n in range(30)]
    many = [as_crop(marker(places(10 + n % 8, seed=n), seed=n)) for n in range(30)]
    known = table(tmp_path, [*few, *many])
    columns = names(STUDY.marker.radii_um, CONTRAST)
    forest = RandomForestClassifier(60, random_state=0)
    forest.fit(known[columns], np.repeat([0, 1], 30))
    for seed in range(100, 106):
        spots = places(14, seed=seed)
        versions = [spots[:2], spots[:8], spots]  # erased, some left, all
        cells = table(tmp_path, [as_crop(marker(these, seed=seed)) for these in versions])
        assert cells[NUMBER].is_monotonic_increasing
        assert cells[NUMBER].iloc[2] - cells[NUMBER].iloc[0] >= 10
        score = forest.predict_proba(cells[columns])[:, 1]
        assert score[0] < 0.5 < score[2]
        assert score[0] <= score[1] <= score[2]


STRANGE = {
    "flat": np.full((96, 96), 300.0),
    "dark": np.zeros((96, 96)),
    "saturated": np.full((96, 96), 65535.0),
    "half saturated": np.where(np.indices((96, 96))[0] > 48, 65535.0, 100.0),
    "one bright pixel": np.where(np.arange(96 * 96).reshape(96, 96) == 48 * 96 + 50, 1e4, 0.0),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_marker_has_finite_features(tmp_path: Path, name: str):
    found = table(tmp_path, [as_crop(STRANGE[name])])
    assert np.isfinite(found.to_numpy()).all()


def test_a_cell_without_cytosol_or_nucleus_has_zeros_and_no_more_is_lost(tmp_path: Path):
    good = as_crop(marker(places(9)))
    without_cell, without_nucleus = good.copy(), good.copy()
    without_cell[:2] = 0
    without_nucleus[0] = 0
    found = table(tmp_path, [good, without_cell, without_nucleus]).set_index(CELL_ID)
    assert (found.loc[2] == 0).all()
    assert found.loc[3, "marker_puncta_distance_contrast"] == 0
    assert found.loc[3, NUMBER] == found.loc[1, NUMBER] > 0


@settings(max_examples=30, deadline=None)
@given(
    image=st.one_of(
        st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random((96, 96))),
        st.integers(0, 2**32 - 1).map(
            lambda seed: (np.random.default_rng(seed).random((96, 96)) > 0.99) * 6e4
        ),
    ),
    pixel_um=st.sampled_from([0.1, 0.325, 0.598, 1.3, None, 0.0, float("nan")]),
)
def test_features_are_finite_and_shares_are_shares(tmp_path_factory, image, pixel_um):
    path = write_crops(tmp_path_factory.mktemp("a") / "cells.h5ad", [as_crop(image)])
    found = marker_features(path, STUDY, pixel_um)
    assert np.isfinite(found.to_numpy()).all()
    shares = found[[n for n in found if "granularity" in n or "cover" in n or "share" in n]]
    assert shares.to_numpy().min() >= 0
    assert shares.to_numpy().max() <= 1 + 1e-6


def test_a_field_gives_units_of_the_image_too(tmp_path: Path):
    crops = [as_crop(marker(places(3))) for _ in range(2)]
    path = write_crops(tmp_path / "cells.h5ad", crops)
    store = write_store(tmp_path / "a.zarr", {2: (60, 60), 1: (20, 20)}, (120, 120), STUDY)
    found = marker_features(path, STUDY, 0.598, store).set_index(CELL_ID)
    assert list(found.columns) == [
        *names(STUDY.marker.radii_um, CONTRAST),
        *names(STUDY.marker.radii_um, UNITS),
    ]
    # The image holds 1000 row + column: cells lie 40 rows and columns apart.
    assert found.loc[2, "marker_mean_units"] - found.loc[1, "marker_mean_units"] == 40_040
    assert np.isfinite(found.to_numpy()).all()


def test_a_cell_that_is_not_in_the_field_is_refused_by_name(tmp_path: Path):
    path = write_crops(tmp_path / "cells.h5ad", [as_crop(marker())])
    store = write_store(tmp_path / "a.zarr", {2: (60, 60)}, (120, 120), STUDY)
    with pytest.raises(InputError, match=r"Cell 1 .* is not in the field of view"):
        marker_features(path, STUDY, 0.598, store)


def test_a_file_without_the_marker_is_refused(tmp_path: Path):
    path = write_crops(tmp_path / "cells.h5ad", [as_crop(marker())], channel="GFP")
    with pytest.raises(InputError, match="has no channel 'mCherry'"):
        marker_features(path, STUDY)


def test_every_feature_says_what_it_is_and_in_which_unit():
    for scale in (CONTRAST, UNITS):
        for name in names(STUDY.marker.radii_um, scale):
            column = feature(name)
            assert column.meaning != "Feature of the cell"
            assert len(column.unit or "") <= 30  # PostgreSQL keeps no more for LaminDB
            assert ("radius" in column.meaning) == ("um_" in name)
    assert feature("marker_mean_units").unit == "image units above background"
    assert feature("marker_tophat_mean_1.8um_contrast").unit == "share of the cell's contrast"
    assert feature("marker_puncta_area_contrast").unit == "µm²"
    assert feature("marker_unheard_of_contrast").meaning == "Feature of the cell"


def test_an_unknown_size_of_a_pixel_is_taken_from_the_study():
    settings_ = MarkerFeatures(pixel_um=0.3)
    assert [known_size(size, settings_) for size in (None, 0.0, float("nan"))] == [0.3] * 3
    assert known_size(0.65, settings_) == 0.65
