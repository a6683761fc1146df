"""Centres of nuclei in a field of view, read from the parquet file of a SpatialData store."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq

from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.analysis.imaging.regions import WHOLE, Region
from autophagy_assets.errors import InputError

CENTRES = "points/centers_seg_all_nucleus/points.parquet"


def read_centres(
    store: str | os.PathLike[str], region: Region = WHOLE
) -> dict[int, tuple[float, float]]:
    """Centres of the nuclei of a field of view.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store.
    region : Region, optional
        Which field of the store, where it has several.

    Returns
    -------
    dict of int to (float, float)
        Row and column in the field by the id of the cell in the store.

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
    if region.count > 1:
        centres = centres[(centres.index > region.first_id) & (centres.index <= region.last_id)]
        centres = centres.assign(y=centres["y"] - region.top)
    places = zip(centres["y"], centres["x"], strict=True)
    return {int(i): (float(y), float(x)) for i, (y, x) in zip(centres.index, places, strict=True)}


def read_centre(
    store: str | os.PathLike[str], cell_id: int, region: Region = WHOLE
) -> tuple[float, float]:
    """Centre of the nucleus of a cell, as :func:`read_centres` has it.

    Raises
    ------
    InputError
        If the store does not have the cell.
    """
    centres = read_centres(store, region)
    if cell_id not in centres:
        raise InputError(
            f"Cell {cell_id} ({CELL_ID}) is not among the {len(centres)} cells of {store}; use "
            "the store that was made with this cell's dataset."
        )
    return centres[cell_id]
