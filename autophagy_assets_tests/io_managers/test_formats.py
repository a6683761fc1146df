"""What is written is what is read, and the same value is the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from autophagy_assets.analysis.classifier.classification import train
from autophagy_assets.analysis.classifier.selection import select_cells
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers import parquet
from autophagy_assets.io_managers.figure import FigureIOManager
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.parquet import (
    ParquetIOManager,
    read_selected,
    read_table,
    stream_table,
    write_table,
)
from autophagy_assets.io_managers.pieces import StoredTable, TablePieces
from autophagy_assets_tests.analysis.synthetic import raw_features

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
columns = {
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=True, allow_infinity=True),
    "word": words,
    "yes": st.booleans(),
}
DTYPES = {"whole": "int64", "real": "float64", "word": "str", "yes": "bool"}


@st.composite
def tables(draw) -> pd.DataFrame:
    n = draw(st.integers(0, 6))
    names = draw(st.lists(st.sampled_from(sorted(columns)), unique=True, min_size=1))
    data = {
        name: pd.Series(draw(st.lists(columns[name], min_size=n, max_size=n)), dtype=DTYPES[name])
        for name in names
    }
    table = pd.DataFrame(data)
    # Parquet keeps categories with the values: those of a column without a row are lost.
    if n and "word" in data and draw(st.booleans()):
        table["word"] = table["word"].astype("category")
    if draw(st.booleans()):
        table.index = pd.Index(range(10, 10 + n), name=draw(st.sampled_from([None, "cell"])))
    return table


def written(table: pd.DataFrame, folder: Path, name: str = "t") -> Path:
    path = folder / f"{name}.parquet"
    path.unlink(missing_ok=True)
    write_table(table, path)
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables())
def test_a_table_is_read_as_it_was_written(tmp_path, table):
    pd.testing.assert_frame_equal(read_table(written(table, tmp_path)), table)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=tables(), other=tables())
def test_equal_tables_and_only_they_have_equal_bytes(tmp_path, one, other):
    first, again = written(one, tmp_path, "1"), written(one.copy(), tmp_path, "2")
    assert digest(first) == digest(again)
    try:
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    except AssertionError:
        assert digest(first) != digest(written(other, tmp_path, "3"))


def test_one_changed_number_changes_the_bytes(tmp_path):
    table = raw_features(1, Study.load(), "WT", cells=8).reset_index(drop=True)
    before = digest(written(table, tmp_path, "1"))
    table.loc[3, "nucleus_area"] = np.nextafter(table.loc[3, "nucleus_area"], np.inf)
    assert digest(written(table, tmp_path, "2")) != before


def test_decimal_numbers_take_less_room_than_in_memory(tmp_path):
    values = np.random.default_rng(0).normal(size=(4000, 4))
    path = written(pd.DataFrame(values, columns=[*"abcd"]), tmp_path)
    assert path.stat().st_size < values.nbytes


def test_columns_are_read_alone(tmp_path):
    table = raw_features(1, Study.load(), "WT", cells=8).reset_index(drop=True)
    path = written(table, tmp_path)
    found = read_table(path, ["scportrait_cell_id", "nucleus_area"])
    pd.testing.assert_frame_equal(found, table[["scportrait_cell_id", "nucleus_area"]])


def test_a_table_is_streamed_in_pieces_that_make_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 7)
    table = pd.DataFrame({"a": range(20), "b": "x"})
    path = written(table, tmp_path)
    pieces = list(stream_table(path, ["a"]))
    assert [len(piece) for piece in pieces] == [7, 7, 6]
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), table[["a"]])


def picture(height: float = 1.0) -> Picture:
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([0, 1], [0, height])
    return Picture(figure, pd.DataFrame({"x": [0, 1]}), "A line.")


def test_the_same_figure_is_the_same_bytes_and_another_is_not(tmp_path):
    for name, value in {"1": picture(), "2": picture(), "3": picture(2)}.items():
        FigureIOManager().write(value, tmp_path / name)
    assert digest(tmp_path / "1") == digest(tmp_path / "2") != digest(tmp_path / "3")


def test_a_preview_stays_small_however_large_the_figure(tmp_path):
    figure = Figure(figsize=(14, 14))
    noise = np.random.default_rng(0).random((900, 900))
    figure.subplots().imshow(noise, interpolation="nearest")
    value = Picture(figure, pd.DataFrame({"x": [0]}), "Noise.")
    path = tmp_path / "noise.png"
    FigureIOManager().write(value, path)
    assert path.stat().st_size > 500_000
    assert len(FigureIOManager().metadata(value, path)["preview"].value) < 100_000


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return raw_features(1, Study.load(), "WT", cells=30).reset_index(drop=True)


def test_the_same_model_is_the_same_bytes_and_another_is_not(tmp_path, cells):
    five, other = (
        Model(
            name="m",
            feature_sets=["scportrait"],
            estimator="random_forest",
            parameters={"n_estimators": 5, "random_state": seed},
        )
        for seed in (42, 1)
    )
    models = [train(cells, model, "v") for model in (five, five, other)]
    for name, model in enumerate(models):
        JoblibIOManager().write(model, tmp_path / str(name))
    digests = [digest(tmp_path / str(name)) for name in range(3)]
    assert digests[0] == digests[1] != digests[2]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.integers(3, 15))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_given_in_pieces_has_the_bytes_of_the_whole_one(tmp_path, monkeypatch, sizes, rows):
    monkeypatch.setattr(parquet, "ROW_GROUP", rows)
    whole = raw_features(1, Study.load(), "WT", cells=60, datasets=2).reset_index(drop=True)
    whole = whole.head(sum(sizes)).assign(called=lambda t: np.where(t[CELL_ID] > 40, "TP", "FN"))
    ends = np.cumsum(sizes)
    parts = [whole.iloc[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    in_pieces = tmp_path / "pieces.parquet"
    in_pieces.unlink(missing_ok=True)
    ParquetIOManager().write(TablePieces(len(whole), parts), in_pieces)
    assert in_pieces.read_bytes() == written(whole, tmp_path).read_bytes()
    stored = StoredTable(in_pieces, stream_table)
    again = pd.concat(list(stored.pieces()), ignore_index=True)
    pd.testing.assert_frame_equal(again, whole, check_dtype=bool(len(whole)))
    assert [*next(stored.pieces([DATASET, "not there"]))] == [DATASET] and len(stored) == len(whole)


def test_columns_without_values_in_the_first_rows_are_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 3)
    whole = pd.DataFrame(
        {"text": [None] * 3 + ["a", None, "b"], "number": [1, 2, 3, 4, None, 6], "n": range(6)}
    )
    parts = [whole.head(3).astype({"number": "int64"}), whole.tail(3)]
    path = tmp_path / "pieces.parquet"
    ParquetIOManager().write(TablePieces(6, parts), path)
    pd.testing.assert_frame_equal(read_table(path), whole)


def test_every_piece_is_looked_at_before_it_is_written(tmp_path):
    seen = []
    table = pd.DataFrame({"a": range(4)})
    pieces = TablePieces(4, [table.head(2), table.tail(2)])
    pieces.checked(lambda piece: seen.append(len(piece)))
    ParquetIOManager().write(pieces, tmp_path / "t.parquet")
    assert seen == [2, 2]


@pytest.mark.parametrize("most", [5, 150, 1_000])
def test_a_random_selection_is_read_in_pieces_as_from_the_whole_table(tmp_path, monkeypatch, most):
    monkeypatch.setattr(parquet, "ROW_GROUP", 7)
    table = raw_features(3, Study.load(), "WT", cells=60).reset_index(drop=True)
    table["clone"] = table[DATASET].str[-4:]
    path = written(table, tmp_path)
    whole = table[select_cells(table, most, 42)] if len(table) > most else table
    for columns in (None, [DATASET, CELL_ID, "nucleus_area"]):
        found = read_selected(path, columns, most, 42)
        expected = (whole if columns is None else whole[columns]).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected)
