"""Crops of several fields of view in one h5sc file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from autophagy_assets.analysis.galleries.crops import IDS, IMAGES
from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.errors import InputError

FOV, ID_IN_FIELD = "fov", "id_in_field"  # columns


def ids_of(field: FieldFiles) -> np.ndarray:
    """Ids within their field of the cells that have crops.

    Returns
    -------
    numpy.ndarray of int, shape (n_cells,)
        In the order of the crops.
    """
    with h5py.File(field.crops, "r") as file:
        return file[IDS][_rows(file, field)].astype("int64") - field.region.first_id


def _rows(file: h5py.File, field: FieldFiles) -> slice:
    """Rows of a file of crops that are of a field; they lie together."""
    if field.within is None:
        return slice(0, file[IDS].shape[0])
    there = np.flatnonzero(file[f"obs/{FOV}"].asstr()[:] == field.within)
    return slice(int(there[0]), int(there[-1]) + 1)


def write_crops(
    fields: Sequence[FieldFiles], firsts: Sequence[int], own: Sequence[np.ndarray], out: Path
) -> None:
    """Write the crops of fields into one file.

    Parameters
    ----------
    firsts : sequence of int
        What is added to the ids of each field.
    own : sequence of numpy.ndarray of int
        Ids of the cells of each field, from :func:`ids_of`.
    out : pathlib.Path
        Is written.

    Raises
    ------
    InputError
        If crops differ in size.
    """
    n_cells = sum(map(len, own))
    with h5py.File(out, "w") as file:
        with h5py.File(fields[0].crops, "r") as first:
            _copy(first, file, n_cells)
            images, shape = first[IMAGES], (n_cells, *first[IMAGES].shape[1:])
            made = file.create_dataset(
                IMAGES, shape, images.dtype, chunks=images.chunks, compression=images.compression,
                compression_opts=images.compression_opts,
            )  # fmt: skip
            _copy_attributes(images, made, n_cells)
        start = 0
        for field, ids in zip(fields, own, strict=True):
            with h5py.File(field.crops, "r") as source:
                _copy_images(source[IMAGES], made, _rows(source, field), start, field)
            start += len(ids)
        moved = [ids + first for ids, first in zip(own, firsts, strict=True)]
        names = [field.fov for field, ids in zip(fields, own, strict=True) for _ in ids]
        _write_obs(file, np.concatenate(moved), np.concatenate(own), names)


def _copy_images(
    source: h5py.Dataset, made: h5py.Dataset, rows: slice, start: int, field: FieldFiles
) -> None:
    if source.shape[1:] != made.shape[1:] or source.chunks != made.chunks:
        raise InputError(
            f"The crops of {field.fov} are {source.shape[1:]}, and those of other fields of its "
            f"sample {made.shape[1:]}: image all of them with the same image_size and channels."
        )
    # As they are compressed: each chunk is one channel of one cell.
    for row in range(rows.start, rows.stop):
        for channel in range(source.shape[1]):
            mask, chunk = source.id.read_direct_chunk((row, channel, 0, 0))
            place = (start + row - rows.start, channel, 0, 0)
            made.id.write_direct_chunk(place, chunk, mask)


def _copy(source: h5py.Group, made: h5py.Group, n_cells: int) -> None:
    """Copy all but what is about single cells, value by value, so that bytes follow from values."""
    _copy_attributes(source, made, n_cells)
    for name in sorted(source):
        member = source[name]
        if member.name == "/obs":
            continue
        if isinstance(member, h5py.Group):
            _copy(member, made.create_group(name), n_cells)
        elif member.name != f"/{IMAGES}":
            value = n_cells if name == "n_cells" else member[()]
            _copy_attributes(member, made.create_dataset(name, data=value, dtype=member.dtype), 0)


def _copy_attributes(source: Any, made: Any, n_cells: int) -> None:
    for name in sorted(source.attrs):
        value = n_cells if name == "n_cells" else source.attrs[name]
        made.attrs.create(name, value, dtype=source.attrs.get_id(name).dtype)


def _write_obs(file: h5py.File, ids: np.ndarray, own: np.ndarray, names: list[str]) -> None:
    """Write what is known of each cell as AnnData writes a table."""
    obs, text = file.create_group("obs"), h5py.string_dtype()
    index = [str(row) for row in range(len(ids))]
    columns = {CELL_ID: ids.astype("uint64"), FOV: names, ID_IN_FIELD: own.astype("uint64")}
    for name, values in {"_index": index, **columns}.items():
        words = isinstance(values, list)
        made = obs.create_dataset(name, data=values, dtype=text if words else None)
        made.attrs["encoding-type"] = "string-array" if words else "array"
        made.attrs["encoding-version"] = "0.2.0"
    known = {"_index": "_index", "encoding-type": "dataframe", "encoding-version": "0.2.0"}
    for name, value in known.items():
        obs.attrs[name] = value
    obs.attrs.create("column-order", list(columns), dtype=text)
