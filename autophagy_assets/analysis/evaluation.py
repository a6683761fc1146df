"""How well predictions fit: AUC, ROC and confusion matrix, as a table and as figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.metrics import auc, confusion_matrix, roc_curve

from autophagy_assets.analysis.classification import POSITIVE
from autophagy_assets.analysis.figures import BLUE, GREY, ORANGE, Picture, new_figure, styled
from autophagy_assets.analysis.identity import CLASS, PREDICTED, SCORE
from autophagy_assets.errors import InputError
from autophagy_assets.study import Study

AUC, ROC, CONFUSION = "auc", "roc", "confusion"
CLASSES = (0, 1)
COLUMNS = {
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


def evaluate(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compare predicted with true classes.

    Parameters
    ----------
    predictions : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``class``, ``predicted_class`` and ``prob_class1``.

    Returns
    -------
    pandas.DataFrame
        One table with three parts, told apart by ``part``; cells of other parts are empty.
        ``auc``: one row. ``roc``: ``fpr``, ``tpr`` and ``threshold`` of each point, the first
        at an infinite threshold. ``confusion``: ``count`` of each pair of ``true_class`` and
        ``predicted_class`` and its ``fraction`` of the true class.

    Raises
    ------
    InputError
        If there are no cells.

    Notes
    -----
    Where only one class occurs an ROC curve is not defined: the AUC is NaN, there are no ROC
    points, and the fractions of the absent class are NaN.
    """
    if predictions.empty:
        raise InputError("There are no predicted cells to evaluate; check the feature table.")
    true = predictions[CLASS].to_numpy()
    parts = [*_roc_parts(true, predictions[SCORE].to_numpy())]
    parts.append(_confusion_part(true, predictions[PREDICTED].to_numpy()))
    table = pd.DataFrame([row for part in parts for row in part], columns=list(COLUMNS))
    return table.astype(COLUMNS)


def _roc_parts(true: np.ndarray, scores: np.ndarray) -> tuple[list[dict], list[dict]]:
    if len(np.unique(true)) < 2:
        return [{"part": AUC, "auc": np.nan}], []
    fpr, tpr, thresholds = roc_curve(true, scores, pos_label=POSITIVE)
    points = [
        {"part": ROC, "fpr": x, "tpr": y, "threshold": at}
        for x, y, at in zip(fpr, tpr, thresholds, strict=True)
    ]
    return [{"part": AUC, "auc": auc(fpr, tpr)}], points


def _confusion_part(true: np.ndarray, predicted: np.ndarray) -> list[dict]:
    counts = confusion_matrix(true, predicted, labels=list(CLASSES))
    totals = counts.sum(axis=1)
    return [
        {
            "part": CONFUSION,
            "true_class": t,
            "predicted_class": p,
            "count": counts[t, p],
            "fraction": counts[t, p] / totals[t] if totals[t] else np.nan,
        }
        for t in CLASSES
        for p in CLASSES
    ]


def auc_of(table: pd.DataFrame) -> float:
    """Area under the ROC curve.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.

    Returns
    -------
    float
        NaN where only one class occurs.
    """
    return float(table.loc[table["part"] == AUC, "auc"].iloc[0])


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


@styled
def evaluation_picture(table: pd.DataFrame, study: Study, title: str) -> Picture:
    """Draw ROC curve and confusion matrix side by side.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.
    study : Study
        Names the classes.
    title : str
        Whose cells these are.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    figure = new_figure(9, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    _draw_roc(left, table, study)
    _draw_confusion(right, table, study)
    caption = (
        f"Left: of all {study.classes[1]} cells, the share found (y) against the share of "
        f"{study.classes[0]} cells wrongly called {study.classes[1]} (x) as the threshold on the "
        f"score moves; the dashed line is guessing. Area under the curve {_told_auc(table)}. "
        f"Right: {_told_confusion(table, study)}"
    )
    return Picture(figure, table, caption)


@styled
def confusion_picture(table: pd.DataFrame, study: Study, title: str) -> Picture:
    """Draw a confusion matrix.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it.
    study : Study
        Names the classes.
    title : str
        Whose cells these are.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    figure = new_figure(5, 4.2)
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold", fontsize=12)
    _draw_confusion(figure.subplots(), table, study)
    caption = f"{_told_confusion(table, study)} Area under the ROC curve {_told_auc(table)}."
    return Picture(figure, table, caption)


def _draw_roc(ax: Axes, table: pd.DataFrame, study: Study) -> None:
    points, matrix = roc_of(table), confusion_of(table, normalise=True)
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="guessing (AUC = 0.50)")
    if len(points):
        ax.plot(points["fpr"], points["tpr"], color=BLUE, lw=2, label=f"AUC = {auc_of(table):.2f}")
        at = (matrix.loc[0, 1], matrix.loc[1, 1])
        ax.plot(*at, "o", color=ORANGE, ms=8, mec="white", label="threshold of the matrix")
    else:
        ax.text(0.5, 0.6, "only one class: no ROC curve", ha="center", color=GREY)
    n0, n1 = confusion_of(table).sum(axis=1)
    ax.set(
        xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title="ROC curve",
        xlabel=f"False positive rate (of {n0} {study.classes[0]} cells)",
        ylabel=f"True positive rate (of {n1} {study.classes[1]} cells)",
    )  # fmt: skip
    ax.legend(loc="lower right", fontsize=8)


def _draw_confusion(ax: Axes, table: pd.DataFrame, study: Study) -> None:
    counts, fractions = confusion_of(table), confusion_of(table, normalise=True)
    ax.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for t in CLASSES:
        for p in CLASSES:
            fraction = fractions.loc[t, p]
            share = "no cells" if np.isnan(fraction) else f"{100 * fraction:.0f} %"
            colour = "white" if fraction > 0.55 else "black"
            ax.text(p, t - 0.08, share, ha="center", va="center", color=colour, fontsize=16)
            told = f"{counts.loc[t, p]} cells"
            ax.text(p, t + 0.17, told, ha="center", va="center", color=colour)
    labels = [study.classes[number] for number in CLASSES]
    totals = counts.sum(axis=1)
    rows = [f"{label}\n(n = {totals[t]})" for t, label in zip(CLASSES, labels, strict=True)]
    ax.set_xticks(CLASSES, labels)
    ax.set_yticks(CLASSES, rows, rotation=90, va="center", ha="center")
    ax.tick_params(length=0, pad=6)
    ax.tick_params(axis="y", pad=14)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="Predicted class", ylabel="True class", title="Confusion matrix, % of true class")


def _told_auc(table: pd.DataFrame) -> str:
    value = auc_of(table)
    total = int(confusion_of(table).to_numpy().sum())
    return "not defined (only one class)" if np.isnan(value) else f"{value:.2f} (n = {total} cells)"


def _told_confusion(table: pd.DataFrame, study: Study) -> str:
    counts = confusion_of(table)
    told = [
        f"{counts.loc[t, t]} of {counts.loc[t].sum()} {study.classes[t]} cells called "
        f"{study.classes[t]}"
        for t in CLASSES
        if counts.loc[t].sum()
    ]
    return f"{' and '.join(told)}; the darker a field, the larger its share of the true class."
