"""Single-cell crops by identity, read from h5sc files without loading them.

Here: the pixels of named cells. Not here: which cells (``galleries``) and how they are
drawn (``figures``). A file stores one chunk per cell and channel, so a read costs by the
crops asked for, not by the cells stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import h5py
import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.errors import InputError

IMAGES = "obsm/single_cell_images"
IDS = f"obs/{CELL_ID}"
CHANNEL_NAMES = "uns/single_cell_images/channel_names"

_MASKS = 0, 1  # of the channels: nucleus, cytosol

Paths = Mapping[str, str | os.PathLike[str]]


def channel_names(path: str | os.PathLike[str]) -> list[str]:
    """Names of the channels of an h5sc file, masks first.

    Parameters
    ----------
    path : path-like
        An h5sc file.

    Raises
    ------
    InputError
        If the file cannot be read or is not an h5sc file.
    """
    with _opened(path) as file:
        return _names(file)


def fetch_crops(cells: pd.DataFrame, paths: Paths, channel: str | int) -> np.ndarray:
    """Crops of one channel, one per row of a table.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n, any)
        Holds ``dataset`` and ``scportrait_cell_id``.
    paths : mapping of str to path-like
        The h5sc file of each dataset that occurs in `cells`.
    channel : str or int
        Name of the channel, or its position among all channels, masks included.

    Returns
    -------
    numpy.ndarray of float32, shape (n, height, width)
        In the order of `cells`; image channels are scaled to 0-1 within each cell.

    Raises
    ------
    InputError
        If a dataset, cell or channel is not there; names it.
    """
    return _fetch(cells, paths, channel)


def fetch_all_channels(cells: pd.DataFrame, paths: Paths) -> np.ndarray:
    """Crops of all channels, masks included, one stack per row of a table.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n, any)
        Holds ``dataset`` and ``scportrait_cell_id``.
    paths : mapping of str to path-like
        The h5sc file of each dataset that occurs in `cells`.

    Returns
    -------
    numpy.ndarray of float32, shape (n, channels, height, width)
        In the order of `cells`; channels in the order of `channel_names`.

    Raises
    ------
    InputError
        If a dataset or cell is not there; names it.
    """
    return _fetch(cells, paths, None)


def stored_cells(
    path: str | os.PathLike[str], channel: str
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Masks and one channel of every cell of a file.

    Parameters
    ----------
    path : path-like
        An h5sc file.

    Yields
    ------
    (int, numpy.ndarray, numpy.ndarray, numpy.ndarray)
        Id of the cell, nucleus mask, cytosol mask and channel, each (height, width) of float32;
        in the order in which they are stored.

    Raises
    ------
    InputError
        If the file cannot be read or has no such channel.
    """
    with _opened(path) as file:
        images, ids = _part(file, IMAGES), _part(file, IDS)[:].astype("int64")
        position = _position(file, os.path.basename(path), channel)
        for row, cell in enumerate(ids):
            nucleus, cytosol, values = (
                images[row, at].astype(np.float32) for at in (*_MASKS, position)
            )
            yield int(cell), nucleus, cytosol, values


def _fetch(cells: pd.DataFrame, paths: Paths, channel: str | int | None) -> np.ndarray:
    if cells.empty:
        raise InputError("No cells were asked for, so there are no crops to read.")
    datasets = cells[DATASET].to_numpy()
    ids = cells[CELL_ID].to_numpy(dtype="int64")
    crops: np.ndarray | None = None
    for dataset in dict.fromkeys(datasets):
        wanted = np.flatnonzero(datasets == dataset)
        if dataset not in paths:
            raise InputError(
                f"No single-cell images are known for dataset {dataset!r}, which holds cell "
                f"{ids[wanted[0]]}; register its h5sc file or remove its cells from the table."
            )
        with _opened(paths[dataset]) as file:
            found = _read(file, dataset, ids[wanted], channel)
        if crops is None:
            crops = np.empty((len(cells), *found.shape[1:]), dtype=np.float32)
        if found.shape[1:] != crops.shape[1:]:
            raise InputError(
                f"The crops of dataset {dataset!r} are {found.shape[1:]} px, those of the others "
                f"{crops.shape[1:]} px; extract all fields with the same image_size and channels."
            )
        crops[wanted] = found
    assert crops is not None  # cells is not empty
    return crops


def _read(file: h5py.File, dataset: str, ids: np.ndarray, channel: str | int | None) -> np.ndarray:
    images = _part(file, IMAGES)
    rows = _rows(file, dataset, ids)
    selected = slice(None) if channel is None else _position(file, dataset, channel)
    return np.stack([images[row, selected] for row in rows])


def _rows(file: h5py.File, dataset: str, ids: np.ndarray) -> np.ndarray:
    """Row of each id, found by value: neither order nor completeness of ids is assumed."""
    stored = _part(file, IDS)[:].astype("int64")
    hits = np.flatnonzero(np.isin(stored, ids))
    rows: dict[int, int] = {}
    for row in hits:
        if int(stored[row]) in rows:
            raise InputError(
                f"Dataset {dataset!r} ({file.filename}) stores cell {stored[row]} more than once, "
                "so its image is ambiguous; extract the field again."
            )
        rows[int(stored[row])] = int(row)
    for cell in ids:
        if int(cell) not in rows:
            raise InputError(
                f"Cell {cell} is not in dataset {dataset!r} ({file.filename}, {len(stored)} "
                "cells); make the feature table again from this dataset."
            )
    return np.array([rows[int(cell)] for cell in ids])


def _position(file: h5py.File, dataset: str, channel: str | int) -> int:
    names = _names(file)
    if isinstance(channel, str):
        if channel in names:
            return names.index(channel)
    elif 0 <= channel < len(names):
        return int(channel)
    raise InputError(
        f"Dataset {dataset!r} ({file.filename}) has no channel {channel!r}; it has "
        f"{', '.join(names)}: correct the channels of the study."
    )


def _names(file: h5py.File) -> list[str]:
    return [str(name) for name in _part(file, CHANNEL_NAMES).asstr()[:]]


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"Single-cell image file {os.fspath(path)} cannot be read ({error}); extract the "
            "field of view again."
        ) from error
    with file:
        yield file


def _part(file: h5py.File, name: str) -> h5py.Dataset:
    part = file.get(name)
    if not isinstance(part, h5py.Dataset):
        raise InputError(
            f"File {file.filename} holds no {name}, so it is not a single-cell image file of "
            "scPortrait; extract the field of view again."
        )
    return part
