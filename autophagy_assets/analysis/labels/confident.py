"""Confident learning: which labels are suspect by out-of-fold scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from autophagy_assets.errors import InputError


def label_quality(classes: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Score of each cell for the class of its label.

    Parameters
    ----------
    classes : array-like of int, shape (n_cells,)
        0 or 1, as labelled.
    scores : array-like of float, shape (n_cells,)
        Of class 1, by models that had not seen the cell.

    Returns
    -------
    numpy.ndarray of float, shape (n_cells,)
        Between 0 (the model is sure of the other class) and 1.
    """
    given = np.asarray(scores, dtype=float)
    return np.where(np.asarray(classes) == 1, given, 1 - given)


def suspected(classes: ArrayLike, scores: ArrayLike, folds: ArrayLike) -> np.ndarray:
    """Mark suspect labels.

    Parameters
    ----------
    classes : array-like of int, shape (n_cells,)
        0 or 1, as labelled.
    scores : array-like of float, shape (n_cells,)
        Of class 1, by models that had not seen the cell.
    folds : array-like, shape (n_cells,)
        What was left out of the model that scored the cell.

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
        The same for each cell whatever their order.

    Raises
    ------
    InputError
        If a class is absent.

    Notes
    -----
    Confident learning [1]_, by cleanlab. A cell counts as one of a class if its score of it is at
    least the mean score that cells labelled so have of it. Suspect is what counts as the class that
    it is not labelled with, and has the higher score of it. As limits are means of each class,
    scores need not be calibrated. (To make the number of suspects that of all wrong labels, as
    cleanlab does by default, finds a few more of them and more right ones with them: classes of
    cells overlap.)

    Folds are looked at one by one, as their scores come from different models: those of one clone
    may all be higher than those of another, and then the clone would be suspect and not its cells.
    Only a fold of a single class is held against the cells of all.

    References
    ----------
    .. [1] Northcutt, Jiang & Chuang (2021), Confident learning, Journal of Artificial Intelligence
       Research 70, 1373-1411.
    """
    labels, given = np.asarray(classes, dtype=int), np.asarray(scores, dtype=float)
    if len(np.unique(labels)) < 2:
        raise InputError(
            f"Labels of {len(labels)} cells of one class cannot be audited; both are needed."
        )
    number = np.unique(np.asarray(folds, dtype=str), return_inverse=True)[1]
    found = np.zeros(len(labels), dtype=bool)
    for fold in np.unique(number):
        own = number == fold
        against = own if len(np.unique(labels[own])) == 2 else np.ones(len(labels), dtype=bool)
        found[own] = _suspected(labels[against], given[against])[own[against]]
    return found


def _suspected(classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    from cleanlab.filter import find_label_issues  # takes 0.3 s, and few steps need it

    both = np.column_stack([1 - scores, scores])
    return find_label_issues(classes, both, filter_by="confident_learning", n_jobs=1)
