"""Tables that are larger than memory: read a row group at a time, and written in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.encoding import encoding


class TablePieces:
    """A table that is made piece by piece, and is never in memory whole.

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
        """Check every piece before it is written; returns the result for the first."""
        self._check = check
        return check(self.head)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        yield self.head
        for piece in self._pieces:
            self._check(piece)
            yield piece


Stream = Callable[[Path, list[str] | None, Iterable[int] | None], Iterator[pd.DataFrame]]


class StoredTable:
    """A parquet file that is read a row group at a time, as often as one likes.

    Parameters
    ----------
    path : pathlib.Path
        Verified.
    stream : callable
        Takes the path, a list of columns and the numbers of row groups, both None for all; gives
        the pieces.
    columns : list of str, optional
        Those that are looked at; default all.
    types : mapping of str to str, optional
        Types that columns are given.
    """

    def __init__(
        self,
        path: Path,
        stream: Stream,
        columns: list[str] | None = None,
        types: Mapping[str, str] | None = None,
    ) -> None:
        self._path, self._stream, self._chosen = path, stream, columns
        self._types = dict(types or {})
        found = pq.read_metadata(path)
        self._rows, self._schema = found.num_rows, found.schema.to_arrow_schema()

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, columns: list[str]) -> StoredTable:
        """The same table with some of its columns."""
        return StoredTable(self._path, self._stream, [*columns], self._types)

    def as_types(self, types: Mapping[str, str]) -> StoredTable:
        """The same table with columns of other types."""
        return StoredTable(self._path, self._stream, self._chosen, {**self._types, **types})

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in their order."""
        if self._chosen is not None:
            return self._chosen
        return [str(name) for name in self._schema.empty_table().to_pandas()]

    @property
    def categories(self) -> list[str]:
        """Names of the columns that hold categories."""
        return [f.name for f in self._schema if pa.types.is_dictionary(f.type)]

    def pieces(
        self, columns: Iterable[str] | None = None, only: Iterable[int] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Read one row group after the other; an empty table is one piece without rows.

        Parameters
        ----------
        columns : iterable of str, optional
            Those that are read, as far as the table has them; default all.
        only : iterable of int, optional
            Numbers of the row groups that are read, from 0; default all.
        """
        wanted, there = self._chosen, self.columns
        if columns is not None:
            wanted = [c for c in dict.fromkeys(columns) if c in there]
        if self._rows:
            pieces = self._stream(self._path, wanted, only)
        else:
            pieces = iter([pq.read_table(self._path, columns=wanted).to_pandas()])
        for piece in pieces:
            ordered = piece if wanted is None or [*piece] == wanted else piece[wanted]
            types = {name: kind for name, kind in self._types.items() if name in ordered}
            yield ordered.astype(types) if types else ordered


def write_in_row_groups(pieces: TablePieces, path: Path, row_group: int) -> None:
    """Write a table piece by piece, with the same bytes as if it were written whole.

    Parameters
    ----------
    path : pathlib.Path
        Does not exist yet.
    row_group : int
        Rows of each row group.
    """
    groups = regrouped(pieces, row_group)
    first = next(groups)
    known_schema = pa.Schema.from_pandas(first)
    schema = pa.schema(
        # What has no value in the first rows may be text in others.
        [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in known_schema],
        known_schema.metadata,
    )
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
    """Divide a table that comes in pieces into parts of equal numbers of rows.

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
