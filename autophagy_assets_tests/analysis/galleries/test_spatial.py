"""A cell at its place: rows are y, columns are x, also near the border."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.galleries import spatial
from autophagy_assets.analysis.galleries.choice import choose_context_cell
from autophagy_assets.analysis.galleries.spatial import _span, read_field
from autophagy_assets.analysis.galleries.spatial_figures import spatial_context
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import decoded, write_h5sc, write_store

STUDY = Study.load()
SHAPE = (150, 260)  # rows, columns: a swap of x and y shows
NUCLEI = {3: (60, 200), 8: (2, 5), 9: (148, 257), 20: (80, 180)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("field") / "s.zarr", NUCLEI, SHAPE, STUDY)


@pytest.mark.parametrize("cell", NUCLEI)
def test_the_window_holds_the_cell_at_the_place_it_says(store, cell):
    field = read_field(store, cell, STUDY.marker_channel, 100)
    assert field.centre == NUCLEI[cell]
    assert field.shape == SHAPE
    row, column = (int(c - k) for c, k in zip(field.centre, field.corner, strict=True))
    assert field.window[row, column] == NUCLEI[cell][0] * 1000 + NUCLEI[cell][1]
    for mask in field.masks.values():
        assert mask.shape == field.window.shape == (100, 100)
        assert mask[row, column] == cell


def test_the_whole_field_is_read_at_a_lower_resolution_where_it_is_large(store, monkeypatch):
    full = read_field(store, 3, STUDY.marker_channel, 100).overview
    assert full.shape == SHAPE
    monkeypatch.setattr(spatial, "OVERVIEW_PX", 80)
    small = read_field(store, 3, STUDY.marker_channel, 100)
    np.testing.assert_array_equal(small.overview, full[::2, ::2])
    assert small.window.shape == (100, 100)


@given(centre=st.floats(0, 1000), width=st.integers(1, 300), size=st.integers(1, 1000))
def test_a_window_stays_inside_and_holds_its_centre(centre, width, size):
    centre = min(centre, size - 1)
    start, end = _span(centre, width, size)
    assert 0 <= start < end <= size
    assert end - start == min(width, size)
    assert start - 0.5 <= centre <= end


def refused(*args) -> str:
    with pytest.raises(InputError) as error:
        read_field(*args)
    return str(error.value)


def test_what_is_not_there_is_named(store, tmp_path):
    marker = STUDY.marker_channel
    assert "Cell 4" in refused(store, 4, marker, 100)
    assert "'GFP'" in refused(store, 3, "GFP", 100)
    assert "gone.zarr" in refused(tmp_path / "gone.zarr", 3, marker, 100)


def cell(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"dataset": ["d"], "scportrait_cell_id": [number], "genotype": ["WT"], "fov": ["FOV1"]}
    )


@pytest.fixture(scope="module")
def h5sc(tmp_path_factory):
    path = tmp_path_factory.mktemp("crops") / "d.h5ad"
    return write_h5sc(path, 1, list(NUCLEI), STUDY.channels, side=64)


@settings(max_examples=4, deadline=None)
@given(number=st.sampled_from(sorted(NUCLEI)))
def test_the_dot_is_drawn_at_the_cell(h5sc, store, number):
    picture = spatial_context(cell(number), h5sc, store, STUDY, 0.6)
    row, column = NUCLEI[number]
    assert picture.table[["x_px", "y_px"]].iloc[0].tolist() == [column, row]
    window = next(a for a in picture.figure.axes if a.get_title(loc="left") == "Around the cell")
    mark = next(line for line in window.lines if line.get_marker() == "o")
    x, y = int(mark.get_xdata()[0]), int(mark.get_ydata()[0])
    assert window.images[0].get_array()[y, x] == row * 1000 + column


def test_a_study_of_five_channels_shows_all_of_them(tmp_path):
    study = STUDY.model_copy(update={"channels": (*STUDY.channels, "Cy5", "Cy7")})
    crops = write_h5sc(tmp_path / "d.h5ad", 1, list(NUCLEI), study.channels, side=64)
    field = write_store(tmp_path / "d.zarr", NUCLEI, (300, 300), study)
    picture = spatial_context(cell(3), crops, field, study)
    titles = [ax.get_title(loc="left") for ax in picture.figure.axes]
    assert {"DAPI", "Alexa488", "LC3B (mCherry)", "Cy5", "Cy7"} < set(titles)
    assert titles.count("") == 1, "a place that stays empty"


def test_all_channels_and_the_whole_field_are_shown(h5sc, store):
    picture = spatial_context(cell(3), h5sc, store, STUDY)
    titles = [ax.get_title(loc="left") for ax in picture.figure.axes]
    assert {"Around the cell", "In the field of view"} < set(titles)
    expected = ["mask: nucleus", "mask: cytosol", "DAPI", "Alexa488", "LC3B (mCherry)"]
    for ax, title in zip(picture.figure.axes, titles, strict=True):
        if title in expected:
            assert decoded(ax.images[0].get_array()) == (1, 3, expected.index(title))
    assert set(expected) < set(titles)
    assert picture.table["dataset"].tolist() == ["d"]
    again = spatial_context(cell(3), h5sc, store, STUDY)
    assert png_bytes(picture.figure) == png_bytes(again.figure)


def test_the_choice_is_fixed_by_its_seed():
    table = pd.DataFrame({"dataset": "d", "scportrait_cell_id": range(50)})
    first = choose_context_cell(table, 42)
    pd.testing.assert_frame_equal(first, choose_context_cell(table, 42))
    assert len({int(choose_context_cell(table, s)["scportrait_cell_id"][0]) for s in range(9)}) > 3
    with pytest.raises(InputError, match="no cell to show"):
        choose_context_cell(table.head(0), 42)
