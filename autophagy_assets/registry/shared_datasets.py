"""Which fields of view share a dataset, and the notes about them with its artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from autophagy_assets.analysis.evidence.field_groups import natural
from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import Field

FIELDS, IMAGES = "fields", "images"  # as they are noted with an artifact


def dataset_places(study: Study, fields: Collection[Field]) -> dict[Field, str]:
    """Key of the dataset of each field of view: its own, or one that fields share.

    Parameters
    ----------
    study : Study
        Says how many fields of a sample share a dataset.
    fields : collection of Field
        All of their samples.

    Returns
    -------
    dict of Field to str
        Sample and folder, as keys name them. Of a sample whose fields share datasets, they are
        in the order in which people count, and all datasets but the last have as many fields:
        what fields a dataset has follows from the registered images alone.
    """
    each = study.storage.fields_per_dataset
    if each == 1:
        return {field: field.place for field in fields}
    found, counted = {}, Counter[str]()
    for field in sorted(fields, key=lambda field: (field.sample, natural(field.fov), field.fov)):
        found[field] = f"{field.sample}/fields-{counted[field.sample] // each + 1}"
        counted[field.sample] += 1
    return found


def fields_of(notes: Any) -> list[dict[str, Any]]:
    """Fields of view that share a dataset, as is noted with its artifact.

    Parameters
    ----------
    notes : object
        ``extra_data`` of the artifact.

    Returns
    -------
    list of dict
        ``fov``, ``first_id``, ``n_cells`` and ``images`` (uids) of each, in the order of their
        ids; empty for a dataset of one field.
    """
    return list((notes or {}).get(FIELDS, ()))
