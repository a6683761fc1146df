"""Crops with what surrounds a cell: those of scPortrait, but for the mask."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.surroundings import cut, scaled
from autophagy_assets.analysis.galleries.centres import read_centres
from autophagy_assets.analysis.galleries.crops import fetch_all_channels
from autophagy_assets.analysis.galleries.spatial import read_channel
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.imaged_fields import small_field
from autophagy_assets_tests.analysis.synthetic import write_h5sc, write_store

STUDY = Study.load()
PLACES = {3: (30, 40), 8: (50, 25), 9: (3, 30)}  # the last one is too near to the border


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("field") / "field.zarr", PLACES, (80, 90), STUDY)


@pytest.fixture
def crops(store, tmp_path) -> Crops:
    paths = {d: write_h5sc(tmp_path / d, 1, [3, 8, 9], STUDY.channels, 16) for d in ("a", "b")}
    return Crops(paths, {"a": store}, STUDY)


def test_a_crop_lies_around_the_centre_of_its_cell_and_is_scaled_by_itself(crops):
    cells = pd.DataFrame({DATASET: "a", CELL_ID: [8, 3]})
    found = crops.read(cells, ["mCherry"], masked=False)
    rows, columns = np.indices((16, 16))
    expected = scaled((rows + 50 - 8) * 1000 + columns + 25 - 8)
    assert found.shape == (2, 1, 16, 16)
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-3)


def test_a_cell_too_near_to_the_border_and_a_dataset_without_its_field_are_named(crops):
    with pytest.raises(InputError, match=r"Cell 9 of dataset 'a'.*too near to its border"):
        crops.read(pd.DataFrame({DATASET: "a", CELL_ID: [3, 9]}), ["mCherry"], masked=False)
    with pytest.raises(InputError, match=r"'b' has its crops alone.*masked: true"):
        crops.read(pd.DataFrame({DATASET: "b", CELL_ID: [3]}), ["mCherry"], masked=False)


def test_a_field_is_cut_once(crops, monkeypatch):
    from autophagy_assets.analysis.deep import surroundings

    seen = []
    monkeypatch.setattr(
        surroundings, "read_channel", lambda *of: seen.append(of) or read_channel(*of)
    )
    for cell in (3, 8, 3):
        crops.read(pd.DataFrame({DATASET: "a", CELL_ID: [cell]}), ["mCherry"], masked=False)
    assert len(seen) == 1


def test_a_flat_crop_is_black():
    assert (scaled(np.full((4, 4), 7)) == 0).all()


@pytest.mark.slow
def test_masked_and_scaled_they_are_what_scportrait_stores(tmp_path):
    from autophagy_assets.analysis.imaging.segmentation import process_field

    field = process_field(small_field(tmp_path, STUDY), STUDY, tmp_path / "field")
    cells = pd.DataFrame({DATASET: "a", CELL_ID: field.cell_ids})
    stored = fetch_all_channels(cells, {"a": field.single_cells})
    side = stored.shape[-1]
    _, rows = cut(field.spatialdata, ["mCherry"], side)
    assert set(field.cell_ids) <= set(rows)
    image, centres = read_channel(field.spatialdata, "mCherry")[0], read_centres(field.spatialdata)
    for cell, crop in zip(field.cell_ids, stored, strict=True):
        top, left = (round(value) - side // 2 for value in centres[cell])
        window = image[top : top + side, left : left + side].astype(float)
        np.testing.assert_allclose(scaled(window * crop[1]), crop[-1], atol=2e-3)
