"""Images, masks and centres of several fields of view in one SpatialData store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import FIRST_ID
from autophagy_assets.analysis.imaging.regions import FIELDS, FieldFiles
from autophagy_assets.errors import InputError

_MASKS = "labels/"
_DECIMALS = 6  # of the centre of a nucleus, px


def highest_id(field: FieldFiles) -> int:
    """Find the highest id in the masks of a field."""
    import zarr

    store: Any = zarr.open_group(field.spatialdata, mode="r")
    masks = [
        array[field.region.rows(array.shape[-2])]
        for name, array in _arrays(store)
        if name.startswith(_MASKS) and _is_full(store, name)
    ]
    highest = max((int(mask.max(initial=0)) for mask in masks), default=0)
    return max(0, highest - field.region.first_id)


def _arrays(store: Any) -> list[tuple[str, Any]]:
    """Arrays of images and masks of a store by their paths, sorted."""
    found = []
    for kind in ("images", "labels"):
        for name, element in sorted(store[kind].groups()):
            found += [
                (f"{kind}/{name}/{level}", array) for level, array in sorted(element.arrays())
            ]
    return found


def _is_full(store: Any, name: str) -> bool:
    """Whether an array is the first resolution of its element."""
    attributes = dict(store[name.rpartition("/")[0]].attrs)
    first = attributes.get("ome", attributes)["multiscales"][0]["datasets"][0]["path"]
    return name.endswith(f"/{first}")


def write_store(fields: Sequence[FieldFiles], firsts: Sequence[int], out: Path) -> None:
    """Write images, masks and centres of fields into one store, below each other.

    Parameters
    ----------
    firsts : sequence of int
        What is added to the ids of each field.
    out : pathlib.Path
        Is written.

    Raises
    ------
    InputError
        If fields differ in size.
    """
    import zarr

    first: Any = zarr.open_group(fields[0].spatialdata, mode="r")
    made: Any = zarr.open_group(out, mode="w", zarr_format=3)
    for kind in sorted(name for name, _ in first.groups()):
        made.require_group(kind).attrs.update(dict(first[kind].attrs))
        for name, element in sorted(first[kind].groups()):
            made.require_group(f"{kind}/{name}").attrs.update(dict(element.attrs))
    height = 0
    for name, array in _arrays(first):
        own = array.shape[-2] // fields[0].region.count
        if _is_full(first, name):
            height = own
        whole = made.create_array(
            name, shape=(*array.shape[:-2], own * len(fields), array.shape[-1]),
            chunks=array.chunks, dtype=array.dtype, compressors=array.compressors,
            filters=array.filters, fill_value=array.fill_value, attributes=dict(array.attrs),
            dimension_names=array.metadata.dimension_names,
        )  # fmt: skip
        for place, (field, first_id) in enumerate(zip(fields, firsts, strict=True)):
            values = _values(field, name, first_id)
            if values.shape != (*whole.shape[:-2], own, whole.shape[-1]):
                raise InputError(
                    f"The image of {field.fov} is {values.shape[-2:]} px, and those of other "
                    f"fields of its sample {(own, whole.shape[-1])}: fields of one size share a "
                    "dataset; leave storage.fields_per_dataset at 1."
                )
            whole[..., place * own : (place + 1) * own, :] = values
    noted = [
        {"fov": field.fov, FIRST_ID: first_id, "top": place * height}
        for place, (field, first_id) in enumerate(zip(fields, firsts, strict=True))
    ]
    made.attrs.update({**dict(first.attrs), FIELDS: noted})
    _write_points(fields, firsts, height, out)
    _consolidate(fields[0].spatialdata, out)


def _values(field: FieldFiles, name: str, first_id: int) -> np.ndarray:
    """An image or mask of a field, with the ids that its cells get."""
    import zarr

    store: Any = zarr.open_group(field.spatialdata, mode="r")
    region = field.region
    values = store[name][..., region.rows(store[name].shape[-2]), :]
    if not name.startswith(_MASKS):
        return values
    moved = values.astype("int64") - region.first_id + first_id
    return np.where(values > 0, moved, 0).astype(values.dtype)


def _write_points(
    fields: Sequence[FieldFiles], firsts: Sequence[int], height: int, out: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for folder in sorted((fields[0].spatialdata / "points").glob("*/points.parquet")):
        parts = []
        for place, (field, first_id) in enumerate(zip(fields, firsts, strict=True)):
            region = field.region
            centres = pq.read_table(
                field.spatialdata / folder.relative_to(fields[0].spatialdata)
            ).to_pandas()
            centres = centres[(centres.index > region.first_id) & (centres.index <= region.last_id)]
            centres.index = centres.index - region.first_id + first_id
            # Rounded, so that what is moved back and forth is the same again.
            own = (centres["y"] - region.top).round(_DECIMALS)
            centres["y"] = (own + place * height).round(_DECIMALS)
            parts.append(centres)
        made = out / folder.relative_to(fields[0].spatialdata)
        made.mkdir(parents=True)
        whole = pd.concat(parts)
        pq.write_table(pa.Table.from_pandas(whole), made / "part.0.parquet")


def _consolidate(like: Path, out: Path) -> None:
    """Write consolidated metadata, sorted, where the stores of the fields have it."""
    import zarr

    if "consolidated_metadata" not in json.loads((like / "zarr.json").read_text()):
        return
    zarr.consolidate_metadata(out)
    place = out / "zarr.json"
    known = json.loads(place.read_text())
    parts = known["consolidated_metadata"]["metadata"]
    known["consolidated_metadata"]["metadata"] = dict(sorted(parts.items()))
    place.write_text(json.dumps(known, indent=2))
