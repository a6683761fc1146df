"""Panels of crops: grids of cells with labels, laid out as one figure.

Here: the layout that all galleries share. Not here: which cells (``galleries``). A crop, its
label and its row in the table come from one row of the panel's cells, so a score cannot move
to another cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from autophagy_assets.analysis.figures import (
    GREY,
    Picture,
    new_figure,
    panel_title,
    scale_bar,
    styled,
)
from autophagy_assets.analysis.galleries.crops import Paths, fetch_crops
from autophagy_assets.analysis.identity import IDENTITY, METADATA, SCORE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

PANEL, ROW, COLUMN, SHOWN_SCORE = "panel", "row", "column", "score"
CROP_MAP = "gray"
_GAP, _LABEL = 0.05, 0.17  # of a crop's side: between crops, and the line for a label
_PANEL_WIDTH, _WIDEST = 4.2, 20.0  # inches, of a panel and of a figure
_NARROWEST = 3.0  # inches; a panel's titles need that


@dataclass(frozen=True)
class Panel:
    """One grid of crops.

    Attributes
    ----------
    name : str
        Names the panel in the table.
    title : str
        Above the grid.
    cells : pandas.DataFrame
        The cells to show, in order, with ``prob_class1`` where scores are shown.
    wanted : int
        How many places the grid has.
    available : int
        How many cells there were to choose from.
    about : str
        Below the title.
    """

    name: str
    title: str
    cells: pd.DataFrame
    wanted: int
    available: int
    about: str = ""


@styled
def draw_panels(
    panels: Sequence[Panel],
    paths: Paths,
    study: Study,
    title: str,
    caption: str,
    pixel_um: float | None = None,
    across: int = 2,
) -> Picture:
    """Draw panels of the marker channel, row by row.

    Parameters
    ----------
    panels : sequence of Panel
        In reading order.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names the marker and its channel.
    title, caption : str
        Of the figure.
    pixel_um : float or None
        Size of a pixel in um.
    across : int
        Panels in a row.

    Returns
    -------
    Picture
        Its table has one row per crop: panel, row, column, identity, score, metadata.

    Raises
    ------
    InputError
        If no panel has a cell, or a crop cannot be found.
    """
    columns, _ = _grid(panels)
    shown = [_placed(panel, columns) for panel in panels]
    table = pd.concat([cells for cells in shown if len(cells)] or shown, ignore_index=True)
    if table.empty:
        raise InputError(f"There is no cell to show in {title!r}; check its tables for cells.")
    crops = fetch_crops(table, paths, study.marker_channel)
    labelled = bool(table[SHOWN_SCORE].notna().any())
    grid = _grid(panels)
    figure, axes = _axes(len(panels), across, grid, labelled)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=13)
    end = 0
    for ax, panel, cells in zip(axes, panels, shown, strict=False):
        start, end = end, end + len(cells)
        labels = [_score_label(score) for score in cells[SHOWN_SCORE]] if labelled else None
        cell_grid(ax, crops[start:end], grid, panel.title, _about(panel), labels, pixel_um)
    brightness_bar(figure, axes, study.marker_name)
    if labelled:
        score = f"its predicted probability of {study.classes[1]}"
        explanation = f"Above each crop: the cell's own score, {score}"
        figure.supxlabel(explanation, x=0.015, ha="left", fontsize=8)
    return Picture(figure, table, caption)


def cell_grid(
    ax: Axes,
    crops: np.ndarray,
    grid: tuple[int, int],
    title: str,
    about: str = "",
    labels: Sequence[str] | None = None,
    pixel_um: float | None = None,
) -> None:
    """Draw crops in a grid, left to right and top to bottom.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    crops : numpy.ndarray, shape (n, height, width)
        Values 0-1; n may be smaller than the grid, also 0.
    grid : (int, int)
        Columns and rows; places without a crop stay empty.
    title, about : str
        Above the grid.
    labels : sequence of str, optional
        One per crop, written above it.
    pixel_um : float or None
        Size of a pixel in um, for the scale bar in the last crop.
    """
    columns, rows = grid
    panel_title(ax, title, about)
    ax.set_axis_off()
    head = _LABEL if labels is not None else 0.0
    step_x, step_y = 1 + _GAP, 1 + head + _GAP
    for index, crop in enumerate(crops):
        left, top = (index % columns) * step_x, (index // columns) * step_y + head
        place = (left, left + 1, top + 1, top)
        ax.imshow(crop, cmap=CROP_MAP, vmin=0, vmax=1, extent=place, interpolation="nearest")
        if labels is not None:
            ax.text(left + 0.5, top - 0.03, labels[index], ha="center", va="bottom", fontsize=8)
        if index == len(crops) - 1:
            scale_bar(ax, pixel_um, crop.shape[1], (left + 1, top + 1), 1)
    width, height = columns * step_x - _GAP, rows * step_y - _GAP
    if not len(crops):
        ax.text(0, head + 0.5, "no cells", color=GREY)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="NW")


def brightness_bar(figure: Figure, axes: Sequence[Axes], name: str) -> None:
    """Draw the scale of the grey values below the crops.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
        The axes below which the key stands.
    name : str
        What the brightness shows.
    """
    scale = ScalarMappable(Normalize(0, 1), CROP_MAP)
    bar = figure.colorbar(
        scale, ax=list(axes), location="bottom", shrink=0.25, aspect=25, pad=0.02, anchor=(0, 0)
    )
    bar.set_ticks([0, 1], labels=["dark", "bright"])
    bar.set_label(f"{name}, scaled within each cell", fontsize=8)
    bar.ax.tick_params(labelsize=8, length=0)


def _placed(panel: Panel, columns: int) -> pd.DataFrame:
    """Cells of a panel with their place in it and their own score."""
    cells = panel.cells.reset_index(drop=True)
    index = np.arange(len(cells))
    table = cells[[*IDENTITY, *(name for name in METADATA if name in cells.columns)]].copy()
    table.insert(0, PANEL, panel.name)
    table.insert(1, ROW, index // columns)
    table.insert(2, COLUMN, index % columns)
    scores = cells[SCORE].astype(float) if SCORE in cells.columns else np.nan
    table.insert(5, SHOWN_SCORE, scores)
    return table


def _grid(panels: Sequence[Panel]) -> tuple[int, int]:
    """Columns and rows of all panels: square for the cells wanted, no empty rows at the end."""
    columns = math.ceil(math.sqrt(max(panel.wanted for panel in panels)))
    most = max(len(panel.cells) for panel in panels)
    return columns, math.ceil(most / columns)


def _axes(n: int, across: int, grid: tuple[int, int], labelled: bool) -> tuple[Figure, list[Axes]]:
    columns, rows = grid
    tall = rows * (1 + _GAP + (_LABEL if labelled else 0)) / (columns * (1 + _GAP))
    down = math.ceil(n / across)
    width = min(_PANEL_WIDTH, max(_NARROWEST, _WIDEST / across))
    figure = new_figure(
        across * width + 0.6,
        (1.2 if labelled else 0.8) + down * (width * tall + 0.4),
        wspace=0.05,
        w_pad=0.1,
    )
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for ax in axes[n:]:
        ax.set_axis_off()
    return figure, axes


def _about(panel: Panel) -> str:
    n = len(panel.cells)
    few = f"only {n} of the {panel.wanted} wanted" if n < panel.wanted else f"{n} shown"
    return f"{panel.about}{'; ' if panel.about else ''}n = {panel.available} cells, {few}"


def _score_label(score: float) -> str:
    return "" if math.isnan(score) else f"{score:.2f}"
