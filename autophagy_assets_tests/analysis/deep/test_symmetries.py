"""The eight symmetries of a square."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.deep.symmetries import SYMMETRIES, symmetric, turned


def test_they_are_eight_and_each_keeps_the_pixels():
    crop = np.arange(9.0).reshape(1, 3, 3)
    found = [symmetric(crop, number) for number in range(SYMMETRIES)]
    assert len({image.tobytes() for image in found}) == 8
    assert (found[0] == crop).all()
    assert all(sorted(image.ravel()) == sorted(crop.ravel()) for image in found)


@given(st.integers(0, 7), st.integers(0, 7))
def test_one_after_the_other_is_again_one_of_them(first, second):
    crop = np.arange(9.0).reshape(3, 3)
    both = symmetric(symmetric(crop, first), second)
    assert any((both == symmetric(crop, number)).all() for number in range(SYMMETRIES))


def test_channels_of_a_crop_are_turned_together_and_crops_one_by_one():
    crops = np.tile(np.arange(9.0).reshape(1, 1, 3, 3), (40, 2, 1, 1))
    found = turned(crops, np.random.default_rng(0))
    assert (found[:, 0] == found[:, 1]).all()
    assert len({image.tobytes() for image in found}) == 8
