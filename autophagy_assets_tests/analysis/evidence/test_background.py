"""Background: patches hold no cell, and a swap replaces the background and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.evidence.background import (
    background_level,
    background_patches,
    swap_background,
)
from autophagy_assets.errors import InputError

SIDE, SIZE = 200, 32


def field(centres: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two channels of background 10 and 20 with bright round cells; ids of cells and nuclei."""
    rows, columns = np.indices((SIDE, SIDE))
    cells, nuclei = np.zeros((SIDE, SIDE), int), np.zeros((SIDE, SIDE), int)
    for number, (r, c) in enumerate(centres, start=1):
        away = np.hypot(rows - r, columns - c)
        cells[(away < 9) & (cells == 0)] = number
        nuclei[(away < 4) & (cells == number)] = number
    image = np.stack([np.full((SIDE, SIDE), level) for level in (10.0, 20.0)])
    return image + 1000 * (cells > 0), cells, nuclei


CENTRES = [(40, 40), (60, 150), (150, 60)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(20, 180), st.integers(20, 180)), min_size=1, max_size=8))
def test_no_pixel_within_a_borrowed_outline_is_near_a_cell(centres):
    image, cells, nuclei = field(centres)
    patches = background_patches(image, cells, nuclei, SIZE, 10, 1, margin_px=5)
    assert patches.images.shape == (10, 2, SIZE, SIZE)
    for number in range(10):
        inside = patches.images[number][:, patches.cells[number]]
        assert (inside == np.array([[10.0], [20.0]])).all()
        assert patches.cells[number].sum() > 0
        assert not (patches.nuclei[number] & ~patches.cells[number]).any()


def test_the_same_seed_gives_the_same_patches_and_another_one_others():
    made = [
        background_patches(*field(CENTRES), SIZE, 6, seed).centres.tolist() for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]


def test_a_field_full_of_cells_has_no_background():
    grid = [(r, c) for r in range(10, 200, 16) for c in range(10, 200, 16)]
    image, cells, nuclei = field(grid)
    with pytest.raises(InputError, match="nowhere between its 144 cells"):
        background_patches(image, cells, nuclei, SIZE, 3, 1)
    with pytest.raises(InputError, match="every pixel is within 15 px"):
        background_level(image, cells)


def test_the_level_is_that_of_pixels_far_from_cells():
    image, cells, _ = field(CENTRES)
    assert background_level(image, cells).tolist() == [10.0, 20.0]


def test_a_cell_keeps_its_light_and_gets_the_background_of_the_patch():
    image, cells, _ = field(CENTRES)
    window = (slice(24, 56), slice(24, 56))
    crop, cell = image[:, window[0], window[1]], cells[window] == 1
    patch = np.stack([np.full((SIZE, SIZE), level) for level in (70.0, 5.0)])
    found = swap_background(crop, cell, background_level(image, cells), patch)
    assert (found[:, cell] == np.array([[1070.0], [1005.0]])).all()
    assert (found[:, ~cell] == patch[:, ~cell]).all()


def test_a_soft_edge_blends():
    crop, patch = np.full((1, 2, 2), 50.0), np.full((1, 2, 2), 10.0)
    found = swap_background(crop, np.full((2, 2), 0.5), np.array([0.0]), patch)
    assert found == pytest.approx(np.full((1, 2, 2), 0.5 * 60 + 0.5 * 10))
