"""Fields of view within a SpatialData store: one, or several that lie below each other.

A store of several says so in its attributes. All of them have one size, at every resolution, and
the ids of their cells follow each other. Not here: how they are put together (``together``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autophagy_assets.errors import InputError

FIELDS = "fields"  # attribute of a store


@dataclass(frozen=True)
class Region:
    """A field of view within a store.

    Attributes
    ----------
    fov : str
        Its label; empty where the store has a single field.
    number, count : int
        Its place from above, from 0, and how many fields there are.
    top : int
        Its first row at full resolution.
    first_id, last_id : int
        Ids of its cells in the store are above the first, up to the last one; the id of a cell in
        its own field is as much smaller as the first one says.
    """

    fov: str
    number: int
    count: int
    top: int
    first_id: int
    last_id: int

    def rows(self, height: int) -> slice:
        """Rows of the field in an image of the store.

        Parameters
        ----------
        height : int
            Of the image, px.
        """
        own = height // self.count
        return slice(self.number * own, (self.number + 1) * own)


_LAST = int(np.iinfo("int64").max)
WHOLE = Region("", 0, 1, 0, 0, _LAST)


def regions_of(store: str | os.PathLike[str]) -> list[Region]:
    """Fields of view of a SpatialData store, from above.

    Returns
    -------
    list of Region
        At least one.

    Raises
    ------
    InputError
        If the store cannot be read.
    """
    with opened(store) as group:
        known: Any = group.attrs.get(FIELDS)
    if not known:
        return [WHOLE]
    lasts = [*(field["first_id"] for field in known[1:]), _LAST]
    return [
        Region(field["fov"], number, len(known), field["top"], field["first_id"], last)
        for number, (field, last) in enumerate(zip(known, lasts, strict=True))
    ]


@contextmanager
def opened(store: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a SpatialData store without reading it.

    Raises
    ------
    InputError
        If it cannot be read, or lacks what is asked of it.
    """
    import zarr  # half a second that not everybody needs

    try:
        yield zarr.open_group(os.fspath(store), mode="r")
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"SpatialData store {os.fspath(store)} cannot be read ({error!r}); segment the field "
            "of view again."
        ) from error


@dataclass(frozen=True)
class FieldFiles:
    """Files that hold the cells of a field of view: its own, or shared with other fields.

    Parameters
    ----------
    fov : str
        Label of the field.
    crops, spatialdata : pathlib.Path
        An h5sc file and a SpatialData store.
    within : str, optional
        Label that it has in them, where several fields were put together.
    """

    fov: str
    crops: Path
    spatialdata: Path
    within: str | None = None

    @cached_property
    def region(self) -> Region:
        """The field within its store."""
        if self.within is None:
            return WHOLE
        return next(one for one in regions_of(self.spatialdata) if one.fov == self.within)


def region_of_cell(found: Sequence[Region], cell_id: int) -> Region:
    """Find the field of view of a cell within its store.

    Parameters
    ----------
    found : sequence of Region
        Of one store, from above.
    """
    return next((one for one in found if cell_id <= one.last_id), found[-1])


def places_of_cells(first_ids: np.ndarray, cell_ids: np.ndarray) -> np.ndarray:
    """Index of each cell's field of view among those of its dataset.

    Parameters
    ----------
    first_ids : numpy.ndarray of int, shape (n_fields,)
        Rising; that of the first field counts as lower than any id.
    cell_ids : numpy.ndarray of int, shape (n_cells,)

    Returns
    -------
    numpy.ndarray of int, shape (n_cells,)
    """
    return np.maximum(np.searchsorted(first_ids, cell_ids, side="left") - 1, 0)
