"""The gallery of all cells: a page on which people filter, sort and open cells.

Its looks are in ``cell_gallery.html`` and ``cell_gallery.css`` beside this file, what it does in
``cell_gallery.js``. Not here: which cells, and their scores (``gallery_cells``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.tables import feature
from autophagy_assets.analysis.galleries.crops import Paths, fetch_all_channels
from autophagy_assets.analysis.galleries.gallery_cells import SOURCE, metadata_values
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin, gallery_fields
from autophagy_assets.analysis.galleries.page import web_page
from autophagy_assets.analysis.galleries.sprites import sprites
from autophagy_assets.analysis.identity import (
    CELL_ID,
    METADATA,
    OUTCOME,
    SCORE,
    feature_columns,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

MAX_BYTES = 8_000_000
_REST_BYTES = 60_000  # what is not data
_CELL_BYTES = 25_000  # at most; what is more shows nothing more
_IN_A_SHEET = 100  # cells; so many crops are in memory at once, in all channels
_LEAST_SIDE = 32
DECIMALS, _DIGITS = 3, 4  # of scores; of features
_TEMPLATE = Path(__file__).parent / "cell_gallery.html"


@dataclass(frozen=True)
class CellGallery:
    """The page, as the IO manager stores it.

    Attributes
    ----------
    html : str
        A self-contained page.
    shown, available : int
        How many cells it shows, of how many.
    """

    html: str
    shown: int
    available: int


def cell_gallery(
    cells: pd.DataFrame,
    available: int,
    scores: Mapping[str, pd.DataFrame],
    paths: Paths,
    origins: Mapping[tuple[str, str], FieldOrigin],
    tables: Mapping[str, str],
    study: Study,
    pixel_um: float | None = None,
    left_out: Mapping[str, str] | None = None,
) -> CellGallery:
    """Make the page.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n, n_columns)
        Identity, metadata, features and ``source``, the table of the features; in the order in
        which they are shown at first.
    available : int
        Of how many cells they were drawn.
    scores : mapping of str to pandas.DataFrame
        As `scores_of` gives it, for these cells.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    origins : mapping of (str, str) to FieldOrigin
        By dataset and field of view.
    tables : mapping of str to str
        LaminDB uid of each ``source``.
    study : Study
        Names classes and channels.
    pixel_um : float or None
        Size of a pixel in um.
    left_out : mapping of str to str, optional
        Model to why it could not be made; the page says so.

    Returns
    -------
    CellGallery
        Of at most 8 MB: crops are compressed, and made smaller where that is not enough.

    Raises
    ------
    InputError
        If there are no cells, or their crops cannot be made so small.
    """
    if cells.empty:
        raise InputError("There are no cells to show; check the feature tables.")
    models, outcomes = sorted(scores, key=lambda n: (n != study.primary, n)), _outcomes(scores)
    data: dict[str, Any] = {
        "study": study.name,
        "labels": metadata_values(cells),
        "models": models,
        "outcomes": outcomes,
        "cells": _columns(cells),
        "scores": [_scores(scores[model], outcomes) for model in models],
        "features": list(_features(cells)),
        "tables": dict(tables),
        "marker": study.channels.index(study.marker_channel),
        "names": _channel_names(study),
        "perSheet": _IN_A_SHEET,
        **gallery_fields(cells, scores, origins, study.marker_channel),
    }
    left = MAX_BYTES - _REST_BYTES - len(dumps(data, ensure_ascii=False).encode())
    data["sheets"] = list(_sheets(cells, paths, min(left // len(cells), _CELL_BYTES)))
    html = web_page(
        _TEMPLATE,
        data,
        study=study,
        n=len(cells),
        available=available,
        # Looked up only where it matters: another seed makes no page of all cells again.
        seed=study.galleries.random_state if len(cells) < available else None,
        width_um=round(data["sheets"][0]["width"] * pixel_um) if pixel_um else None,
        outcomes=_outcome_words(study),
        found=outcomes,
        left_out=sorted((left_out or {}).items()),
    )
    return CellGallery(html, len(cells), available)


def _sheets(cells: pd.DataFrame, paths: Paths, cell_bytes: int) -> Iterator[dict[str, Any]]:
    """Crops of so many cells at a time, read and compressed before the next ones are."""
    for start in range(0, len(cells), _IN_A_SHEET):
        part = cells.iloc[start : start + _IN_A_SHEET]
        crops = fetch_all_channels(part, paths)
        width = crops.shape[-1]
        while True:
            try:
                made = sprites(crops, cell_bytes * len(part))
                break
            except InputError:
                if crops.shape[-1] < 2 * _LEAST_SIDE:
                    raise
                crops = _halved(crops)
        yield {
            "width": width,  # of a crop as it is stored, px
            "side": made.side,
            "columns": made.columns,
            "channels": made.channels,
            "outlines": made.outlines,
        }


def _halved(crops: np.ndarray) -> np.ndarray:
    side = crops.shape[-1] // 2
    even = crops[..., : 2 * side, : 2 * side]
    return even.reshape(*crops.shape[:2], side, 2, side, 2).mean(axis=(3, 5))


def _columns(cells: pd.DataFrame) -> dict[str, list[int]]:
    """Number of each cell, and the places of its labels among `metadata_values`."""
    known = metadata_values(cells)
    columns = {CELL_ID: [int(cell) for cell in cells[CELL_ID]]}
    for column in METADATA:
        place = {label: number for number, label in enumerate(known[column])}
        columns[column] = [place[str(label)] for label in cells[column]]
    return columns


def _outcomes(scores: Mapping[str, pd.DataFrame]) -> list[str]:
    return sorted({str(one) for table in scores.values() for one in table[OUTCOME].dropna()})


def _scores(table: pd.DataFrame, outcomes: list[str]) -> dict[str, list[Any]]:
    """Scores with so many digits, and places of outcomes; None where there is no score."""
    places = [None if pd.isna(one) else outcomes.index(str(one)) for one in table[OUTCOME]]
    return {"score": _numbers(table[SCORE].round(DECIMALS)), "outcome": places}


def _features(cells: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for name in feature_columns(cells):
        if name == SOURCE:
            continue
        known = feature(name)
        yield {
            "name": name,
            "meaning": known.meaning,
            "unit": known.unit or "",
            "values": _numbers(cells[name]),
        }


def _numbers(values: pd.Series) -> list[int | float | None]:
    """Short numbers: what is seen of a cell does not need more digits."""
    rounded = (float(f"{value:.{_DIGITS}g}") for value in values.astype(float))
    return [
        None if not np.isfinite(value) else int(value) if value.is_integer() else value
        for value in rounded
    ]


def _channel_names(study: Study) -> list[str]:
    roles = {
        study.nucleus_channel: "nucleus",
        study.cytosol_channel: "cell",
        study.marker_channel: study.marker_name,  # also where cells are found by it
    }
    return [f"{roles[c]} ({c})" if c in roles else c for c in study.channels]


def _outcome_words(study: Study) -> dict[str, str]:
    negative, positive = study.classes[0], study.classes[1]
    return {
        "TP": f"{positive}, called {positive}",
        "TN": f"{negative}, called {negative}",
        "FN": f"{positive}, called {negative}",
        "FP": f"{negative}, called {positive}",
    }
