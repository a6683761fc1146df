"""Figures of how well predictions fit: ROC curve and confusion matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.classifier.evaluation import (
    CLASSES,
    auc_of,
    confusion_of,
    models_of,
    of_model,
    roc_of,
)
from autophagy_assets.analysis.figures import BLUE, GREY, ORANGE, Picture, new_figure, styled
from autophagy_assets.config.study import Study


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
        f"score moves; the dashed line is guessing. Area under the curve {_auc_text(table)}. "
        f"Right: {_confusion_text(table, study)}; the darker a field, the larger its share of the "
        "true class."
    )
    return Picture(figure, table, caption, _numbers(table))


@styled
def confusion_pictures(table: pd.DataFrame, study: Study, title: str) -> Picture:
    """Draw the confusion matrix of each model side by side, the primary one first.

    Parameters
    ----------
    table : pandas.DataFrame
        As `evaluate` gives it, of one or more models.
    study : Study
        Names the classes and the primary model.
    title : str
        Whose cells these are.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    names = sorted(models_of(table), key=lambda name: name != study.primary)
    shown = {name: of_model(table, name) for name in names}
    figure = new_figure(0.6 + 4.4 * len(shown), 4.6)
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold", fontsize=12)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    captions, numbers = [], dict[str, float]()
    for ax, (name, part) in zip(axes, shown.items(), strict=True):
        _draw_confusion(ax, part, study)
        ax.set_title(f"{name}: % of true class")
        captions.append(f"{name}: {_confusion_text(part, study)}; AUC {_auc_text(part)}.")
        numbers |= {f"{name}: {what}": value for what, value in _numbers(part).items()}
    caption = f"{' '.join(captions)} The darker a field, the larger its share of the true class."
    return Picture(figure, table, caption, numbers)


def _draw_roc(ax: Axes, table: pd.DataFrame, study: Study) -> None:
    points, fractions = roc_of(table), confusion_of(table, normalise=True).to_numpy()
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="guessing (AUC = 0.50)")
    if len(points):
        ax.plot(points["fpr"], points["tpr"], color=BLUE, lw=2, label=f"AUC = {auc_of(table):.2f}")
        ax.plot(
            *fractions[:, 1],
            "o",
            color=ORANGE,
            ms=8,
            mec="white",
            label="threshold of the matrix",
        )
    else:
        ax.text(0.32, 0.75, "only one class: no ROC curve", ha="center", color=GREY)
    n0, n1 = confusion_of(table).sum(axis=1)
    ax.set(
        xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title="ROC curve",
        xlabel=f"False positive rate (of {n0} {study.classes[0]} cells)",
        ylabel=f"True positive rate (of {n1} {study.classes[1]} cells)",
    )  # fmt: skip
    ax.legend(loc="lower right", fontsize=8)


def _draw_confusion(ax: Axes, table: pd.DataFrame, study: Study) -> None:
    counts = confusion_of(table).to_numpy()
    fractions = confusion_of(table, normalise=True).to_numpy()
    ax.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for t in CLASSES:
        for p in CLASSES:
            fraction = fractions[t, p]
            if np.isnan(fraction):
                ax.text(p, t, "no cells", ha="center", va="center", color=GREY)
                continue
            share = f"{100 * fraction:.0f} %"
            colour = "white" if fraction > 0.55 else "black"
            ax.text(p, t - 0.08, share, ha="center", va="center", color=colour, fontsize=16)
            count = f"{counts[t, p]} cells"
            ax.text(p, t + 0.17, count, ha="center", va="center", color=colour)
    labels = [study.classes[number] for number in CLASSES]
    totals = counts.sum(axis=1)
    rows = [f"{label}\n(n = {totals[t]})" for t, label in zip(CLASSES, labels, strict=True)]
    ax.set_xticks(CLASSES, labels)
    ax.set_yticks(CLASSES, rows, rotation=90, va="center", ha="center")
    ax.tick_params(length=0, pad=6)
    ax.tick_params(axis="y", pad=14)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="Predicted class", ylabel="True class", title="Confusion matrix, % of true class")


def _numbers(table: pd.DataFrame) -> dict[str, float]:
    """AUC, cells, and the share of each class that was called right."""
    counts = confusion_of(table).to_numpy()
    with np.errstate(invalid="ignore"):  # a class without cells has no share
        right = counts.diagonal() / counts.sum(axis=1)
    return {
        "auc": float(auc_of(table)),
        "cells": float(counts.sum()),
        "called right, class 0": float(right[0]),
        "called right, class 1": float(right[1]),
    }


def _auc_text(table: pd.DataFrame) -> str:
    value = auc_of(table)
    total = int(confusion_of(table).to_numpy().sum())
    return "not defined (only one class)" if np.isnan(value) else f"{value:.2f} (n = {total} cells)"


def _confusion_text(table: pd.DataFrame, study: Study) -> str:
    counts = confusion_of(table).to_numpy()
    shares = [
        f"{counts[t, t]} of {counts[t].sum()} {study.classes[t]} cells called {study.classes[t]}"
        for t in CLASSES
        if counts[t].sum()
    ]
    return " and ".join(shares)
