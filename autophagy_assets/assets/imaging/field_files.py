"""The files that imaging leaves of a field of view: their keys, descriptions and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.registry.datasets import SINGLE_CELL_IMAGES
from autophagy_assets.registry.fields import Field, study_slug
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.files import StoredFile
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.keys import ArtifactKey

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

SPATIAL = "spatialdata"


@dataclass(frozen=True)
class FieldFile:
    """A file that imaging leaves of a field: its key, description and labels."""

    key: str
    description: str
    labels: dict[str, str]


def files_of(context: "StudyContext", field: Field) -> dict[str, FieldFile]:
    """Describe the files that imaging leaves of a field.

    Returns
    -------
    dict
        By the column of the manifest that names them.
    """
    study, place = study_slug(context.study), (field.sample, slug(field.fov))

    def key(suffix: str, file: str) -> str:
        return str(ArtifactKey(study, "imaging", "single_cell_images", suffix, *place, file))

    labels = dict(field.labels) | {lab.STUDY: context.study.name}
    return {
        DATASET: FieldFile(
            key(".h5ad", "single_cell_data"),
            f"single cells of {field.name}",
            labels | {lab.KIND: SINGLE_CELL_IMAGES},
        ),
        SPATIAL: FieldFile(
            key(".zarr", SPATIAL),
            f"images, masks and cell centres of {field.name}",
            labels | {lab.KIND: SPATIAL},
        ),
    }


def add_files(
    context: "StudyContext", field: Field, files: Mapping[str, StoredFile], n_cells: int
) -> dict[str, Any]:
    """Have the files of a field registered when the step ends.

    Parameters
    ----------
    files : mapping of str to StoredFile
        By the column of the manifest that names them; in the store.

    Returns
    -------
    dict
        Columns of the manifest.
    """
    columns: dict[str, Any] = {"n_cells": n_cells}
    for name, file in files_of(context, field).items():
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
