"""A cell as it is measured: its pixels alone, on a scale of its own, above the background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.marker.views import (
    cell_of_crop,
    in_pixels,
    read_marker,
    rescaled,
    view,
)
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.marker.cells import as_crop, marker, masks, places
from autophagy_assets_tests.analysis.synthetic import write_store

STUDY = MarkerFeatures()


def test_what_is_outside_of_the_cell_does_not_count():
    nucleus, cell = masks()
    image = marker(places(5))
    other = np.where(cell, image, 1e6)
    assert (view(image, cell, nucleus, 2).marker == view(other, cell, nucleus, 2).marker).all()


def test_a_crop_is_as_bright_at_its_rim_as_the_image_was():
    _, cell = masks()
    image = np.where(cell, 500.0, 100.0) + np.random.default_rng(0).normal(0, 1, cell.shape)
    crop = as_crop(image).astype(np.float32)
    faded = np.where(crop[1] > 0.5, crop[2], np.nan)
    assert np.nanmin(faded) < 0.7
    seen = cell_of_crop(crop[0], crop[1], crop[2], STUDY, 0.598)
    assert seen.cell.sum() == pytest.approx(cell.sum(), rel=0.03)
    rim = seen.marker[seen.cell & ~seen.inside]
    assert np.median(rim) == pytest.approx(np.median(seen.values), abs=0.2)


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(0.1, 100), offset=st.floats(0, 1000))
def test_contrast_depends_neither_on_gain_nor_on_offset(gain, offset):
    nucleus, cell = masks()
    image = marker(places(8))
    one = rescaled(view(image, cell, nucleus, 2), (1, 99.8))
    other = rescaled(view(image * gain + offset, cell, nucleus, 2), (1, 99.8))
    np.testing.assert_allclose(one.marker, other.marker, atol=2e-3)
    assert np.percentile(one.values, (1, 99.8)) == pytest.approx((0, 1), abs=1e-4)


def test_a_cell_that_its_rim_would_leave_nothing_of_is_measured_whole():
    cell = np.zeros((20, 20), dtype=bool)
    cell[8:11, 8:11] = True
    seen = view(np.ones((20, 20)), cell, cell, 2)
    assert seen.inside.sum() == 9


def test_values_that_are_not_numbers_count_as_dark():
    nucleus, cell = masks()
    image = np.where(nucleus, np.nan, 5.0)
    seen = view(image, cell, nucleus, 2)
    assert np.isfinite(seen.marker).all()


def test_background_is_what_is_far_from_any_cell(tmp_path: Path):
    study = Study.load()
    store = write_store(tmp_path / "a.zarr", {4: (20, 20)}, (100, 100), study)
    field = read_marker(store, study.marker_channel)
    # The image holds 1000 row + column; the cell reaches from 13 to 27.
    rows, columns = np.indices((100, 100))
    far = (rows * 1000 + columns)[(rows > 42) | (columns > 42)]
    assert field.image[50, 50] == pytest.approx(50_050 - np.median(far), abs=600)
    seen = field.cells({4}, 0)[4]
    assert seen.cell.sum() == (field.cell_ids == 4).sum()
    middle = tuple(size // 2 for size in seen.marker.shape)
    assert seen.marker[middle] == field.image[20, 20]


def test_a_field_full_of_cells_takes_its_darkest_pixels_as_background(tmp_path: Path):
    study = Study.load()
    places_ = {n: (10 * (n // 3) + 8, 10 * (n % 3) + 8) for n in range(1, 9)}
    store = write_store(tmp_path / "a.zarr", places_, (34, 34), study)
    field = read_marker(store, study.marker_channel)
    assert np.isfinite(field.image).all()
    assert (field.image < 0).mean() == pytest.approx(0.01, abs=0.01)


def test_a_field_without_the_channel_is_refused_with_what_it_has(tmp_path: Path):
    store = write_store(tmp_path / "a.zarr", {1: (20, 20)}, (60, 60), Study.load())
    with pytest.raises(InputError, match=r"no channel 'GFP'.*mCherry"):
        read_marker(store, "GFP")


def test_lengths_are_at_least_a_pixel():
    assert in_pixels(0.01, 0.598) == 1
    assert in_pixels(1.8, 0.598) == 3
    assert in_pixels(1.8, 0.1) == 18
