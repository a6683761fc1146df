"""Identity of a cell, and which columns of a table are not features.

A cell is (``dataset``, ``scportrait_cell_id``): ids repeat between datasets, so
neither column alone names a cell and position never does. A field of view is
(``dataset``, ``fov``): a dataset may hold the cells of several.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import numpy as np
import pandas as pd

from autophagy_assets.config.study import NO_CLASS
from autophagy_assets.errors import InputError

DATASET = "dataset"
CELL_ID = "scportrait_cell_id"
CLASS = "class"
IDENTITY = [DATASET, CELL_ID]
METADATA = ["genotype", "stimulation", "clone", "fov"]
FIELD_OF_VIEW = [DATASET, "fov"]
FIRST_ID = "first_id"  # of a field of a dataset: ids of its cells are above it
MODEL = "model"
PREDICTED = "predicted_class"
SCORE = "prob_class1"
OUTCOME = "outcome"
KIND = "kind"
PREDICTION = [MODEL, PREDICTED, SCORE, OUTCOME]

NOT_FEATURES = frozenset([*IDENTITY, CLASS, *METADATA, *PREDICTION, KIND])


class HasColumns(Protocol):
    """Anything with named columns."""

    @property
    def columns(self) -> Collection[str]:
        """Names of the columns, in their order."""


def feature_columns(table: HasColumns) -> list[str]:
    """Names of the feature columns of a table, in its order.

    Parameters
    ----------
    table : pandas.DataFrame or object with columns
        A feature table; identity, class, metadata and prediction columns may be present.

    Returns
    -------
    list of str
        Every column that is none of those.
    """
    return [column for column in table.columns if is_feature(column)]


def is_feature(column: str) -> bool:
    """Whether a column holds a feature.

    Returns
    -------
    bool
        True for every column that is none of identity, class, metadata and prediction.
    """
    return column not in NOT_FEATURES


def field_numbers(cells: pd.DataFrame) -> np.ndarray:
    """Number the fields of view of cells from 0, sorted by dataset and field of view.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``dataset`` and ``fov``.

    Returns
    -------
    numpy.ndarray of int, shape (n_cells,)
        The number of the field of each cell.
    """
    return cells.groupby(FIELD_OF_VIEW, sort=True).ngroup().to_numpy()


def of_classes(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells whose stimulation is a class.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``class``.

    Returns
    -------
    pandas.DataFrame
        In their order, with their index.
    """
    return cells[(cells[CLASS] != NO_CLASS).to_numpy()]


def of_conditions(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells whose stimulation is no class.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``class``.

    Returns
    -------
    pandas.DataFrame
        In their order, with their index.
    """
    return cells[(cells[CLASS] == NO_CLASS).to_numpy()]


def among(table: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table for those of some cells that it has.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    cells : pandas.DataFrame
        Holds the identity of the cells.

    Returns
    -------
    pandas.DataFrame
        In the order of `table`, with its index.
    """
    near = table[table[DATASET].isin(cells[DATASET].unique()).to_numpy()]
    wanted = pd.MultiIndex.from_frame(cells[IDENTITY])
    return near[pd.MultiIndex.from_frame(near[IDENTITY]).isin(wanted)]


def rows_of(table: pd.DataFrame, cells: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of a table for some cells, in their order; all have to be there.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    cells : pandas.DataFrame
        Holds the identity of the cells.
    name : str
        What the reader calls `table`.

    Returns
    -------
    pandas.DataFrame
        In the order of `cells`.

    Raises
    ------
    InputError
        If the table lacks one of them.
    """
    wanted = pd.MultiIndex.from_frame(cells[IDENTITY])
    places = pd.MultiIndex.from_frame(table[IDENTITY]).get_indexer(wanted)
    if (places < 0).any():
        dataset, cell = wanted[places < 0][0]
        raise InputError(
            f"{name} lacks {int((places < 0).sum())} of {len(wanted)} cells, for instance cell "
            f"{cell} of dataset {dataset!r}; make it again."
        )
    return table.iloc[places].reset_index(drop=True)
