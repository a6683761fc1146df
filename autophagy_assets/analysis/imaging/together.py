"""Merging fields of view of a sample into one file of crops and one SpatialData store.

What comes out depends on the fields and their order alone, and not on whether a field comes from
files of its own or from an earlier dataset of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autophagy_assets.analysis.identity import FIRST_ID
from autophagy_assets.analysis.imaging.process_settings import quiet
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.analysis.imaging.shared_crops import ids_of, write_crops
from autophagy_assets.analysis.imaging.shared_store import highest_id, write_store
from autophagy_assets.errors import InputError

MOST_CELLS = 50_000  # in a file


def put_together(
    fields: Sequence[FieldFiles], crops: Path, spatialdata: Path
) -> list[dict[str, Any]]:
    """Merge the cells of several fields of view into one dataset.

    Parameters
    ----------
    fields : sequence of FieldFiles
        In the order in which they shall lie.
    crops, spatialdata : pathlib.Path
        Are written; must not exist.

    Returns
    -------
    list of dict
        ``fov``, ``first_id`` and ``n_cells`` of each field. The id of a cell is the one in its
        field plus ``first_id``; both, and the field, are columns of the crops.

    Raises
    ------
    InputError
        If there are more than 50,000 cells, or fields or crops differ in size.
    """
    ids = [ids_of(field) for field in fields]
    highest = [max(highest_id(field), *own) for field, own in zip(fields, ids, strict=True)]
    firsts = [sum(highest[:place]) for place in range(len(fields))]
    n_cells = sum(map(len, ids))
    if n_cells > MOST_CELLS:
        raise InputError(
            f"{len(fields)} fields of view have {n_cells:,} cells, and a dataset holds at most "
            f"{MOST_CELLS:,}: lower storage.fields_per_dataset in the study file."
        )
    write_crops(fields, firsts, ids, crops)
    with quiet():  # zarr warns of every table of points
        write_store(fields, firsts, spatialdata)
    return [
        {"fov": field.fov, FIRST_ID: first, "n_cells": len(own)}
        for field, first, own in zip(fields, firsts, ids, strict=True)
    ]
