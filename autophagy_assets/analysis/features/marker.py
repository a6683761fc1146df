"""Features of the marker, joined to other features of the same cells, some cells at a time."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.features.parts import Cells, parts, whole
from autophagy_assets.analysis.features.sets import set_of
from autophagy_assets.analysis.identity import DATASET, IDENTITY, rows_of
from autophagy_assets.config.models import MARKER
from autophagy_assets.errors import InputError


class MarkerFeatures:
    """Features of the marker of cells, read on demand.

    Parameters
    ----------
    cells : pandas.DataFrame or StoredCells
        All of them.
    name : str
        What the reader calls their table.
    """

    def __init__(self, cells: Cells, name: str) -> None:
        self._cells, self._name = cells, name
        found = (part[DATASET].unique() for part in parts(cells, [DATASET]))
        self._datasets = frozenset(dataset for datasets in found for dataset in datasets)
        self.missing = set(self._datasets)  # of which no cell has been measured, as far as is known
        self._tables: list[Cells] = []
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._heads: list[pd.DataFrame] = []

    def add(self, table: Cells) -> None:
        """Add a table of features, if it has some of the cells.

        Parameters
        ----------
        table : pandas.DataFrame or StoredCells
            Features of the marker, with the identity of the cells; of these cells and of others.
        """
        found = False
        for number, part in enumerate(parts(table, [DATASET])):
            for dataset in self._datasets.intersection(part[DATASET].unique()):
                self._places.setdefault(dataset, []).append((len(self._tables), number))
                found = True
        if found:
            self._tables.append(table)
            self._heads.append(next(parts(table, [*table.columns], [0])).head(1))
            self.missing.difference_update(self._places)

    def beside(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Join features of the marker to a table of the same cells.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Some or all of the cells; the index counts from 0.

        Returns
        -------
        pandas.DataFrame, shape (n_cells, n_columns + n_features)
            In the order of `cells`. Without features of the marker where no table has any of the
            cells; features that only some of the tables have are left out.

        Raises
        ------
        InputError
            If some of these cells have no features of the marker, and any of the cells has; says
            how many of all cells have none.
        """
        if not self._tables:
            return cells
        head = pd.concat(self._heads, join="inner", ignore_index=True)
        types = head[[*IDENTITY, *(c for c in head.columns if set_of(c) == MARKER)]].dtypes
        datasets = cells[DATASET].unique()
        places = sorted({place for d in datasets for place in self._places.get(d, ())})
        read = [
            part[part[DATASET].isin(datasets)]
            for table, number in places
            for part in parts(self._tables[table], [*types.index], [number])
        ]
        marker = pd.concat(read, ignore_index=True) if read else head[[*types.index]].head(0)
        called = f"The table of marker features for {self._name}"
        try:
            found = rows_of(marker.astype(types), cells, called)
        except InputError:
            # Of some of the cells; a person is told of all of them.
            known = [whole(table, IDENTITY) for table in self._tables]
            rows_of(pd.concat(known, ignore_index=True), whole(self._cells, IDENTITY), called)
            raise
        return pd.concat([cells, found.drop(columns=IDENTITY)], axis=1)
