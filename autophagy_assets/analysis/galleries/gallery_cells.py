"""Cells of the gallery of all cells: which ones are shown, and what each model says of them.

Not here: their pictures, and the page (``cell_gallery``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.sets import CONTRAST, PREFIX
from autophagy_assets.analysis.features.tables import measured
from autophagy_assets.analysis.identity import (
    CELL_ID,
    DATASET,
    FIELD_OF_VIEW,
    IDENTITY,
    METADATA,
    MODEL,
    OUTCOME,
    SCORE,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

SOURCE = "source"
MOST_CELLS = 2_000
_AREAS = ("nucleus_area", "cytosol_area")


def shown_cells(cells: pd.DataFrame, most: int, study: Study) -> pd.DataFrame:
    """Choose the cells to show: all, or a random selection with as many from each field of view.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, metadata, and more.
    most : int
        How many at most.
    study : Study
        Names the control, and has the seed of the galleries, which is looked up only if not all
        cells are shown.

    Returns
    -------
    pandas.DataFrame, shape (min(n_cells, most), n_columns)
        Sorted by genotype, the control first, clone, stimulation, field of view and number.

    Notes
    -----
    Of a field with fewer cells than the others all are shown. So a large field, genotype or clone
    does not crowd out a small one, and how many cells there are of each says nothing.
    """
    ordered = cells.sort_values(["genotype", "clone", "stimulation", "fov", *IDENTITY])
    others = (ordered["genotype"] != study.control).to_numpy()
    ordered = ordered.iloc[np.argsort(others, kind="stable")].reset_index(drop=True)
    if len(ordered) <= most:
        return ordered
    random = np.random.default_rng(study.galleries.random_state)
    mixed = ordered[FIELD_OF_VIEW].iloc[random.permutation(len(ordered))]
    # The n-th of each field before the (n + 1)-th of any.
    turn = mixed.groupby(FIELD_OF_VIEW, sort=False).cumcount().sort_values(kind="stable")
    return ordered.loc[sorted(turn.index[:most])].reset_index(drop=True)


def scores_of(cells: pd.DataFrame, predictions: Iterable[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Scores of cells, joined by identity and never by position.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds the identity of the cells.
    predictions : iterable of pandas.DataFrame
        Predictions of models for these cells and others, in any order; ``source`` says where each
        is from.

    Returns
    -------
    dict of str to pandas.DataFrame, shape (n_cells, 3)
        By model: ``prob_class1``, ``outcome`` and ``source``, in the order of `cells`; missing
        where the model has not scored the cell.

    Raises
    ------
    InputError
        If a model has scored a cell twice, so that it is not clear which score is the cell's.
    """
    columns = [*IDENTITY, MODEL, SCORE, OUTCOME, SOURCE]
    tables = [table[columns] for table in predictions if len(table)]
    if not tables:
        return {}
    wanted, found = pd.MultiIndex.from_frame(cells[IDENTITY]), {}
    for model, rows in pd.concat(tables, ignore_index=True).groupby(MODEL, sort=True):
        twice = rows[rows.duplicated(IDENTITY)]
        if len(twice):
            dataset, cell = twice[DATASET].iloc[0], twice[CELL_ID].iloc[0]
            raise InputError(
                f"Model {model!r} has scored cell {cell} of dataset {dataset} more than once "
                f"({', '.join(sorted(set(rows[SOURCE])))}); the tables of its predictions must "
                "hold each cell once."
            )
        known = rows.set_index(IDENTITY)[[SCORE, OUTCOME, SOURCE]]
        found[str(model)] = known.reindex(wanted).reset_index(drop=True)
    return found


def sortable(columns: Sequence[str]) -> list[str]:
    """Features by which people sort cells.

    Parameters
    ----------
    columns : sequence of str
        Of a table of cells.

    Returns
    -------
    list of str
        The areas, and what is measured of puncta on the scale ``contrast``; of a table that has
        none of them, all that it has and whose meaning is known.
    """
    puncta = [c for c in columns if c.startswith(f"{PREFIX}puncta_") and c.endswith(CONTRAST)]
    chosen = [*(c for c in _AREAS if c in columns), *puncta]
    return chosen or [c for c in columns if measured(c)]


def metadata_values(cells: pd.DataFrame) -> dict[str, list[str]]:
    """Labels that occur, by column of the metadata, sorted."""
    return {column: sorted(map(str, cells[column].unique())) for column in METADATA}
