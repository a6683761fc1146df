"""The figure of a map of cells: by genotype, stimulation, clone and score, and as crops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autophagy_assets.analysis.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.analysis.galleries.cell_map import ACROSS, SHOWN, UP
from autophagy_assets.analysis.galleries.crops import Paths, fetch_crops
from autophagy_assets.analysis.galleries.panels import CROP_MAP
from autophagy_assets.analysis.identity import IDENTITY, METADATA, MODEL, SCORE
from autophagy_assets.config.study import Study

_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, INK)
_CLONE = "genotype and clone"
_FLAT = 1e-9  # no component is that narrow but by rounding
_MANY = 5_000  # cells; points of more of them get smaller
_CROP = 0.09  # side of a crop, of the width of the map
_KEYS: dict[str, Any] = {"fontsize": 7, "title_fontsize": 7, "handletextpad": 0.2}
_HALF = 62  # letters of an entry that leave room for another one beside it


@styled
def cell_map_picture(
    table: pd.DataFrame,
    shares: tuple[float, float],
    by_what: str,
    paths: Paths,
    study: Study,
    available: int,
) -> Picture:
    """Draw a map of cells five times: in four colourings, and with crops.

    Parameters
    ----------
    table : pandas.DataFrame
        As `cell_map` gives it, of one model.
    shares : (float, float)
        As `cell_map` gives it.
    by_what : str
        What the cells are placed by, such as "12 features".
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names classes and marker.
    available : int
        How many cells there are, of which those of `table` may be a draw.

    Returns
    -------
    Picture
        Its table has a row per cell.
    """
    model = table[MODEL].iloc[0]
    figure = new_figure(14.5, 7.6)
    title = f"What model {model} sees in {len(table):,} cells"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    left, right = figure.subfigures(1, 2, squeeze=False)[0]
    axes = left.subplots(2, 2, sharex=True, sharey=True).ravel()
    clones = table["genotype"].astype(str) + ", " + table["clone"].astype(str)
    by_class = sorted(table["stimulation"].unique(), key=study.stimulations.index)
    control_first = sorted(table["genotype"].unique(), key=lambda g: (g != study.control, g))
    for ax, name, labels, order in (
        (axes[0], "Genotype", table["genotype"], control_first),
        (axes[1], "Stimulation", table["stimulation"], by_class),
        (axes[2], _CLONE.capitalize(), clones, sorted(clones.unique())),
    ):
        _draw_labels(ax, table, name, labels.to_numpy(), order)
    # Below what they are of, as there are points everywhere in a panel. Names of clones are long.
    for ax in axes[:2]:
        ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=2, **_KEYS)
    handles, named = axes[2].get_legend_handles_labels()
    columns = 2 if max(map(len, named)) <= _HALF else 1
    left.legend(handles, named, loc="outside lower left", ncols=columns, title=_CLONE.capitalize(),
                alignment="left", **_KEYS)  # fmt: skip
    _draw_scores(left, axes[3], table, study)
    for number, ax in enumerate(axes):
        _label(ax, shares, across=number > 1, up=number % 2 == 0)
    _draw_crops(right.subplots(), table, shares, paths, study)
    caption = (
        f"Each point is a cell (n = {len(table):,}), placed by {by_what}, each scaled to unit "
        f"variance: the first two principal components, which hold {shares[0]:.0%} and "
        f"{shares[1]:.0%} of the variance and have no unit. Cells that lie near each other look "
        f"alike to model {model}. Colours: genotype, stimulation, clone, and the probability of "
        f"being {study.classes[1]}, of cells of the control by models that had not seen them. The "
        f"stored model, which places the cells, was trained on cells of {study.control}, so "
        f"classes may lie further apart there than among new cells. Right: {study.marker_name} in "
        f"{int(table[SHOWN].sum())} of the cells, each where it lies, scaled by itself."
    )
    if available > len(table):
        caption += (
            f" The cells are drawn at random (seed {study.galleries.random_state}) from "
            f"{available:,}, of each genotype, clone and stimulation in proportion."
        )
    kept = [*IDENTITY, *METADATA, MODEL, SCORE, ACROSS, UP, SHOWN]
    numbers = {"cells": float(len(table)), "variance shown": float(sum(shares))}
    return Picture(figure, table[kept], caption, numbers)


def _draw_labels(
    ax: Axes, table: pd.DataFrame, name: str, labels: np.ndarray, order: list[str]
) -> None:
    """Cells coloured by a label; of many labels, the last ones share a colour."""
    named = order if len(order) <= len(_COLOURS) else order[: len(_COLOURS) - 1]
    colours = dict(zip(named, _COLOURS, strict=False))
    # In one cloud and in mixed order, so that no label lies on top of the others.
    mixed = np.random.default_rng(0).permutation(len(table))
    points = [colours.get(label, GREY) for label in labels[mixed]]
    size = _size(table, 7)
    ax.scatter(table[ACROSS].iloc[mixed], table[UP].iloc[mixed], s=size, c=points, lw=0, alpha=0.8)
    for label, colour in colours.items():
        ax.scatter([], [], s=20, c=colour, label=f"{label} ({int((labels == label).sum()):,})")
    if rest := len(order) - len(named):
        others = int((~np.isin(labels, named)).sum())
        ax.scatter([], [], s=20, c=GREY, label=f"{rest} others ({others:,})")
    panel_title(ax, name, "number of cells in brackets")


def _draw_scores(figure: Figure, ax: Axes, table: pd.DataFrame, study: Study) -> None:
    mixed = np.random.default_rng(0).permutation(len(table))
    drawn = ax.scatter(
        table[ACROSS].iloc[mixed], table[UP].iloc[mixed], s=_size(table, 7), lw=0, vmin=0, vmax=1,
        c=table[SCORE].iloc[mixed], cmap="cividis",
    )  # fmt: skip
    panel_title(ax, "Score", f"probability of being {study.classes[1]}")
    figure.colorbar(drawn, ax=ax, shrink=0.8, pad=0.02)


def _draw_crops(
    ax: Axes, table: pd.DataFrame, shares: tuple[float, float], paths: Paths, study: Study
) -> None:
    ax.scatter(table[ACROSS], table[UP], s=_size(table, 4), c=GREY, lw=0, alpha=0.4)
    shown = table[table[SHOWN]]
    crops = fetch_crops(shown, paths, study.marker_channel)
    spans = [float(np.ptp(table[axis])) for axis in (ACROSS, UP)]
    width, height = (span if span > _FLAT else 1.0 for span in spans)
    half = _CROP / 2 * width, _CROP / 2 * height
    for crop, x, y in zip(crops, shown[ACROSS], shown[UP], strict=True):
        box = (x - half[0], x + half[0], y - half[1], y + half[1])
        ax.imshow(crop, cmap=CROP_MAP, extent=box, aspect="auto", vmin=0, vmax=1, zorder=2)
    ax.set_xlim(table[ACROSS].min() - half[0], table[ACROSS].max() + half[0])
    ax.set_ylim(table[UP].min() - half[1], table[UP].max() + half[1])
    panel_title(ax, f"{study.marker_name} in cells", "each crop in its cell's place")
    _label(ax, shares)


def _size(table: pd.DataFrame, most: float) -> float:
    """Area of a point; with very many cells it is smaller, so that they do not hide each other."""
    return most * min(1.0, (_MANY / len(table)) ** 0.5)


def _label(ax: Axes, shares: tuple[float, float], across: bool = True, up: bool = True) -> None:
    if across:
        ax.set_xlabel(f"component 1 ({shares[0]:.0%} of the variance)")
    if up:
        ax.set_ylabel(f"component 2 ({shares[1]:.0%})")
