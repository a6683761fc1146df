"""Shortcut card: every negative control of a model beside the model itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.evidence.controls import cautions, staining_differs
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.evidence.shortcuts import UNUSED
from autophagy_assets.analysis.figures import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.config.study import Study


@styled
def controls_picture(controls: pd.DataFrame, model: str, study: Study) -> Picture:
    """Draw the shortcut card: a row by negative control and scheme.

    Parameters
    ----------
    controls : pandas.DataFrame
        As `negative_controls` gives it.
    study : Study
        Names the control and the classes.

    Returns
    -------
    Picture
        Its table holds the rows of the model.
    """
    table = controls[controls[MODEL] == model].reset_index(drop=True)
    drawn = table[table[SCHEME] != ""]
    refused = table[table[SCHEME] == ""]
    flagged = int(drawn["flagged"].sum())
    figure = new_figure(10.5, 2.1 + 0.34 * max(1, len(drawn)) + 0.25 * len(refused))
    ax = figure.subplots()
    figure.suptitle(
        f"Shortcut card of model {model}: {flagged} of {len(drawn)} flagged",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    _draw_rows(ax, drawn)
    panel_title(
        ax, f"What else tells {study.classes[0]} and {study.classes[1]} {study.control} apart",
        "dot: the control; bar: range of permutations; line: the model on the same cells left out",
    )  # fmt: skip
    if len(refused):
        said = [f"{row['control']}: not possible" for _, row in refused.iterrows()]
        figure.supxlabel("; ".join(said), x=0.01, ha="left", fontsize=8, color=GREY)
    none = "By the strictest folds of each, none is flagged."
    caption = (
        f"Negative controls of model {model} on the folds of its cross-validation. "
        + (" ".join(cautions(table)) or (none if len(drawn) else "None could be measured."))
        + " A control without the biology is flagged if it has at least four fifths of what the "
        "model has above guessing; the swapped background, if the model keeps less than that."
    )
    caption = " ".join([caption, *dict.fromkeys(refused["sentence"])])
    numbers = {f"{row['control']}, {row[SCHEME]}": float(row["auc"]) for _, row in drawn.iterrows()}
    return Picture(figure, table, caption, numbers)


def _draw_rows(ax: Axes, drawn: pd.DataFrame) -> None:
    at = np.arange(len(drawn))
    differs = staining_differs(drawn)
    for y, (_, row), differ in zip(at, drawn.iterrows(), differs, strict=True):
        colour = VERMILLION if row["flagged"] else BLUE
        if not np.isnan(row["low"]):
            ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=5, alpha=0.3)
        ax.plot([row["reference"]] * 2, [y - 0.32, y + 0.32], color=INK, lw=2)
        ax.plot(row["auc"], y, "o", color=colour, ms=8, mec="white")
        words = "flagged" if row["flagged"] else "not flagged"
        if differ:
            unused = ", not used by the model" if UNUSED in row["sentence"] else ""
            words = f"staining differs{unused}"
        ax.annotate(
            f"{row['auc']:.2f} against {row['reference']:.2f}, {words}", (1, y), (12, 0),
            xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center", fontsize=8,
            color=colour if row["flagged"] else INK,
            fontweight="bold" if row["flagged"] else "normal",
        )  # fmt: skip
    ax.axvline(0.5, color=GREY, ls="--", lw=1)
    ax.text(0.5, -0.62, " guessing", color=GREY, fontsize=8, ha="left", va="bottom")
    units = [
        "patches" if "background" in c and "swapped" not in c else "cells" for c in drawn["control"]
    ]
    labels = [
        f"{control}, {scheme} (n = {n} {unit})"
        for control, scheme, n, unit in zip(
            drawn["control"], drawn[SCHEME], drawn["n_cells"], units, strict=True
        )
    ]
    ax.set_yticks(at, labels)
    ax.tick_params(axis="y", length=0)
    lowest = min([0.4, *drawn["auc"], *drawn["low"].dropna()], default=0.4)
    ax.set(xlim=(max(0, lowest - 0.05), 1.02), xlabel="Area under the ROC curve (AUC)")
    ax.set_ylim(max(len(drawn), 1) - 0.4, -1)
