"""What is written is what is read, and equal content, however it came about, is equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autophagy_assets.io_managers.parquet import read_table, stream_table, write_table
from autophagy_assets.registry.store.files import measure

pytestmark = pytest.mark.slow

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
whole = {
    name: st.integers(int(np.iinfo(name).min), int(np.iinfo(name).max))
    for name in ("int8", "int64", "uint8", "uint32")
}
KINDS = [
    *whole,
    "float32",
    "float64",
    "bool",
    "text",
    "text or missing",
    "category",
    "Int64",
    "time",
]


@st.composite
def columns(draw, n: int) -> pd.Series:
    kind = draw(st.sampled_from(KINDS))

    def some(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    if kind in whole:
        return pd.Series(some(whole[kind]), dtype=kind)
    if kind in ("float32", "float64"):
        return pd.Series(some(st.floats(width=int(kind[-2:]))), dtype=kind)
    if kind == "bool":
        return pd.Series(some(st.booleans()), dtype=bool)
    if kind == "Int64":
        return pd.Series(some(st.none() | whole["int64"]), dtype="Int64")
    if kind == "time":
        moments = st.integers(-(2**60), 2**60)
        return pd.Series(pd.to_datetime(some(moments)), dtype="datetime64[ns]")
    if kind == "category":
        known = draw(st.lists(words, unique=True, min_size=1, max_size=4))
        values = some(st.none() | st.sampled_from(known))
        return pd.Series(pd.Categorical(values, known, ordered=draw(st.booleans())))
    return pd.Series(some(words | st.none() if kind == "text or missing" else words), dtype=object)


@st.composite
def tables(draw, n: int | None = None) -> pd.DataFrame:
    n = draw(st.integers(0, 5)) if n is None else n
    names = draw(st.lists(words.filter(bool), unique=True, min_size=1, max_size=4))
    table = pd.DataFrame({name: draw(columns(n)) for name in names}, columns=names)
    index = draw(st.sampled_from(["range", "numbers", "words", "two levels"]))
    if index == "numbers":
        table.index = pd.Index(
            draw(st.lists(whole["int64"], min_size=n, max_size=n)), dtype="int64"
        )
    elif index == "words":
        table.index = pd.Index(
            draw(st.lists(words, min_size=n, max_size=n)), name="cell", dtype=str
        )
    elif index == "two levels" and n:
        table.index = pd.MultiIndex.from_arrays(
            [list(range(n)), ["a"] * n], names=["level 1", None]
        )
    assume(not set(table.index.names) & set(names))
    return table


def put(table: pd.DataFrame, folder: Path, name: str = "t") -> Path:
    path = folder / f"{name}.parquet"
    path.unlink(missing_ok=True)
    write_table(table, path)
    return path


in_a_folder = settings(
    max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@in_a_folder
@given(table=tables())
def test_what_is_written_is_what_is_read(tmp_path: Path, table: pd.DataFrame) -> None:
    """Types, categories also without rows, labels in any script, missing values, the index."""
    read = read_table(put(table, tmp_path))
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_index_type="equiv")


@in_a_folder
@given(table=tables())
def test_content_and_not_its_history_gives_the_bytes(tmp_path: Path, table: pd.DataFrame) -> None:
    """Put together column by column, cut out of a larger table, or read: the same version."""
    version = measure(put(table, tmp_path))
    assembled = pd.DataFrame(index=table.index.copy())
    for name in table.columns:
        assembled[name] = table[name].copy()
    larger = pd.concat([table, table]).iloc[: len(table)]
    for other in (assembled, larger.set_index(table.index), read_table(put(table, tmp_path))):
        if isinstance(table.index, pd.RangeIndex):
            other = other.reset_index(drop=True)
        assert measure(put(other, tmp_path, "other")) == version


@in_a_folder
@given(table=tables(), data=st.data())
def test_changed_content_is_another_version(
    tmp_path: Path, table: pd.DataFrame, data: st.DataObject
) -> None:
    version = measure(put(table, tmp_path))
    how = data.draw(st.sampled_from(["a row less", "another order", "another name", "a value"]))
    if how == "another name":
        changed = table.rename(columns={table.columns[0]: str(table.columns[0]) + "'"})
    elif how == "a row less":
        assume(len(table))
        changed = table.iloc[1:]
    elif how == "another order":
        changed = table.iloc[::-1]
        assume(not changed.reset_index(drop=True).equals(table.reset_index(drop=True)))
    else:
        numbers = [name for name in table.columns if str(table[name].dtype) in whole]
        assume(len(table) and numbers)
        changed = table.copy()
        changed.loc[changed.index[0], numbers[0]] = int(table[numbers[0]].iloc[0] == 0)
        assume(not changed.equals(table))
    assert measure(put(changed, tmp_path, "other")) != version


@in_a_folder
@given(table=tables(n=5))
def test_pieces_make_the_whole(tmp_path: Path, table: pd.DataFrame) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "pieces.parquet"
    pq.write_table(pa.Table.from_pandas(table), path, row_group_size=2)
    pieces = list(stream_table(path))
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    for name in table.columns:
        together = [value for piece in pieces for value in piece[name].tolist()]
        pd.testing.assert_series_equal(
            pd.Series(together, dtype=object), pd.Series(table[name].tolist(), dtype=object)
        )
