"""Figure of response curves: a panel by genotype, a line by clone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.effects.curve import PLACE
from autophagy_assets.analysis.effects.responses import CLONE, FIELD
from autophagy_assets.analysis.figures import (
    BLUE,
    GREY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.config.study import Study

_MARKERS = "os^DvPX*"
_ACROSS = 3
_BESIDE = 0.12  # fields of view stand so far beside their clone; 1 is from place to place
_ROW = 0.075  # height of a line of a legend, as a share of cells


@styled
def curve_picture(
    table: pd.DataFrame, threshold: float, study: Study, most_knockouts: int = 6
) -> Picture:
    """Draw the positive share of every clone along the stimulations of the study.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``response_curve`` gives it.
    threshold : float
        Above it a cell is positive.
    study : Study
        Names the control and orders the stimulations.
    most_knockouts : int
        At most so many knockouts are drawn, the first by name; the caption says so.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    knockouts = sorted(set(table["genotype"]) - {study.control})
    shown = [study.control, *knockouts[:most_knockouts]]
    places = sorted(table.loc[table["genotype"].isin(shown), PLACE].unique())
    labels = [study.stimulations[place] for place in places]
    across = min(_ACROSS, len(shown))
    down = math.ceil(len(shown) / across)
    width = max(3.2, 1.2 + 0.75 * len(places))
    figure = new_figure(max(5.5, across * width), 0.7 + 3.4 * down, w_pad=0.1, h_pad=0.08)
    axes = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    figure.suptitle(
        f"Share of positive cells ({study.marker_name}) in each clone, by stimulation",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    figure.supxlabel(
        "Large: a clone; small, beside it: its fields of view", x=0.01, ha="left", fontsize=8
    )
    control = table[table["genotype"] == study.control]
    for ax, genotype in zip(axes, shown, strict=False):
        rows = table[table["genotype"] == genotype]
        if genotype != study.control:
            _draw_reference(ax, control, places, study.control)
        _draw_clones(ax, rows, places, BLUE if genotype == study.control else VERMILLION)
        _name_axes(ax, labels)
        clones = rows[rows["level"] == CLONE]
        n = clones["clone"].nunique()
        about = f"n = {n} {'clone' if n == 1 else 'clones'}, {int(clones['n_cells'].sum())} cells"
        panel_title(ax, genotype, about)
    for ax in axes[::across]:
        ax.set_ylabel("Positive share of cells")
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    return Picture(figure, table, _caption(study, threshold, len(knockouts), most_knockouts))


def _draw_clones(ax: Axes, rows: pd.DataFrame, places: list[int], colour: str) -> None:
    for number, (clone, of_clone) in enumerate(rows.groupby("clone", sort=True)):
        marker = _MARKERS[number % len(_MARKERS)]
        line = of_clone[of_clone["level"] == CLONE].set_index(PLACE)["value"]
        fields = of_clone[of_clone["level"] == FIELD]
        # A line goes on over a place that the clone lacks, and its marker is missing there.
        ax.plot(
            [places.index(place) for place in line.index], line, color=colour, lw=1.5, alpha=0.8,
            marker=marker, ms=9, mec="white", label=str(clone),
        )  # fmt: skip
        at = np.array([places.index(place) for place in fields[PLACE]])
        ax.plot(at + _BESIDE, fields["value"], marker, color=colour, ms=4, alpha=0.6, mec="none")
    ax.legend(fontsize=7, loc="upper left", borderaxespad=0)


def _draw_reference(ax: Axes, control: pd.DataFrame, places: list[int], name: str) -> None:
    means = control[control["level"] == CLONE].groupby(PLACE)["value"].mean()
    at = [places.index(place) for place in means.index]
    ax.plot(at, means, "--", color=GREY, lw=1.2, label=f"{name}, mean of its clones")


def _name_axes(ax: Axes, labels: list[str]) -> None:
    ax.set_xticks(range(len(labels)), labels)
    if len(labels) > 2:
        for label in ax.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
    entries = len(ax.get_legend_handles_labels()[1])
    # Room above all shares for the names of the clones; axes that share y keep the highest.
    top = max(ax.get_ylim()[1], 1.06 + _ROW * entries)
    ax.set(xlim=(-0.4, len(labels) - 0.6), ylim=(-0.03, top), yticks=np.linspace(0, 1, 6))


def _caption(study: Study, threshold: float, knockouts: int, most: int) -> str:
    shown = "" if knockouts <= most else f" Of {knockouts} knockouts the first {most} are drawn."
    ordered = (
        "Stimulations stand in the order of the study file; how far they are from each other on "
        f"the axis means nothing. No model was trained on others than {study.classes[0]} and "
        f"{study.classes[1]}; {study.control} cells of the others are scored by the stored model, "
        "which has seen other cells of their clones."
        if len(study.stimulations) > len(study.classes)
        else "The study has no stimulations but its two classes; others would be listed as "
        "conditions of the study file."
    )
    return (
        f"Share of cells that model {study.primary} calls positive (probability of "
        f"{study.classes[1]} above {threshold:.2f}); large: a clone, with a line from one "
        f"stimulation to the next; small: its fields of view. {study.control} cells that are "
        f"{study.classes[0]} or {study.classes[1]} are scored by models that had not seen their "
        "clone; where that is not possible their field of view, or else the cell itself. "
        f"{ordered}{shown}"
    )
