"""Crops that show what surrounds a cell, cut out of the image of its field of view.

A field is cut once, when a cell of it is first asked for, into a file that lies on the disk and is
read from there: fields of a whole study are not held in memory, and a batch costs by its cells.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autophagy_assets.analysis.galleries.centres import read_centres
from autophagy_assets.analysis.galleries.spatial import read_channel
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.analysis.imaging.regions import Region, regions_of
from autophagy_assets.errors import InputError

PERCENTILES = (0.1, 99.9)  # those by which scPortrait scales its crops


class Surroundings:
    """Unmasked crops.

    Parameters
    ----------
    stores : mapping of str to path-like
        The SpatialData zarr store of each dataset that has one.
    """

    def __init__(self, stores: Mapping[str, str | os.PathLike[str]]) -> None:
        self._stores = stores
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._cut: dict[tuple[str, tuple[str, ...], int], tuple[Path, dict[int, int]]] = {}

    def read(self, cells: pd.DataFrame, channels: Sequence[str], size: int) -> np.ndarray:
        """Read crops.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n, any)
            Holds the identity of the cells.
        size : int
            Side of a crop, px; even.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n_channels, size, size)
            In the order of `cells`, each channel of each crop scaled by itself as scPortrait scales
            masked ones.

        Raises
        ------
        InputError
            If there is no image of the field of view, or it has no such channel or cell.
        """
        crops = np.empty((len(cells), len(channels), size, size), dtype=np.float32)
        datasets, ids = cells[DATASET].to_numpy(), cells[CELL_ID].to_numpy(dtype="int64")
        for dataset in dict.fromkeys(datasets):
            wanted = np.flatnonzero(datasets == dataset)
            file, rows = self._field(str(dataset), tuple(channels), size)
            if absent := [cell for cell in ids[wanted] if int(cell) not in rows]:
                raise InputError(
                    f"Cell {absent[0]} of dataset {dataset!r} is not in the image of its field of "
                    "view, or too near to its border; segment the field again."
                )
            stored = np.load(file, mmap_mode="r")
            crops[wanted] = stored[[rows[int(cell)] for cell in ids[wanted]]]
        return crops

    def _field(
        self, dataset: str, channels: tuple[str, ...], size: int
    ) -> tuple[Path, dict[int, int]]:
        """File of the crops of a field, and the row of each cell in it."""
        key = (dataset, channels, size)
        if key not in self._cut:
            try:
                store = self._stores[dataset]
            except KeyError as error:
                raise InputError(
                    f"Dataset {dataset!r} has its crops alone, and no image of the field of view: "
                    "what surrounds its cells is not known. Set masked: true of the network, or "
                    "leave the dataset out."
                ) from error
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="surroundings-")
            crops, rows = cut(store, channels, size)
            file = Path(self._folder.name) / f"{len(self._cut)}.npy"
            np.save(file, crops)
            self._cut[key] = file, rows
        return self._cut[key]


def cut(
    store: str | os.PathLike[str], channels: Sequence[str], size: int
) -> tuple[np.ndarray, dict[int, int]]:
    """Cut every cell of a field of view, or of several, out of its image.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store.
    size : int
        Side of a crop, px; even.

    Returns
    -------
    crops : numpy.ndarray of float16, shape (n_cells, n_channels, size, size)
        Cells whose crop lies within the image, scaled.
    rows : dict of int to int
        Row of each cell by its id.

    Raises
    ------
    InputError
        If the store cannot be read or has no such channel.
    """
    parts, rows = [], dict[int, int]()
    for region in regions_of(store):
        crops, cells = _cut_field(store, channels, size, region)
        rows |= {cell: len(rows) + row for row, cell in enumerate(cells)}
        parts.append(crops)
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), rows


def _cut_field(
    store: str | os.PathLike[str], channels: Sequence[str], size: int, region: Region
) -> tuple[np.ndarray, list[int]]:
    """Crops of a field, and the ids of their cells."""
    images = [read_channel(store, channel, region)[0] for channel in channels]
    half, (height, width) = size // 2, images[0].shape
    # Rounded as scPortrait does it, half to even.
    corners = {
        cell: (round(y) - half, round(x) - half)
        for cell, (y, x) in read_centres(store, region).items()
    }
    inside = {
        cell: (top, left)
        for cell, (top, left) in corners.items()
        if top >= 0 and left >= 0 and top + size <= height and left + size <= width
    }
    crops = np.zeros((len(inside), len(channels), size, size), dtype=np.float16)
    for row, (top, left) in enumerate(inside.values()):
        for number, image in enumerate(images):
            crops[row, number] = scaled(image[top : top + size, left : left + size])
    return crops, list(inside)


def scaled(crop: np.ndarray) -> np.ndarray:
    """Scale each channel of a crop to its own percentiles.

    Parameters
    ----------
    crop : numpy.ndarray, shape (height, width)
        In units of the image.

    Returns
    -------
    numpy.ndarray of float, shape (height, width)
        Between 0 and 1; all 0 for a crop that is flat.
    """
    values = np.asarray(crop, dtype=float)
    low, high = np.percentile(values, PERCENTILES)
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros_like(values)
