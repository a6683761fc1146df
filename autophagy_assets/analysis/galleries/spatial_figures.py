"""The figure of one cell beside its place in the field of view."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from autophagy_assets.analysis.figures import (
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    scale_bar,
    styled,
)
from autophagy_assets.analysis.galleries.crops import channel_names, fetch_all_channels
from autophagy_assets.analysis.galleries.spatial import FieldWindow, read_field
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY, METADATA, SCORE
from autophagy_assets.config.study import Study

_COLOURS = {"nucleus": SKY, "cytosol": ORANGE}
_BRIGHTEST = 99.8  # percentile shown white, so that one hot pixel does not darken the field


@styled
def spatial_context(
    cell: pd.DataFrame,
    h5sc: str | os.PathLike[str],
    store: str | os.PathLike[str],
    study: Study,
    pixel_um: float | None = None,
) -> Picture:
    """Draw one cell's crops in all channels beside its place in the field.

    Parameters
    ----------
    cell : pandas.DataFrame, shape (1, n_columns)
        Identity of the cell, with metadata where known (see `choice.choose_context_cell`).
    h5sc : path-like
        Single-cell images of the cell's dataset.
    store : path-like
        SpatialData zarr store of the same field of view.
    study : Study
        Names channels and marker and says how wide the window is.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    Picture
        Its table has one row: identity, metadata, place in the field in px, score if known.
    """
    dataset, cell_id = str(cell[DATASET].iloc[0]), int(cell[CELL_ID].iloc[0])
    crops = fetch_all_channels(cell, {dataset: h5sc})[0]
    field = read_field(store, cell_id, study.marker_channel, study.galleries.context_px)
    figure = new_figure(11, 5.2)
    figure.suptitle(_title(cell, study), x=0.01, ha="left", fontweight="bold", fontsize=13)
    parts: Any = figure.subfigures(1, 3, width_ratios=[1, 1.25, 1.25])
    left, middle, right = parts
    down = max(3, math.ceil(len(crops) / 2))
    _draw_crops(left.subplots(down, 2).T.flat, crops, channel_names(h5sc), study, pixel_um)
    _draw_window(middle.subplots(), field, cell_id, study, pixel_um)
    _draw_overview(right.subplots(), field, study, pixel_um)
    return Picture(figure, _table(cell, field), _caption(cell, study))


def _draw_crops(axes, crops: np.ndarray, names: list[str], study: Study, pixel_um) -> None:
    axes = list(axes)
    for ax, crop, name in zip(axes, crops, names, strict=False):
        ax.imshow(crop, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(_channel_title(name, study), fontsize=8, fontweight="normal")
    height, width = crops.shape[1:]
    scale_bar(axes[0], pixel_um, width, (width - 0.5, height - 0.5), width)
    for ax in axes:
        ax.set_axis_off()


def _draw_window(ax: Axes, field: FieldWindow, cell_id: int, study: Study, pixel_um) -> None:
    ax.imshow(field.window, cmap="gray", vmax=_white(field), vmin=0, interpolation="nearest")
    for name, mask in field.masks.items():
        for other in np.unique(mask[mask > 0]):
            own = other == cell_id
            ax.contour(
                *_part_around(mask == other), [0.5], colors=_COLOURS[name],
                linewidths=2.2 if own else 0.8, alpha=1 if own else 0.75,
            )  # fmt: skip
    row, column = field.centre[0] - field.corner[0], field.centre[1] - field.corner[1]
    ax.plot(column, row, "o", color=VERMILLION, ms=9, mec="white", mew=1.5)
    height, width = field.window.shape
    scale_bar(ax, pixel_um, width, (width - 0.5, height - 0.5), width)
    ax.set_axis_off()
    panel_title(ax, "Around the cell", f"{study.marker_name}; thick outlines: this cell")
    keys = [Line2D([], [], color=colour, lw=2, label=name) for name, colour in _COLOURS.items()]
    keys.append(Line2D([], [], color=VERMILLION, marker="o", ls="", label="this cell"))
    ax.legend(handles=keys, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, fontsize=8)


def _part_around(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, rows and pixels of the part that holds a shape and a rim; its outline is there."""
    rows, columns = (
        np.arange(max(where.min() - 1, 0), min(where.max() + 2, size))
        for where, size in zip(np.nonzero(shape), shape.shape, strict=True)
    )
    return columns, rows, shape[np.ix_(rows, columns)]


def _draw_overview(ax: Axes, field: FieldWindow, study: Study, pixel_um) -> None:
    rows, columns = field.shape
    ax.imshow(field.overview, cmap="gray", vmin=0, vmax=_white(field), extent=(0, columns, rows, 0))
    (top, left), (height, width) = field.corner, field.window.shape
    ax.add_patch(Rectangle((left, top), width, height, fill=False, ec=VERMILLION, lw=1.5))
    row, column = field.centre
    ax.add_patch(Circle((column, row), columns / 120, color=VERMILLION))
    scale_bar(ax, pixel_um, columns, (columns, rows), columns)
    ax.set_axis_off()
    panel_title(ax, "In the field of view", f"{study.marker_name}; frame: the part in the middle")


def _white(field: FieldWindow) -> float:
    return float(max(np.percentile(field.overview, _BRIGHTEST), 1))


def _channel_title(name: str, study: Study) -> str:
    for part in _COLOURS:
        if name.startswith("seg_") and name.endswith(part):
            return f"mask: {part}"
    return f"{study.marker_name} ({name})" if name == study.marker_channel else name


def _title(cell: pd.DataFrame, study: Study) -> str:
    known = [str(cell[name].iloc[0]) for name in METADATA if name in cell.columns]
    return f"Cell {cell[CELL_ID].iloc[0]}" + (f": {', '.join(known)}" if known else "")


def _table(cell: pd.DataFrame, field: FieldWindow) -> pd.DataFrame:
    kept = [*IDENTITY, *(name for name in METADATA if name in cell.columns)]
    table = cell[kept].reset_index(drop=True)
    row, column = field.centre
    score = cell[SCORE].to_numpy(dtype=float) if SCORE in cell.columns else np.nan
    return table.assign(x_px=column, y_px=row, score=score)


def _caption(cell: pd.DataFrame, study: Study) -> str:
    return (
        f"One cell (number {cell[CELL_ID].iloc[0]}, drawn at random), left: its crop in every "
        "channel, scaled within the cell, and its two masks; middle: its place among its "
        f"neighbours in the {study.marker_name} image with the outlines of nuclei and cytosols; "
        "right: the whole field of view."
    )
