"""The review page: cells and a person's answers, in one file that needs no server and no network.

Its looks are in ``review.html`` and ``review.css`` beside this file, what it does in ``review.js``.
The same cells give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.galleries.page import web_page
from autophagy_assets.analysis.galleries.sprites import sprites
from autophagy_assets.analysis.identity import IDENTITY
from autophagy_assets.analysis.review.answers import BAD_CROP, UNSURE
from autophagy_assets.config.study import Study

MAX_BYTES, _CELLS = 5_000_000, 200  # a page of so many cells is at most so large
_REST_BYTES = 150_000
_TEMPLATE = Path(__file__).parent / "review.html"
SHOWN = "shown"


def page_id(manifest: Mapping[str, Any]) -> str:
    """Id of a page: the same for the same cells in the same order, chosen by the same models.

    Parameters
    ----------
    manifest : mapping
        What is kept of the page, JSON-like.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    return sha256(dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]


def render_page(
    cells: pd.DataFrame,
    crops: np.ndarray,
    study: Study,
    page: str,
    pixel_um: float | None = None,
) -> str:
    """Make the page.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n, any)
        Identity; in the order in which they are shown. A column ``shown`` is what the page says
        of each cell; without it the page is blind.
    crops : numpy.ndarray of float, shape (n, 2 + n_channels, side, side)
        Masks and channels of each cell.
    study : Study
        Names classes and channels.
    page : str
        Id of the page.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    str
        HTML of at most 5 MB for 200 cells; in proportion for more.
    """
    most = MAX_BYTES * max(1, len(cells) / _CELLS) - _REST_BYTES
    images = sprites(crops, int(most))
    roles = {
        study.nucleus_channel: "nucleus",
        study.cytosol_channel: "cell",
        study.marker_channel: study.marker_name,  # also where cells are found by it
    }
    names = [f"{roles[c]} ({c})" if c in roles else c for c in study.channels]
    data: dict[str, Any] = {
        "page": page,
        "study": study.name,
        "answers": [study.classes[0], study.classes[1], UNSURE, BAD_CROP],
        "cells": [[dataset, int(cell)] for dataset, cell in cells[IDENTITY].to_numpy()],
        "said": _said(cells),
        "marker": study.channels.index(study.marker_channel),
        "names": names,
        "side": images.side,
        "columns": images.columns,
        "sheets": images.channels,
        "outlines": images.outlines,
    }
    return web_page(
        _TEMPLATE,
        data,
        study=study.name,
        classes=study.classes,
        marker=study.marker_name,
        n=len(cells),
        width_um=round(images.side * pixel_um) if pixel_um else None,
        blind=SHOWN not in cells.columns,
    )


def _said(cells: pd.DataFrame) -> list[str] | None:
    return [str(text) for text in cells[SHOWN]] if SHOWN in cells.columns else None
