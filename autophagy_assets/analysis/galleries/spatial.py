"""One cell beside its place in the field of view.

Here: reading a window of a SpatialData store around a cell, and the figure. The store is read
as the zarr and parquet files that it is. Images are (channel, y, x), masks (y, x), centres have
columns x and y: this module turns them into (row, column) once, in `read_field`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.errors import InputError

IMAGE = "images/input_image"
MASKS = {"nucleus": "labels/seg_all_nucleus", "cytosol": "labels/seg_all_cytosol"}
CENTRES = "points/centers_seg_all_nucleus/points.parquet"
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
    """Read what surrounds a cell.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store of one field of view.
    cell_id : int
        Id of the cell within the field.
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
    levels = _levels(image)
    rows, columns = image[levels[0]].shape[1:]
    centre = _centre(Path(store), cell_id)
    top, bottom = _span(centre[0], width_px, rows)
    left, right = _span(centre[1], width_px, columns)
    index = _channel(image, channel, store)
    return FieldWindow(
        window=image[levels[0]][index, top:bottom, left:right],
        masks={
            name: mask[_levels(mask)[0]][top:bottom, left:right] for name, mask in masks.items()
        },
        corner=(top, left),
        overview=image[_small(image)][index],
        shape=(rows, columns),
        centre=centre,
    )


def read_overview(
    store: str | os.PathLike[str], channel: str
) -> tuple[np.ndarray, tuple[int, int]]:
    """Read one channel of a whole field of view at lower resolution.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store of one field of view.
    channel : str
        The image channel to read.

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
    return image[_small(image)][_channel(image, channel, store)], (rows, columns)


def read_channel(
    store: str | os.PathLike[str], channel: str
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read one channel of a field of view and its masks, at full resolution.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store of one field of view.
    channel : str
        The image channel to read.

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
    return (
        image[_levels(image)[0]][_channel(image, channel, store)],
        {name: mask[_levels(mask)[0]][:] for name, mask in masks.items()},
    )


def _opened(store: str | os.PathLike[str]) -> tuple[Any, dict[str, Any]]:
    """Image and masks of a store, nothing of which is read yet."""
    import zarr  # half a second that not everybody needs

    try:
        group: Any = zarr.open_group(os.fspath(store), mode="r")
        return group[IMAGE], {name: group[path] for name, path in MASKS.items()}
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"SpatialData store {os.fspath(store)} cannot be read ({error!r}); segment the field "
            "of view again."
        ) from error


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


def _small(image: Any) -> str:
    """Path of the largest resolution of an image that is small, or of the smallest one."""
    levels = _levels(image)
    return next((p for p in levels if max(image[p].shape) <= 2 * OVERVIEW_PX), levels[-1])


def _channel(image: Any, channel: str, store: str | os.PathLike[str]) -> int:
    ome = _ome(image)
    names = [str(c["label"]) for c in ome.get("omero", {}).get("channels", [])]
    if channel not in names:
        raise InputError(
            f"The image of {os.fspath(store)} has no channel {channel!r}; it has "
            f"{', '.join(names) or 'no named channels'}: correct the channels of the study."
        )
    return names.index(channel)


def read_centres(store: str | os.PathLike[str]) -> dict[int, tuple[float, float]]:
    """Centres of the nuclei of a field of view.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store of one field of view.

    Returns
    -------
    dict of int to (float, float)
        Row and column by the id of the cell.

    Raises
    ------
    InputError
        If the store has none.
    """
    try:
        centres = pq.read_table(Path(store) / CENTRES).to_pandas()
    except (OSError, ValueError) as error:
        raise InputError(
            f"SpatialData store {store} has no cell centres ({error}); segment the field again."
        ) from error
    places = zip(centres["y"], centres["x"], strict=True)
    return {int(i): (float(y), float(x)) for i, (y, x) in zip(centres.index, places, strict=True)}


def _centre(store: Path, cell_id: int) -> tuple[float, float]:
    centres = read_centres(store)
    if cell_id not in centres:
        raise InputError(
            f"Cell {cell_id} ({CELL_ID}) is not among the {len(centres)} cells of {store}; use "
            "the store that was made with this cell's dataset."
        )
    return centres[cell_id]
