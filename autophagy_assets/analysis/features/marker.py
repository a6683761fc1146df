"""Features of the marker, joined to other features of the same cells, some cells at a time."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from autophagy_assets.analysis.features.parts import Cells, parts
from autophagy_assets.analysis.features.sets import set_of
from autophagy_assets.analysis.identity import DATASET, IDENTITY, rows_of
from autophagy_assets.config.models import MARKER


class MarkerFeatures:
    """Features of the marker of cells, read on demand.

    Parameters
    ----------
    datasets : collection of str
        Of the cells.
    """

    def __init__(self, datasets: Collection[str]) -> None:
        self.missing = set(datasets)  # of which no cell has been measured, as far as is known
        self._datasets = frozenset(datasets)
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

    def beside(self, cells: pd.DataFrame, name: str) -> pd.DataFrame:
        """Join features of the marker to a table of the same cells.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Some or all of the cells; the index counts from 0.
        name : str
            What the reader calls their table.

        Returns
        -------
        pandas.DataFrame, shape (n_cells, n_columns + n_features)
            In the order of `cells`. Without features of the marker where no table has any of the
            cells; features that only some of the tables have are left out.

        Raises
        ------
        InputError
            If some of these cells have no features of the marker, and any of the cells has.
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
        found = rows_of(marker.astype(types), cells, f"The table of marker features for {name}")
        return pd.concat([cells, found.drop(columns=IDENTITY)], axis=1)
