"""Files of fields of view that imaging writes: their keys, descriptions and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.registry.datasets import SINGLE_CELL_IMAGES
from autophagy_assets.registry.fields import Field, study_slug
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.files import StoredFile
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import place_of

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

SPATIAL = "spatialdata"
SUFFIXES = {DATASET: ".h5ad", SPATIAL: ".zarr"}
FILES = "files"  # of a field that is still to be put together with others
ALONE = "_alone"  # folder of such files; no field is called so, as keys have no underscores


@dataclass(frozen=True)
class FieldFile:
    """File that imaging writes for one field or several: its key, description and labels."""

    key: str
    description: str
    labels: dict[str, Any]


def files_of(
    context: "StudyContext", fields: Sequence[Field], place: str | None = None
) -> dict[str, FieldFile]:
    """Describe the files that imaging writes for a field, or for several that share a dataset.

    Parameters
    ----------
    fields : sequence of Field
        Of one sample.
    place : str, optional
        Sample and folder; by default that of the first field.

    Returns
    -------
    dict
        By the column of the manifest that names them.
    """
    first, last = fields[0], fields[-1]
    name = first.name if len(fields) == 1 else f"{first.name} to {last.fov}"
    labels = _labels(fields) | {lab.STUDY: context.study.name}
    return {
        DATASET: FieldFile(
            _key(context, place or first.place, DATASET, "single_cell_data"),
            f"single cells of {name}",
            labels | {lab.KIND: SINGLE_CELL_IMAGES},
        ),
        SPATIAL: FieldFile(
            _key(context, place or first.place, SPATIAL, SPATIAL),
            f"images, masks and cell centres of {name}",
            labels | {lab.KIND: SPATIAL},
        ),
    }


def _key(context: "StudyContext", place: str, column: str, file: str) -> str:
    within = (*place.split("/"), file)
    study = study_slug(context.study)
    return str(ArtifactKey(study, "imaging", "single_cell_images", SUFFIXES[column], *within))


def _labels(fields: Sequence[Field]) -> dict[str, Any]:
    """Labels by their kind; where fields differ, all of them."""
    found: dict[str, Any] = {}
    for kind, name in (label for field in fields for label in field.labels):
        found.setdefault(kind, {})[name] = None
    return {
        kind: [*names] if len(names) > 1 else next(iter(names)) for kind, names in found.items()
    }


def places_in_store(context: "StudyContext", field: Field) -> dict[str, tuple[Path, str]]:
    """Folder of the store for each file of a field that is being made, and its ending.

    Returns
    -------
    dict
        By the column of the manifest that names them.
    """
    place = f"{field.sample}/{ALONE}" if share_datasets(context) else None
    return {name: place_of(file.key) for name, file in files_of(context, [field], place).items()}


def share_datasets(context: "StudyContext") -> bool:
    """Whether fields of view of a sample share datasets."""
    return context.study.storage.fields_per_dataset > 1


def add_files(
    context: "StudyContext", field: Field, files: Mapping[str, StoredFile], n_cells: int
) -> dict[str, Any]:
    """Queue the files of a field for registration when the step ends.

    Parameters
    ----------
    files : mapping of str to StoredFile
        By the column of the manifest that names them; in the store.

    Returns
    -------
    dict
        Columns of the manifest. Of a field that shares a dataset with others nothing is registered
        yet, and there are its ``files``.
    """
    columns: dict[str, Any] = {"n_cells": n_cells}
    if share_datasets(context):
        return columns | {FILES: {name: file.path for name, file in files.items()}}
    for name, file in files_of(context, [field]).items():
        output = context.recorder.add(
            files[name],
            file.key,
            file.description,
            file.labels,
            kind="dataset",
            rows=n_cells if name == DATASET else None,
            made_from=tuple(uid for _, uid in field.images),
        )
        columns[name] = output.record.uid
    return columns
