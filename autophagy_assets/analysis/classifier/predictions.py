"""The table of predictions: which class a model calls a cell, and whether that is right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.identity import (
    CLASS,
    IDENTITY,
    METADATA,
    MODEL,
    OUTCOME,
    PREDICTED,
    SCORE,
)
from autophagy_assets.config.study import NO_CLASS

POSITIVE = 1
NO_OUTCOME = "no class"


def called(scores: np.ndarray, threshold: float | None) -> np.ndarray:
    """Predicted class of cells, by their probabilities and a threshold.

    Parameters
    ----------
    scores : numpy.ndarray of float, shape (n_cells,)
        Probability of class 1.
    threshold : float or None
        None for the more probable class.

    Returns
    -------
    numpy.ndarray of int, shape (n_cells,)
    """
    above = np.asarray(scores) > (0.5 if threshold is None else threshold)
    return np.where(above, POSITIVE, 1 - POSITIVE)


def predictions(
    cells: pd.DataFrame, model: str, scores: np.ndarray, predicted: np.ndarray
) -> pd.DataFrame:
    """Build the table of predictions.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        With identity and class, and metadata as far as there is any.
    model : str
        Name of the model.
    scores : numpy.ndarray of float, shape (n_cells,)
        Probability of class 1.
    predicted : numpy.ndarray of int, shape (n_cells,)

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 11 or 12)
        As `predict` gives it; with the number of puncta where that is known.
    """
    present = [column for column in [*METADATA, PUNCTA] if column in cells.columns]
    table = cells[[*IDENTITY, CLASS, *present]].reset_index(drop=True)
    table[MODEL] = model
    table[PREDICTED] = predicted.astype("int64")
    table[SCORE] = scores
    table[OUTCOME] = outcomes(table[CLASS].to_numpy(), predicted)
    return table


def no_predictions(cells: pd.DataFrame) -> pd.DataFrame:
    """Empty table of predictions.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        As for `predictions`; says which columns there are.

    Returns
    -------
    pandas.DataFrame, shape (0, 11 or 12)
    """
    return predictions(cells.head(0), "", np.empty(0), np.empty(0, dtype="int64"))


def outcomes(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Outcome of each prediction: TP, TN, FP, FN or no class.

    Parameters
    ----------
    true, predicted : numpy.ndarray of int, shape (n_cells,)
        Class numbers; class 1 is positive, and true ones may be ``NO_CLASS``.

    Returns
    -------
    numpy.ndarray of str, shape (n_cells,)
        ``"TP"``, ``"TN"``, ``"FP"`` or ``"FN"``; ``"no class"`` where there is nothing to be
        right about.

    Examples
    --------
    >>> outcomes(np.array([1, 0, 0, 1]), np.array([1, 0, 1, 0])).tolist()
    ['TP', 'TN', 'FP', 'FN']
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    which = 2 * (true == predicted) + (predicted == POSITIVE)
    named = np.array(["FN", "FP", "TN", "TP", NO_OUTCOME], dtype=object)
    return named.take(np.where(true == NO_CLASS, 4, which))
