"""One cell beside its place in the field of view.

Here: reading a window of a SpatialData store around a cell, and the figure. The store is read
as the zarr and parquet files that it is. Images are (channel, y, x), masks (y, x), centres have
columns x and y: this module turns them into (row, column) once, in `read_field`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from autophagy_assets.analysis.galleries.centres import read_centre
from autophagy_assets.analysis.imaging.regions import (
    WHOLE,
    Region,
    opened,
    region_of_cell,
    regions_of,
)
from autophagy_assets.errors import InputError

IMAGE = "images/input_image"
MASKS = {"nucleus": "labels/seg_all_nucleus", "cytosol": "labels/seg_all_cytosol"}
OVERVIEW_PX = 400


@dataclass(frozen=True)
class FieldWindow:
    """A window around a cell, and the whole field in small.

    Attributes
    ----------
    window : numpy.ndarray, shape (height, width)
        The marker channel around the cell.
    masks : dict of str to numpy.ndarray of int, shape (height, width)
        Cell ids of nucleus and cytosol in the window; 0 is background.
    corner : (int, int)
        Row and column of the window's upper left pixel in the field.
    overview : numpy.ndarray, shape (rows, columns)
        The marker channel of the whole field at lower resolution.
    shape : (int, int)
        Rows and columns of the field at full resolution.
    centre : (float, float)
        Row and column of the cell's nucleus in the field.
    """

    window: np.ndarray
    masks: dict[str, np.ndarray]
    corner: tuple[int, int]
    overview: np.ndarray
    shape: tuple[int, int]
    centre: tuple[float, float]


def read_field(
    store: str | os.PathLike[str], cell_id: int, channel: str, width_px: int
) -> FieldWindow:
    """Read the window around a cell, and an overview of its field.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store of the cell's field of view, or of several.
    cell_id : int
        Id of the cell within the store.
    channel : str
        The image channel to read.
    width_px : int
        Width of the window; at the border of the field the window moves inwards.

    Raises
    ------
    InputError
        If the store, the channel or the cell is not there.
    """
    image, masks = _opened(store)
    full = image[_levels(image)[0]]
    region = region_of_cell(regions_of(store), cell_id)
    own = region.rows(full.shape[1])
    rows, columns = own.stop - own.start, full.shape[2]
    centre = read_centre(store, cell_id, region)
    top, bottom = _span(centre[0], width_px, rows)
    left, right = _span(centre[1], width_px, columns)
    window = slice(own.start + top, own.start + bottom), slice(left, right)
    index = _channel(image, channel, store)
    small = image[_small(image, region)]
    return FieldWindow(
        window=full[index, *window],
        masks={name: mask[_levels(mask)[0]][window] for name, mask in masks.items()},
        corner=(top, left),
        overview=small[index, region.rows(small.shape[1])],
        shape=(rows, columns),
        centre=centre,
    )


def read_overview(
    store: str | os.PathLike[str], channel: str, region: Region = WHOLE
) -> tuple[np.ndarray, tuple[int, int]]:
    """Read one channel of a whole field of view at lower resolution.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store.
    channel : str
        The image channel to read.
    region : Region, optional
        Which field of the store, where it has several.

    Returns
    -------
    overview : numpy.ndarray, shape (rows, columns)
    shape : (int, int)
        Rows and columns of the field at full resolution.

    Raises
    ------
    InputError
        If the store or the channel is not there.
    """
    image, _ = _opened(store)
    rows, columns = image[_levels(image)[0]].shape[1:]
    small = image[_small(image, region)]
    values = small[_channel(image, channel, store), region.rows(small.shape[1])]
    return values, (rows // region.count, columns)


def read_channel(
    store: str | os.PathLike[str], channel: str, region: Region = WHOLE
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read one channel of a field of view and its masks, at full resolution.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store.
    channel : str
        The image channel to read.
    region : Region, optional
        Which field of the store, where it has several.

    Returns
    -------
    image : numpy.ndarray, shape (height, width)
    masks : dict of str to numpy.ndarray of int, shape (height, width)
        Cell ids of nucleus and cytosol; 0 is background.

    Raises
    ------
    InputError
        If the store or the channel is not there.
    """
    image, masks = _opened(store)
    full = image[_levels(image)[0]]
    rows = region.rows(full.shape[1])
    return (
        full[_channel(image, channel, store), rows],
        {name: mask[_levels(mask)[0]][rows] for name, mask in masks.items()},
    )


def _opened(store: str | os.PathLike[str]) -> tuple[Any, dict[str, Any]]:
    """Image and masks of a store, nothing of which is read yet."""
    with opened(store) as group:
        return group[IMAGE], {name: group[path] for name, path in MASKS.items()}


def _span(centre: float, width: int, size: int) -> tuple[int, int]:
    """First and last pixel of a window of `width` that stays inside of `size`."""
    width = min(width, size)
    start = min(max(round(centre - width / 2), 0), size - width)
    return start, start + width


def _ome(element: Any) -> dict[str, Any]:
    attributes = dict(element.attrs)
    return attributes.get("ome", attributes)


def _levels(element: Any) -> list[str]:
    """Paths of the resolutions of an image or mask, the full one first."""
    return [level["path"] for level in _ome(element)["multiscales"][0]["datasets"]]


def _small(image: Any, region: Region) -> str:
    """Path of the largest resolution at which a field is small, or of the smallest one."""
    levels = _levels(image)

    def side(path: str) -> int:
        rows, columns = image[path].shape[1:]
        return max(rows // region.count, columns)

    return next((path for path in levels if side(path) <= 2 * OVERVIEW_PX), levels[-1])


def _channel(image: Any, channel: str, store: str | os.PathLike[str]) -> int:
    ome = _ome(image)
    names = [str(c["label"]) for c in ome.get("omero", {}).get("channels", [])]
    if channel not in names:
        raise InputError(
            f"The image of {os.fspath(store)} has no channel {channel!r}; it has "
            f"{', '.join(names) or 'no named channels'}: correct the channels of the study."
        )
    return names.index(channel)
