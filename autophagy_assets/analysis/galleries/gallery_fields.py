"""Fields of view in the gallery of all cells: small images, places of cells, and origins."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from autophagy_assets.analysis.figures import data_uri
from autophagy_assets.analysis.galleries.centres import read_centres
from autophagy_assets.analysis.galleries.gallery_cells import SOURCE
from autophagy_assets.analysis.galleries.spatial import read_overview
from autophagy_assets.analysis.identity import CELL_ID, FIELD_OF_VIEW
from autophagy_assets.analysis.imaging.regions import region_of_cell, regions_of

_BYTES = 1_000_000  # of all overviews together
_WIDTHS = (320, 224, 160, 96, 64)  # px
_QUALITY, _BRIGHTEST = 70, 99.8  # of JPEG; percentile shown white


@dataclass(frozen=True)
class FieldOrigin:
    """Origin of a field of view: its crops, its segmented field and its images.

    Attributes
    ----------
    key : str
        LaminDB key of its crops.
    spatialdata : str
        LaminDB uid of the segmented field; empty where there is none.
    store : path-like or None
        That field as a SpatialData store.
    images : tuple of str
        LaminDB keys of the microscope images; empty where they are not known here.
    """

    key: str
    spatialdata: str = ""
    store: str | os.PathLike[str] | None = None
    images: tuple[str, ...] = ()


def gallery_fields(
    cells: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    origins: Mapping[tuple[str, str], FieldOrigin],
    channel: str,
) -> dict[str, list[Any]]:
    """Data of the page about fields of view, and the places of cells in them.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n, n_columns)
        Identity, ``fov`` and ``source``.
    scores : mapping of str to pandas.DataFrame
        By model, in the order of `cells`; of each its ``source``.
    origins : mapping of (str, str) to FieldOrigin
        By dataset and field of view.
    channel : str
        Image channel that the overviews show.

    Returns
    -------
    dict
        ``fields``, one for each field of view; ``field``, for each cell the place of its own among
        them; ``x`` and ``y``, for each cell the centre of its nucleus in px, None where it is not
        known.
    """
    numbers, names = pd.MultiIndex.from_frame(cells[FIELD_OF_VIEW]).factorize()
    share = _BYTES // len(names)
    fields: list[dict[str, Any]] = []
    places: list[tuple[int, int] | None] = [None] * len(cells)
    for number, (dataset, fov) in enumerate(names):
        rows, origin = np.flatnonzero(numbers == number), origins[dataset, fov]
        said: dict[str, Any] = {
            "dataset": str(dataset),
            "key": origin.key,
            "spatialdata": origin.spatialdata,
            "images": list(origin.images),
            "features": str(cells[SOURCE].iloc[rows[0]]),
            "scores": [_source(table, rows) for table in scores.values()],
        }
        if origin.store is not None:
            region = region_of_cell(regions_of(origin.store), int(cells[CELL_ID].iloc[rows[0]]))
            values, (height, width) = read_overview(origin.store, channel, region)
            said |= {"width": width, "height": height, "overview": _overview(values, share)}
            centres = read_centres(origin.store, region)
            for row in rows:
                if found := centres.get(int(cells[CELL_ID].iloc[row])):
                    places[row] = round(found[0]), round(found[1])
        fields.append(said)
    return {
        "fields": fields,
        "field": [int(number) for number in numbers],
        "x": [place[1] if place else None for place in places],
        "y": [place[0] if place else None for place in places],
    }


def _source(table: pd.DataFrame, rows: np.ndarray) -> str:
    """Where the scores of a field are from, which has one genotype and one stimulation."""
    known = table[SOURCE].iloc[rows].dropna()
    return str(known.iloc[0]) if len(known) else ""


def _overview(values: np.ndarray, most: int) -> str:
    """A field in small as a data URI, the largest that fits; empty where none does."""
    white = max(float(np.percentile(values, _BRIGHTEST)), 1)
    shown = np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8)
    for width in _WIDTHS:
        image, buffer = Image.fromarray(shown), io.BytesIO()
        image.thumbnail((width, width))
        image.save(buffer, format="JPEG", quality=_QUALITY, optimize=True)
        if len(uri := data_uri(buffer.getvalue())) <= most:
            return uri
    return ""
