"""Puncta: those that are there are found, whatever gain and offset of the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.marker.puncta import find_puncta, noise_of, noise_response
from autophagy_assets.analysis.marker.views import CellView, rescaled, view
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets_tests.analysis.marker.cells import marker, masks, places

STUDY = MarkerFeatures()


def seen(image: np.ndarray) -> CellView:
    nucleus, cell = masks()
    return view(image, cell, nucleus, 2)


def centres(image: np.ndarray) -> set[tuple[int, int]]:
    """In pixels of the image: the view begins beyond the cell's outline."""
    _, cell = masks()
    corner = np.argwhere(cell).min(axis=0) - 2
    found = find_puncta(seen(image), STUDY, 0.598)
    return {tuple(int(x) for x in centre + corner) for centre in found.centres}


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 25), seed=st.integers(0, 10_000))
def test_every_punctum_that_the_optics_resolve_is_found_where_it_is(n, seed):
    true = places(n, seed)
    found = np.array(sorted(centres(marker(true, seed=seed)))).reshape(-1, 2)
    near = [np.hypot(*(found - place).T).min(initial=99) <= 1.5 for place in true]
    assert np.mean([1, *near]) >= 0.95
    assert len(found) - sum(near) <= 2


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(0.01, 1000), offset=st.floats(-500, 5000), seed=st.integers(0, 100))
def test_gain_and_offset_change_nothing(gain, offset, seed):
    image = marker(places(10, seed), seed=seed)
    before = find_puncta(seen(image), STUDY, 0.598)
    after = find_puncta(seen(image * gain + offset), STUDY, 0.598)
    assert after.number == pytest.approx(before.number, abs=1)  # a peak may lie at the threshold
    assert np.mean((after.labels > 0) == (before.labels > 0)) > 0.995


def test_a_punctum_is_its_area_within_half_its_height():
    alone = find_puncta(seen(marker([(48, 68)], noise=0.1)), STUDY, 0.598)
    assert alone.number == 1
    area = (alone.labels == 1).sum()
    assert 5 <= area <= 21  # of a spot of sd 1 px, some 2.4 px wide at half height
    assert alone.labels[tuple(alone.centres[0])] == 1


@pytest.mark.parametrize("value", [0, 100, 65535])
def test_a_flat_marker_has_no_puncta(value):
    for one in (seen(np.full((96, 96), value)), rescaled(seen(np.full((96, 96), value)), (1, 99))):
        assert find_puncta(one, STUDY, 0.598).number == 0


def test_a_cell_without_pixels_has_no_puncta():
    nothing = np.zeros((96, 96), dtype=bool)
    assert find_puncta(view(marker(), nothing, nothing, 2), STUDY, 0.598).number == 0


def test_equal_neighbours_are_one_punctum():
    image = marker(noise=0)
    image[46:49, 66:69] = 400
    assert find_puncta(seen(image), STUDY, 0.598).number == 1


def test_noise_is_measured_although_there_are_puncta():
    for noise in (1.0, 5.0, 20.0):
        for spots in ([], places(20)):
            assert noise_of(seen(marker(spots, noise=noise))) == pytest.approx(noise, rel=0.25)


def test_noise_responds_as_computed():
    from autophagy_assets.analysis.marker.puncta import blobs

    noise = np.random.default_rng(0).normal(size=(500, 500))
    for sigma in (0.7, 1.0, 2.5):
        assert blobs(noise, sigma).std() == pytest.approx(noise_response(sigma), rel=0.05)
