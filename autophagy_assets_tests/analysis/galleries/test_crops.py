"""Crops are found by (dataset, cell id), never by position."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.galleries.crops import channel_names, fetch_all_channels, fetch_crops
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import decoded, write_h5sc

CHANNELS = ("DAPI", "Alexa488", "mCherry")
IDS = {"one": [7, 3, 5, 900], "two": [5, 7, 1, 3], "three": [2]}  # repeat, and are not sorted


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    return {
        name: write_h5sc(folder / f"{name}.h5ad", code, ids, CHANNELS)
        for code, (name, ids) in enumerate(IDS.items())
    }


def asked(*cells: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=[DATASET, CELL_ID]).set_axis(range(5, 5 + len(cells)))


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(
        st.sampled_from([(name, i) for name, ids in IDS.items() for i in ids]), min_size=1
    ),
    channel=st.integers(0, 4),
)
def test_each_crop_is_that_of_its_cell_in_the_order_asked(paths, cells, channel):
    crops = fetch_crops(asked(*cells), paths, channel)
    expected = [(list(IDS).index(name), i, channel) for name, i in cells]
    assert [decoded(crop) for crop in crops] == expected


def test_a_channel_may_be_named(paths):
    cells = asked(("two", 7))
    by_name, by_number = fetch_crops(cells, paths, "mCherry"), fetch_crops(cells, paths, 4)
    np.testing.assert_array_equal(by_name, by_number)
    assert decoded(by_name[0]) == (1, 7, 4)


def test_all_channels_come_masks_first(paths):
    stack = fetch_all_channels(asked(("one", 900), ("two", 1)), paths)
    assert [[decoded(crop) for crop in cell] for cell in stack] == [
        [(0, 900, c) for c in range(5)],
        [(1, 1, c) for c in range(5)],
    ]
    assert channel_names(paths["one"]) == ["seg_all_nucleus", "seg_all_cytosol", *CHANNELS]


def refused(cells: pd.DataFrame, paths, channel: str | int = "DAPI") -> str:
    with pytest.raises(InputError) as error:
        fetch_crops(cells, paths, channel)
    return str(error.value)


def test_a_cell_that_is_not_there_is_named_with_its_dataset(paths):
    message = refused(asked(("one", 7), ("two", 900)), paths)  # "one" has a cell 900
    assert "Cell 900" in message and "'two'" in message


def test_a_dataset_without_a_file_is_named(paths):
    assert "dataset 'four', which holds cell 1" in refused(asked(("four", 1)), paths)


def test_a_channel_that_is_not_there_is_named(paths):
    message = refused(asked(("one", 7)), paths, "GFP")
    assert "'GFP'" in message and "DAPI, Alexa488, mCherry" in message
    assert "channel 5" in refused(asked(("one", 7)), paths, 5)
    assert "channel -1" in refused(asked(("one", 7)), paths, -1)


def test_no_cells_are_refused(paths):
    assert "No cells" in refused(asked(("one", 7)).head(0), paths)


def test_an_id_stored_twice_is_ambiguous(tmp_path):
    path = write_h5sc(tmp_path / "x.h5ad", 0, [1, 2, 2], CHANNELS)
    assert "stores cell 2 more than once" in refused(asked(("x", 2)), {"x": path})


def test_files_that_are_broken_are_named(tmp_path):
    truncated = write_h5sc(tmp_path / "cut.h5ad", 0, [1], CHANNELS)
    truncated.write_bytes(truncated.read_bytes()[:1000])
    assert "cut.h5ad cannot be read" in refused(asked(("x", 1)), {"x": truncated})
    assert "gone.h5ad" in refused(asked(("x", 1)), {"x": tmp_path / "gone.h5ad"})
    other = tmp_path / "other.h5ad"
    with h5py.File(other, "w") as file:
        file["X"] = [1]
    assert "holds no" in refused(asked(("x", 1)), {"x": other})


def test_crops_of_different_size_are_refused(tmp_path):
    paths = {
        "x": write_h5sc(tmp_path / "x.h5ad", 0, [1], CHANNELS),
        "y": write_h5sc(tmp_path / "y.h5ad", 1, [1], CHANNELS, side=16),
    }
    assert "'y' are (16, 16) px" in refused(asked(("x", 1), ("y", 1)), paths)
