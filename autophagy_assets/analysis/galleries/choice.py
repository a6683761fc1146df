"""Which cells a gallery shows: by outcome, or by genotype and stimulation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.galleries.panels import PANEL
from autophagy_assets.analysis.identity import DATASET, FIELD_OF_VIEW, OUTCOME, SCORE
from autophagy_assets.errors import InputError

_TITLES = ("True positives", "True negatives", "False negatives", "False positives")
OUTCOMES = dict(zip(("TP", "TN", "FN", "FP"), _TITLES, strict=True))
_HIGHEST = {"TP", "FP"}


def choose_error_cells(predictions: pd.DataFrame, n: int) -> pd.DataFrame:
    """Choose the most distinct cells of each outcome.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Predictions of test cells.
    n : int
        Cells per outcome.

    Returns
    -------
    pandas.DataFrame
        Rows of `predictions` with the outcome also as ``panel``, in the order TP, TN, FN, FP:
        for TP and FP the `n` highest scores, for TN and FN the `n` lowest, each from high to
        low; fewer where there are fewer.

    Notes
    -----
    Equal scores are ordered by pandas' default sort, as in the reference notebook, so the
    same table gives the same cells here and there.
    """
    chosen = []
    for outcome in OUTCOMES:
        cells = predictions[predictions[OUTCOME] == outcome]
        ordered = cells.sort_values(SCORE, ascending=False)
        chosen.append(ordered.head(n) if outcome in _HIGHEST else ordered.tail(n))
    table = pd.concat(chosen)
    return table.assign(**{PANEL: table[OUTCOME]}).reset_index(drop=True)


def choose_class_cells(
    cells: pd.DataFrame, genotype: str, stimulation: str, n: int, random_state: int
) -> pd.DataFrame:
    """Choose cells of the first dataset of a genotype and a stimulation.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells with identity and metadata.
    genotype, stimulation : str
        Which cells.
    n : int
        How many.
    random_state : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        At most `n` rows of `cells`, in their order; empty where there are none.

    Notes
    -----
    The field of view is the first one of the first clone by name. The reference notebook
    shows cells of one field drawn at random without a seed; this draws with one, so a gallery
    does not change when it is made again. Ids follow the place in the field, so the first `n`
    cells would be those of one corner.
    """
    group = cells[in_group(cells, genotype, stimulation)]
    if group.empty:
        return group.reset_index(drop=True)
    first = group.sort_values(["clone", "fov", DATASET], kind="stable")[FIELD_OF_VIEW].iloc[0]
    there = (group[FIELD_OF_VIEW] == first).all(axis=1).to_numpy()
    candidates = group[there].reset_index(drop=True)
    drawn = candidates.sample(min(n, len(candidates)), random_state=random_state)
    return drawn.sort_index().reset_index(drop=True)


def choose_context_cell(clean: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """Choose the cell that is shown in its field.

    Parameters
    ----------
    clean : pandas.DataFrame
        Clean features of the control.
    random_state : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame, shape (1, n_columns)
        The same cell as the reference notebook draws from the same table.
    """
    if clean.empty:
        raise InputError("There is no cell to show in its field; check the feature table.")
    return clean.sample(1, random_state=random_state).reset_index(drop=True)


def in_group(cells: pd.DataFrame, genotype: str, stimulation: str) -> np.ndarray:
    """Mask of the cells of a genotype and a stimulation.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
    """
    chosen = (cells["genotype"] == genotype) & (cells["stimulation"] == stimulation)
    return chosen.to_numpy()
