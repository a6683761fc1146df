"""The manifest of a sample: a row for each of its fields of view, the excluded ones among them."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from autophagy_assets.analysis.identity import DATASET, FIRST_ID
from autophagy_assets.registry.datasets import pixel_um
from autophagy_assets.registry.fields import Field

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

OK, EXCLUDED = "ok", "excluded"


def row_of(field: Field) -> dict[str, Any]:
    """Row of the manifest of a field that has no files yet.

    Returns
    -------
    dict
        Columns of the manifest.
    """
    return {
        "sample": field.sample,
        "field": field.place,
        "genotype": field.genotype,
        "stimulation": field.stimulation,
        "clone": field.clone,
        "fov": field.fov,
        "status": OK,
        "reason": "",
        "n_cells": 0,
        DATASET: "",
        "spatialdata": "",
        "pixel_um": pixel_um(dict(field.labels)),
        "images": ";".join(uid for _, uid in field.images),
    }


def known_datasets(context: "StudyContext") -> list[dict[str, Any]]:
    """Manifest rows of fields whose single cells somebody else has made already."""
    rows = []
    for entry in context.registry.datasets.itertuples():
        field = Field(entry.genotype, entry.clone, entry.stimulation, entry.fov, ())
        if field.sample == context.partition:
            n_cells = -1 if pd.isna(entry.n_cells) else int(entry.n_cells)
            known = {"n_cells": n_cells, DATASET: entry.dataset, "pixel_um": entry.pixel_um}
            if FIRST_ID in context.registry.datasets:
                known[FIRST_ID] = entry.first_id
            rows.append(row_of(field) | known)
    return rows


def without(fields: list[Field], rows: list[dict[str, Any]]) -> list[Field]:
    """Fields that the manifest has no row of yet.

    Parameters
    ----------
    fields : list of Field
        Of one sample.
    rows : list of dict
        Rows of its manifest.
    """
    listed = {row["fov"] for row in rows}
    return [field for field in fields if field.fov not in listed]


def manifest_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Put the rows of a manifest into the order of its fields.

    Returns
    -------
    pandas.DataFrame
        Where fields share datasets, with ``first_id``: ids of a field's cells are above it.
    """
    table = pd.DataFrame(rows).sort_values("field", ignore_index=True)
    if FIRST_ID in table:
        table[FIRST_ID] = table[FIRST_ID].fillna(0).astype("int64")
    return table


def datasets_in(manifest: pd.DataFrame) -> list[Any]:
    """Datasets of a manifest that can be used: of each the row of its first field.

    Returns
    -------
    list of namedtuple
    """
    usable = manifest[manifest["status"] == OK].drop_duplicates(DATASET)
    return [*usable.itertuples()]
