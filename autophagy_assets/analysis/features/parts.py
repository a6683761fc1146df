"""Tables of cells of any size: in memory, or read some columns and some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

import pandas as pd


class StoredCells(Protocol):
    """A table in a file, read in parts."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns, in their order."""

    def __len__(self) -> int:
        """Number of rows."""

    def __getitem__(self, columns: list[str]) -> StoredCells:
        """The same table with some of its columns."""

    def pieces(
        self, columns: list[str] | None = None, only: Iterable[int] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Iterate over the pieces of the table: all of them, or those of some numbers from 0.

        There is one at least, which may have no rows.
        """


Cells: TypeAlias = pd.DataFrame | StoredCells


def parts(
    cells: Cells, columns: list[str], only: Iterable[int] | None = None
) -> Iterator[pd.DataFrame]:
    """Iterate over some columns of a table piece by piece; a table in memory is one piece.

    Parameters
    ----------
    columns : list of str
        Each is there.
    only : iterable of int, optional
        Numbers of the parts, from 0; default all.
    """
    if isinstance(cells, pd.DataFrame):
        return iter([cells[columns]])
    return cells.pieces(columns, only)


def whole(cells: Cells, columns: list[str]) -> pd.DataFrame:
    """Read some columns of all rows of a table.

    Parameters
    ----------
    columns : list of str
        Each is there.
    """
    if isinstance(cells, pd.DataFrame):
        return cells[columns]
    return pd.concat(cells.pieces(columns), ignore_index=True)
