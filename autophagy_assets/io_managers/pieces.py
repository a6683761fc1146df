"""Tables that are larger than memory: read a row group at a time, and given piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.encoding import encoding


class TablePieces:
    """A table that is given piece by piece, and is never in memory whole.

    Parameters
    ----------
    rows : int
        How many all pieces have together.
    pieces : iterable of pandas.DataFrame
        One at least, with the same columns of the same types; gone through once.
    """

    def __init__(self, rows: int, pieces: Iterable[pd.DataFrame]) -> None:
        self._rows, self._pieces = rows, iter(pieces)
        self._check: Callable[[pd.DataFrame], Any] = lambda piece: None
        head = next(self._pieces, None)
        if head is None:
            raise InputError(
                "There is nothing to put a table together from; make what is upstream."
            )
        self.head: pd.DataFrame = head

    def __len__(self) -> int:
        return self._rows

    def checked(self, check: Callable[[pd.DataFrame], Any]) -> Any:
        """Have every piece looked at before it is written; gives what is found of the first."""
        self._check = check
        return check(self.head)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        yield self.head
        for piece in self._pieces:
            self._check(piece)
            yield piece


class StoredTable:
    """A parquet file that is read a row group at a time, as often as one likes.

    Parameters
    ----------
    path : pathlib.Path
        Verified.
    stream : callable
        Takes the path and a list of columns, gives the pieces.
    """

    def __init__(
        self, path: Path, stream: Callable[[Path, list[str] | None], Iterator[pd.DataFrame]]
    ) -> None:
        self._path, self._stream = path, stream
        found = pq.read_metadata(path)
        self._rows, self._schema = found.num_rows, found.schema.to_arrow_schema()

    def __len__(self) -> int:
        return self._rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in their order."""
        return [str(name) for name in self._schema.empty_table().to_pandas().columns]

    def pieces(self, columns: Iterable[str] | None = None) -> Iterator[pd.DataFrame]:
        """Read a row group after the other; of an empty table one piece without rows.

        Parameters
        ----------
        columns : iterable of str, optional
            Those that are read, as far as the table has them; default all.
        """
        there = self.columns
        wanted = None if columns is None else [c for c in dict.fromkeys(columns) if c in there]
        if self._rows:
            return self._stream(self._path, wanted)
        return iter([pq.read_table(self._path, columns=wanted).to_pandas()])


def write_in_row_groups(pieces: TablePieces, path: Path, row_group: int) -> None:
    """Write a table piece by piece: the bytes that it would have if it were written whole.

    Parameters
    ----------
    path : pathlib.Path
        Does not exist yet.
    row_group : int
        Rows of each row group.
    """
    groups = regrouped(pieces, row_group)
    first = next(groups)
    schema = pa.Schema.from_pandas(first)
    known = json.loads(schema.metadata[b"pandas"])
    known["index_columns"][0]["stop"] = len(pieces)
    schema = schema.with_metadata({b"pandas": json.dumps(known).encode()})
    with (
        pq.ParquetWriter(path, schema, **encoding(schema)) as writer,
        ThreadPoolExecutor(1) as pool,
    ):

        def write(group: pd.DataFrame) -> None:
            arrow = pa.Table.from_pandas(group, schema, preserve_index=False)
            writer.write_table(arrow.replace_schema_metadata(schema.metadata), row_group)

        # A group is written while the next one is made.
        written = pool.submit(write, first)
        for group in groups:
            written.result()
            written = pool.submit(write, group)
        written.result()


def regrouped(pieces: Iterable[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
    """Cut a table that comes in pieces anew, so that all parts but the last have as many rows.

    Yields
    ------
    pandas.DataFrame
        Its index counts from 0.
    """
    held: list[pd.DataFrame] = []
    whole_index = pd.RangeIndex(rows)
    for piece in pieces:
        if not sum(map(len, held)) and piece.index.equals(whole_index):
            yield piece  # cut already
            continue
        held.append(piece)
        while sum(map(len, held)) >= rows:
            whole = pd.concat(held, ignore_index=True)
            yield whole.iloc[:rows].reset_index(drop=True)
            held = [whole.iloc[rows:]]
    if sum(map(len, held)):
        yield pd.concat(held, ignore_index=True)
