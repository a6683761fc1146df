"""The figure of what was taken as a punctum: cells of both classes, the same each time."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.analysis.marker.example import (
    N_PUNCTA,
    choose_example_cells,
    marker_example,
)
from autophagy_assets.analysis.marker.features import marker_features
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.marker.cells import as_crop, marker, places, write_crops

STUDY = Study.load()
SIZES = {"few": 0.598, "many": 0.598}


@pytest.fixture
def crops(tmp_path: Path) -> dict[str, Path]:
    few = [as_crop(marker(places(n % 3, seed=n), seed=n)) for n in range(5)]
    many = [as_crop(marker(places(12, seed=n), seed=n)) for n in range(4)]
    folder = {"few": few, "many": many}
    return {name: write_crops(tmp_path / f"{name}.h5ad", cells) for name, cells in folder.items()}


def cells(n_few: int = 5, n_many: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            DATASET: ["few"] * n_few + ["many"] * n_many,
            CELL_ID: [*range(1, n_few + 1), *range(1, n_many + 1)],
            CLASS: [0] * n_few + [1] * n_many,
        }
    )


def test_three_cells_of_each_class_are_drawn_whatever_the_order_of_the_table():
    chosen = choose_example_cells(cells(), 42)
    assert chosen[CLASS].tolist() == [0, 0, 0, 1, 1, 1]
    shuffled = cells().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(choose_example_cells(shuffled, 42), chosen)


def test_cells_of_no_class_are_not_drawn(crops):
    others = cells().assign(**{CLASS: NO_CLASS, CELL_ID: cells()[CELL_ID] + 10})
    more = pd.concat([others, cells()], ignore_index=True)
    picture = marker_example(more, crops, STUDY, SIZES)
    pd.testing.assert_frame_equal(picture.table, marker_example(cells(), crops, STUDY, SIZES).table)
    assert f"drawn with a seed from {len(cells())}" in picture.caption


@pytest.mark.parametrize("sizes", [SIZES, {"few": 0.598, "many": 2.0}, {"many": 2.0}])
def test_numbers_in_the_picture_are_those_of_the_features(crops, sizes):
    picture = marker_example(cells(), crops, STUDY, sizes)
    for name, group in picture.table.groupby(DATASET):
        features = marker_features(crops[name], STUDY, sizes.get(name)).set_index(CELL_ID)
        expected = features.loc[group[CELL_ID], "marker_puncta_number_contrast"]
        assert group[N_PUNCTA].tolist() == expected.tolist()
    assert f"drawn with a seed from {len(cells())}" in picture.caption


def test_the_same_cells_give_the_same_bytes(crops):
    first, second = (marker_example(cells(), crops, STUDY, SIZES).figure for _ in range(2))
    assert png_bytes(first) == png_bytes(second)


def test_fewer_cells_and_an_unknown_pixel_are_drawn_and_said(crops):
    picture = marker_example(cells(n_few=1, n_many=0), crops, STUDY, {"few": math.nan})
    assert len(picture.table) == 1
    assert "taking a pixel as 0.598 µm" in picture.caption
    png_bytes(picture.figure)


def test_no_cells_are_a_sentence(crops):
    with pytest.raises(InputError, match="no cell to show puncta of"):
        marker_example(cells().head(0), crops, STUDY, SIZES)
