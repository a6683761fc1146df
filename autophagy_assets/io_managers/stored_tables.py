"""Several stored tables as one, and one as several, without all rows in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy

import pandas as pd

from autophagy_assets.io_managers.pieces import StoredTable


class StackedTables:
    """Stored tables one below the other, as ``pandas.concat`` puts them together.

    Parameters
    ----------
    tables : sequence of StoredTable
        One at least, each with rows.

    Attributes
    ----------
    columns : list of str
        Those that are looked at; all that any of the tables has.
    """

    def __init__(self, tables: Sequence[StoredTable]) -> None:
        self._tables = tables
        heads = [next(table.pieces(only=[0])).head(1) for table in tables]
        self._types = pd.concat(heads, ignore_index=True).dtypes
        self.columns = [str(name) for name in self._types.index]

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    def __getitem__(self, columns: list[str]) -> StackedTables:
        """The same tables with some of their columns."""
        found = copy(self)
        found.columns = [*columns]
        return found

    def pieces(
        self, columns: Iterable[str] | None = None, only: Iterable[int] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Read a row group after the other, one table after the other; as of `StoredTable`."""
        wanted, chosen = (self.columns if columns is None else [*columns]), set(only or ())
        types = self._types[wanted]
        found = (piece for table in self._tables for piece in table.pieces(wanted))
        for number, piece in enumerate(found):
            if only is None or number in chosen:
                same = [*piece] == wanted and (piece.dtypes == types).all()
                yield piece if same else piece.reindex(columns=wanted).astype(types)


class ByValue(Mapping[str, pd.DataFrame]):
    """Rows of a stored table by the value of a column; those of one value are in memory at a time.

    Parameters
    ----------
    by : str
        The column.
    columns : iterable of str, optional
        Those that are read, as far as the table has them; default all.
    """

    def __init__(self, table: StoredTable, by: str, columns: Iterable[str] | None = None) -> None:
        self._table, self._by = table, by
        self._columns = None if columns is None else [by, *columns]
        self._places: dict[str, list[int]] = {}
        for number, piece in enumerate(table.pieces([by])):
            for value in piece[by].unique():
                self._places.setdefault(value, []).append(number)

    def __getitem__(self, value: str) -> pd.DataFrame:
        pieces = self._table.pieces(self._columns, self._places[value])
        found = [piece[(piece[self._by] == value).to_numpy()] for piece in pieces]
        return pd.concat(found, ignore_index=True)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
