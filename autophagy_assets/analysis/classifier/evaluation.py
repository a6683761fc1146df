"""How well predictions fit: AUC, ROC and confusion matrix, as one table.

Here: the numbers and how to get at them. Not here: how they are drawn
(``evaluation_figures``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import auc, confusion_matrix, roc_curve

from autophagy_assets.analysis.classifier.predictions import POSITIVE
from autophagy_assets.analysis.identity import CLASS, MODEL, PREDICTED, SCORE, of_classes
from autophagy_assets.errors import InputError

AUC, ROC, CONFUSION = "auc", "roc", "confusion"
CLASSES = (0, 1)
COLUMNS = {
    MODEL: "str",
    "part": "str",
    "auc": "float64",
    "fpr": "float64",
    "tpr": "float64",
    "threshold": "float64",
    "true_class": "Int64",
    "predicted_class": "Int64",
    "count": "Int64",
    "fraction": "float64",
}


def evaluate(predictions: pd.DataFrame | Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare predicted with true classes.

    Parameters
    ----------
    predictions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Holds ``model``, ``class``, ``predicted_class`` and ``prob_class1``; or a table for each
        model, of which one is looked at after the other. Cells of conditions that are no class are
        left out.

    Returns
    -------
    pandas.DataFrame
        One table with three parts for each model, told apart by ``part``; cells of other parts
        are empty.
        ``auc``: one row. ``roc``: ``fpr``, ``tpr`` and ``threshold`` of each point, the first
        at an infinite threshold. ``confusion``: ``count`` of each pair of ``true_class`` and
        ``predicted_class`` and its ``fraction`` of the true class.

    Raises
    ------
    InputError
        If there are no cells.

    Notes
    -----
    Where fewer than two classes occur an ROC curve is not defined: the AUC is NaN, there are no ROC
    points, and the fractions of the absent class are NaN.
    """
    if not len(predictions):
        raise InputError("There are no predicted cells to evaluate; check the feature table.")
    if isinstance(predictions, Mapping):
        tables = predictions.items()
    else:
        tables = predictions.groupby(MODEL, sort=False)
    parts = [
        pd.DataFrame({MODEL: model, **part}).reindex(columns=list(COLUMNS)).astype(COLUMNS)
        for model, cells in tables
        for part in _parts(of_classes(cells))
    ]
    return pd.concat(parts, ignore_index=True)


def of_model(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rows of an evaluation for one model.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.
    """
    return table[table[MODEL] == model].reset_index(drop=True)


def models_of(table: pd.DataFrame) -> list[str]:
    """Models in an evaluation.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.

    Returns
    -------
    list of str
        In its order.
    """
    return [str(name) for name in table[MODEL].unique()]


def _parts(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Columns of each part of the table."""
    true, scores = cells[CLASS].to_numpy(), cells[SCORE].to_numpy()
    confusion = _confusion_part(true, cells[PREDICTED].to_numpy())
    if len(np.unique(true)) < 2:
        return [{"part": AUC, "auc": [np.nan]}, confusion]
    fpr, tpr, thresholds = roc_curve(true, scores, pos_label=POSITIVE)
    points = {"part": ROC, "fpr": fpr, "tpr": tpr, "threshold": thresholds}
    return [{"part": AUC, "auc": [auc(fpr, tpr)]}, points, confusion]


def _confusion_part(true: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    if len(true):  # scikit-learn refuses to count nothing
        counts = confusion_matrix(true, predicted, labels=list(CLASSES))
    totals = counts.sum(axis=1)
    pairs = [(t, p) for t in CLASSES for p in CLASSES]
    return {
        "part": CONFUSION,
        "true_class": [t for t, _ in pairs],
        "predicted_class": [p for _, p in pairs],
        "count": [counts[t, p] for t, p in pairs],
        "fraction": [counts[t, p] / totals[t] if totals[t] else np.nan for t, p in pairs],
    }


def is_evaluation(table: pd.DataFrame) -> bool:
    """Whether a table was returned by `evaluate`."""
    return list(table.columns) == list(COLUMNS)


def auc_of(table: pd.DataFrame) -> float:
    """Area under the ROC curve.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it, of one model.

    Returns
    -------
    float
        NaN where only one class occurs.
    """
    return float(table.loc[table["part"] == AUC, "auc"].to_numpy()[0])


def roc_of(table: pd.DataFrame) -> pd.DataFrame:
    """Points of the ROC curve.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.

    Returns
    -------
    pandas.DataFrame, shape (n_points, 3)
        ``fpr``, ``tpr``, ``threshold``.
    """
    points = table.loc[table["part"] == ROC, ["fpr", "tpr", "threshold"]]
    return points.reset_index(drop=True)


def confusion_of(table: pd.DataFrame, normalise: bool = False) -> pd.DataFrame:
    """Confusion matrix.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.
    normalise : bool
        Fractions of the true class instead of counts.

    Returns
    -------
    pandas.DataFrame, shape (2, 2)
        Rows are true, columns are predicted classes.
    """
    value = "fraction" if normalise else "count"
    part = table[table["part"] == CONFUSION]
    matrix = part.pivot(index="true_class", columns="predicted_class", values=value)
    matrix = matrix.astype("float64" if normalise else "int64")
    matrix.index, matrix.columns = matrix.index.astype("int64"), matrix.columns.astype("int64")
    return matrix.rename_axis(index="true_class", columns="predicted_class")
