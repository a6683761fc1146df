"""Figures of the label audit: the most suspect cells, and where the suspects are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.evidence.comparison import HOW, auc_of
from autophagy_assets.analysis.evidence.cross_validation import MODEL, RAW, SCHEME
from autophagy_assets.analysis.evidence.field_groups import natural
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.figures import (
    BLUE,
    GREY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.analysis.galleries.crops import Paths, fetch_crops
from autophagy_assets.analysis.galleries.panels import (
    COLUMN,
    PANEL,
    ROW,
    SHOWN_SCORE,
    brightness_bar,
    cell_grid,
)
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, SCORE
from autophagy_assets.analysis.labels.audit import (
    AGAINST,
    BY_CLONE,
    BY_FIELD,
    LEVEL,
    QUALITY,
    SUSPECTED,
    most_suspect,
    shares,
)
from autophagy_assets.config.study import Study

_MOST_FIELDS = 24  # of more fields of view, clones alone are drawn


@styled
def audit_gallery(
    audited: pd.DataFrame, paths: Paths, study: Study, pixel_um: float | None = None
) -> Picture:
    """Draw the cells of each class whose label is most suspect, each under its score and puncta.

    Parameters
    ----------
    audited : pandas.DataFrame
        As `audit.audit` gives it.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names classes and marker and says how many cells.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    Picture
        Its table has one row per crop, also where no label is suspect and it has none.
    """
    n = study.galleries.error_cells
    columns = math.ceil(math.sqrt(n))
    shown = [_placed(most_suspect(audited, number, n), columns, study) for number in (1, 0)]
    rows = max(1, *(math.ceil(len(cells) / columns) for cells in shown))
    figure = new_figure(9.4, 1.75 + 1.67 * rows, wspace=0.05, w_pad=0.1)
    axes = list(figure.subplots(1, 2))
    model = audited[MODEL].iloc[0]
    figure.suptitle(
        f"{study.marker_name} in {study.control} cells whose label is most suspect, by {model}",
        x=0.01, ha="left", fontweight="bold", fontsize=13,
    )  # fmt: skip
    for ax, number, cells in zip(axes, (1, 0), shown, strict=True):
        of_class = audited[audited[CLASS] == number]
        suspects = int(of_class[SUSPECTED].sum())
        about = f"{suspects} of {len(of_class)} cells suspect, {len(cells)} shown"
        crops = fetch_crops(cells, paths, study.marker_channel) if len(cells) else np.empty(0)
        title, labels = f"Labelled {study.classes[number]}", [_above(c) for c in cells.itertuples()]
        cell_grid(ax, crops, (columns, rows), title, about, labels, pixel_um)
    brightness_bar(figure, axes, study.marker_name)
    figure.supxlabel(
        f"Above each crop: the cell's own probability of {study.classes[1]}, and its puncta where "
        "they were counted",
        x=0.015, ha="left", fontsize=8,
    )  # fmt: skip
    caption = (
        f"{_said(audited, study)} Shown are those with the lowest score of their own label. "
        f"{study.marker_name} is scaled within each cell, so brightness shows where the marker is, "
        "not how much of it there is."
    )
    return Picture(figure, pd.concat(shown, ignore_index=True), caption, _numbers(audited, study))


def _placed(cells: pd.DataFrame, columns: int, study: Study) -> pd.DataFrame:
    at = np.arange(len(cells))
    puncta = [PUNCTA] if PUNCTA in cells.columns else []
    table = cells[[*IDENTITY, CLASS, *METADATA, QUALITY, AGAINST, *puncta]].copy()
    table.insert(0, PANEL, cells[CLASS].map(study.classes).astype(object))
    table.insert(1, ROW, at // columns)
    table.insert(2, COLUMN, at % columns)
    table.insert(5, SHOWN_SCORE, cells[SCORE])
    return table


def _above(cell: object) -> str:
    puncta = getattr(cell, PUNCTA, math.nan)
    said = "" if math.isnan(puncta) else f", {puncta:.0f} {'punctum' if puncta == 1 else 'puncta'}"
    return f"{getattr(cell, SHOWN_SCORE):.2f}{said}"


def _said(audited: pd.DataFrame, study: Study) -> str:
    """Describe the audit in words."""
    n, auc = int(audited[SUSPECTED].sum()), auc_of(audited[CLASS], audited[RAW])
    model, how = audited[MODEL].iloc[0], HOW[audited[SCHEME].iloc[0]]
    against = int((audited[SUSPECTED] & (audited[AGAINST] != "")).sum())
    puncta = f"; of {against} of them the number of puncta says so too" if PUNCTA in audited else ""
    return (
        f"The labels of {n} of {len(audited)} {study.control} cells are suspect by the scores of "
        f"model {model} {how} (AUC {auc:.2f}){puncta}. A suspect label may be wrong, a cell that "
        "did not respond, or an error of the model; the less a model tells the classes apart, the "
        "more of them are its errors. Nothing was dropped."
    )


def _numbers(audited: pd.DataFrame, study: Study) -> dict[str, float]:
    found = {
        f"suspect share, {label}": float(audited.loc[audited[CLASS] == number, SUSPECTED].mean())
        for number, label in study.classes.items()
    }
    return {"suspect labels": float(audited[SUSPECTED].sum()), **found}


@styled
def shares_picture(audited: pd.DataFrame, study: Study) -> Picture:
    """Draw the share of suspect labels in each clone and field of view.

    Parameters
    ----------
    audited : pandas.DataFrame
        As `audit.audit` gives it.
    study : Study
        Names the classes.

    Returns
    -------
    Picture
        Its table is that of `audit.shares`.
    """
    table = shares(audited)
    fields = table[table[LEVEL] == BY_FIELD]
    all_fields = len(fields[["clone", "fov"]].drop_duplicates()) <= _MOST_FIELDS
    drawn = table if all_fields else table[table[LEVEL] == BY_CLONE]
    places = sorted(
        set(drawn[["clone", "fov"]].itertuples(index=False, name=None)),
        key=lambda place: (natural(place[0]), natural(place[1])),
    )
    figure = new_figure(10.5, 1.9 + 0.3 * len(places), w_pad=0.1)
    axes = figure.subplots(1, 2, sharey=True)
    figure.suptitle(
        f"Where labels of {study.control} cells are suspect, by {audited[MODEL].iloc[0]}",
        x=0.01, ha="left", fontweight="bold", fontsize=13,
    )  # fmt: skip
    for ax, number, colour in zip(axes, (1, 0), (VERMILLION, BLUE), strict=True):
        _draw_shares(ax, drawn[drawn[CLASS] == number], places, colour)
        panel_title(
            ax, f"Labelled {study.classes[number]}", "large dot: clone; small: field of view"
        )
    axes[0].set_yticks(range(len(places)), [_short(fov or clone) for clone, fov in places])
    axes[0].set_ylim(len(places) - 0.5, -0.5)
    left = "" if all_fields else f" Its {len(fields)} fields of view are in the table alone."
    caption = (
        f"{_said(audited, study)} Where one field of view has far more of them than its "
        f"neighbours, look at its images and labels.{left}"
    )
    return Picture(figure, table, caption, _numbers(audited, study))


def _draw_shares(ax: Axes, drawn: pd.DataFrame, places: list[tuple[str, str]], colour: str) -> None:
    for row in drawn.itertuples():
        y = places.index((row.clone, row.fov))
        size = 8 if getattr(row, LEVEL) == BY_CLONE else 5
        ax.plot([0, row.share], [y, y], color=colour, lw=1, alpha=0.4)
        ax.plot(row.share, y, "o", color=colour, ms=size, mec="white", clip_on=False)
        ax.annotate(
            f"{row.n_suspected} of {row.n_cells}", (row.share, y), (8, 0),
            textcoords="offset points", va="center", fontsize=8, color=GREY,
        )  # fmt: skip
    ax.set(xlim=(0, 1), xlabel="Share of cells whose label is suspect")
    ax.tick_params(axis="y", length=0)


def _short(label: str, most: int = 44) -> str:
    return label if len(label) <= most else f"...{label[3 - most :]}"
