"""Gallery of the cells whose class changed most from one version of a study to another."""

from __future__ import annotations

import math

import pandas as pd

from autophagy_assets.analysis.comparison.changes import AFTER, BEFORE, Changes
from autophagy_assets.analysis.comparison.results import POSITIVE
from autophagy_assets.analysis.evidence.cross_validation import MODEL
from autophagy_assets.analysis.figures import Picture, new_figure, styled
from autophagy_assets.analysis.galleries.crops import Paths, fetch_crops
from autophagy_assets.analysis.galleries.panels import PANEL, brightness_bar, cell_grid
from autophagy_assets.analysis.identity import SCORE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

SHOWN = 16  # cells in each direction


def flipped_cells(found: Changes, model: str) -> pd.DataFrame:
    """Choose the cells whose score changed most among those whose class changed.

    Returns
    -------
    pandas.DataFrame
        Rows of ``Changes.flipped``, at most 16 in each direction, with the direction as ``panel``.
    """
    rows = found.flipped
    rows = rows[rows[MODEL] == model]
    up = rows[POSITIVE + AFTER].astype(bool)
    parts = [
        rows[up].head(SHOWN).assign(**{PANEL: "to positive"}),
        rows[~up].head(SHOWN).assign(**{PANEL: "to negative"}),
    ]
    return pd.concat(parts, ignore_index=True)


@styled
def flips_picture(
    found: Changes,
    model: str,
    paths: Paths,
    study: Study,
    versions: tuple[str, str],
    pixel_um: float | None = None,
) -> Picture:
    """Draw the cells whose class changed most.

    Parameters
    ----------
    model : str
        Whose classes.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names the marker.
    versions : (str, str)
        What the versions are called.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    Picture
        Its table has one row per crop.

    Raises
    ------
    InputError
        If no cell changed class.
    """  # fmt: skip
    table = flipped_cells(found, model)
    if table.empty:
        raise InputError(f"No cell changed class by model {model}, so there is none to show.")
    crops = fetch_crops(table, paths, study.marker_channel)
    largest = int(table[PANEL].value_counts().max())
    columns = min(4, largest)
    grid = columns, math.ceil(largest / columns)
    figure = new_figure(9.2, 2.0 + grid[1] * 4.2 / columns * 1.15, w_pad=0.1)
    axes = list(figure.subplots(1, 2))
    figure.suptitle(
        f"{study.marker_name} in cells that changed class by model {model}", x=0.01, ha="left",
        fontweight="bold", fontsize=13,
    )  # fmt: skip
    all_flipped = found.flipped
    all_flipped = all_flipped[all_flipped[MODEL] == model]
    up = all_flipped[POSITIVE + AFTER].astype(bool)
    for ax, (name, n) in zip(
        axes, {"to positive": up.sum(), "to negative": (~up).sum()}.items(), strict=True
    ):
        here = (table[PANEL] == name).to_numpy()
        labels = [
            f"{was:.2f} → {now:.2f}"
            for was, now in table.loc[here, [SCORE + BEFORE, SCORE + AFTER]].to_numpy(dtype=float)
        ]
        about = f"n = {n} cells, {here.sum()} shown, the largest changes first"
        cell_grid(ax, crops[here], grid, name.capitalize(), about, labels, pixel_um)
    brightness_bar(figure, axes, study.marker_name)
    figure.supxlabel(
        f"Above each crop: its probability of {study.classes[1]} before (report of {versions[0]})\n"
        f"and after (report of {versions[1]})", x=0.015, ha="left", fontsize=8,
    )  # fmt: skip
    caption = (
        f"{study.marker_name} in cells whose class by model {model} changed from the report of "
        f"{versions[0]} to that of {versions[1]}: those whose probability changed most. A class "
        "may also change because the threshold did."
    )
    return Picture(figure, table, caption)
