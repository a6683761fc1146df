"""What was taken as a punctum, marked on a few cells of both classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from autophagy_assets.analysis.figures import (
    ORANGE,
    SKY,
    Picture,
    new_figure,
    scale_bar,
    styled,
)
from autophagy_assets.analysis.galleries.crops import Paths, channel_names, fetch_all_channels
from autophagy_assets.analysis.galleries.panels import CROP_MAP
from autophagy_assets.analysis.identity import CLASS, DATASET, IDENTITY, of_classes
from autophagy_assets.analysis.marker.features import known_size
from autophagy_assets.analysis.marker.puncta import Puncta, find_puncta
from autophagy_assets.analysis.marker.views import CellView, cell_of_crop
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

CELLS_PER_CLASS = 3
N_PUNCTA = "n_puncta"
_TITLE = "What was taken as a punctum"


def choose_example_cells(cells: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """Choose cells of both classes at random.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells with identity and class, in any order.
    random_state : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        Three rows per class, class 0 first; fewer where there are fewer.
    """
    ordered = cells.sort_values(IDENTITY, kind="stable")
    drawn = [
        group.sample(min(CELLS_PER_CLASS, len(group)), random_state=random_state)
        for _, group in ordered.groupby(CLASS)
    ]
    return pd.concat([*drawn, ordered.head(0)]).reset_index(drop=True)


@styled
def marker_example(
    cells: pd.DataFrame, paths: Paths, study: Study, pixel_um: Mapping[str, float]
) -> Picture:
    """Draw cells of both classes, plain and with their puncta outlined.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells with identity and class to choose from; those of no class are left out.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names marker and classes, and says what a punctum is.
    pixel_um : mapping of str to float
        Size of a pixel in µm by dataset; NaN, or nothing, where it is not known.

    Returns
    -------
    Picture
        Its table has one row per cell, with its number of puncta.

    Raises
    ------
    InputError
        If there is no cell.
    """
    cells = of_classes(cells)
    chosen = choose_example_cells(cells, study.galleries.random_state)
    if chosen.empty:
        raise InputError("There is no cell to show puncta of; check the feature tables for cells.")
    known = [pixel_um.get(dataset) for dataset in chosen[DATASET]]
    sizes = [known_size(size, study.marker) for size in known]
    seen = _views(chosen, paths, study, sizes)
    puncta = [find_puncta(one, study.marker, size) for one, size in zip(seen, sizes, strict=True)]
    figure = new_figure(1.75 * len(chosen) + 0.4, 5.0, h_pad=0.07, w_pad=0.03)
    axes = figure.subplots(2, len(chosen), squeeze=False)
    side = max(max(one.cell.shape, default=1) for one in seen)
    for column, (one, found) in enumerate(zip(seen, puncta, strict=True)):
        _draw_plain(axes[0, column], one, side)
        _draw_outlined(axes[1, column], one, found, side)
        stimulation = study.classes[int(chosen[CLASS].iloc[column])]
        axes[0, column].set_title(stimulation, fontsize=9)
        axes[1, column].set_title(
            _counted(found, one, sizes[column]),
            fontsize=8,
            fontweight="normal",
        )
    of_last = sizes[-1] if sizes[-1] == known[-1] else None
    scale_bar(axes[0, -1], of_last, side, (side, side), side)
    figure.suptitle(_TITLE, x=0.01, ha="left", fontweight="bold", fontsize=13)
    lines = [Line2D([], [], color=ORANGE), Line2D([], [], color=SKY, linestyle=":")]
    labels = [f"outline of a punctum of {study.marker_name}", "edge of what is measured"]
    figure.legend(lines, labels, loc="outside lower left", ncols=2, fontsize=8)
    table = chosen.assign(**{N_PUNCTA: [found.number for found in puncta]})
    return Picture(figure, table, _caption(study, known == sizes, len(cells)))


def _views(
    cells: pd.DataFrame, paths: Paths, study: Study, sizes: Sequence[float]
) -> list[CellView]:
    crops = fetch_all_channels(cells, paths)
    position = channel_names(paths[cells[DATASET].iloc[0]]).index(study.marker_channel)
    return [
        cell_of_crop(crop[0], crop[1], crop[position], study.marker, size)
        for crop, size in zip(crops, sizes, strict=True)
    ]


def _draw_plain(ax: Axes, seen: CellView, side: int) -> None:
    """The marker of a cell in the middle of a black square."""
    ax.set(xticks=[], yticks=[], facecolor="black", aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(False)
    height, width = seen.cell.shape
    left, top = (side - width) / 2, (side - height) / 2
    if seen.cell.any():
        ax.imshow(
            np.where(seen.cell, seen.marker, 0), cmap=CROP_MAP, vmin=0, vmax=1,
            extent=(left, left + width, top + height, top), interpolation="nearest",
        )  # fmt: skip
    ax.set(xlim=(0, side), ylim=(side, 0))


def _draw_outlined(ax: Axes, seen: CellView, puncta: Puncta, side: int) -> None:
    """As plain, with the outline of each punctum and of what is measured."""
    _draw_plain(ax, seen, side)
    height, width = seen.cell.shape
    x = np.arange(width) + 0.5 + (side - width) / 2
    y = np.arange(height) + 0.5 + (side - height) / 2
    if seen.inside.any() and not seen.inside.all():
        ax.contour(x, y, seen.inside, [0.5], colors=SKY, linewidths=0.6, linestyles=":")
    for number in range(1, puncta.number + 1):
        ax.contour(x, y, puncta.labels == number, [0.5], colors=ORANGE, linewidths=0.7)


def _counted(puncta: Puncta, seen: CellView, pixel_um: float) -> str:
    n, area = puncta.number, float(seen.inside.sum()) * pixel_um**2
    density = f"{n / area * 100:.1f} per 100 µm²" if area else "nothing measured"
    return f"{n} {'punctum' if n == 1 else 'puncta'}\n{density}"


def _caption(study: Study, known: bool, available: int) -> str:
    taken = f" (taking a pixel as {study.marker.pixel_um} µm where its size is not known)"
    unknown = "" if known else taken
    low, high = study.marker.contrast_percentiles
    return (
        f"{study.marker_name} in {CELLS_PER_CLASS} cells of each class, drawn with a seed from "
        f"{available}{unknown}; above plain, below with every punctum outlined. Each cell is "
        f"scaled from its own {low:g} % to {high:g} % percentile, so brightness cannot be "
        "compared between cells."
    )
