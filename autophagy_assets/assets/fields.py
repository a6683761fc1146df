"""Fields of view within the imaging assets: imaged in a worker process, and stored."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.assets.manifest import SET_ASIDE, row_of
from autophagy_assets.errors import InputError
from autophagy_assets.home import WORKERS_VARIABLE
from autophagy_assets.registry import labels as lab
from autophagy_assets.registry.datasets import SINGLE_CELL_IMAGES
from autophagy_assets.registry.fields import Field, study_slug
from autophagy_assets.registry.uids import derived
from autophagy_assets.study import Study

if TYPE_CHECKING:
    from autophagy_assets.analysis.segmentation import FieldResult
    from autophagy_assets.assets.context import StudyContext

CROPS, SPATIAL = "single_cell_data.h5ad", "spatialdata.zarr"


def workers() -> int | None:
    """Processes that image the fields of a sample.

    Returns
    -------
    int or None
        ``AUTOPHAGY_WORKERS``; None, where it is not set, for as many as the machine can run.

    Raises
    ------
    InputError
        If it is set to something that is no number of processes.
    """
    told = os.environ.get(WORKERS_VARIABLE, "")
    if told and not told.isdecimal():
        raise InputError(
            f"{WORKERS_VARIABLE}={told!r} is no number of processes; set it to 1 or more, or unset "
            "it for as many as this machine can run."
        )
    return int(told or 0) or None


def image_field(
    job: tuple[Field, Mapping[str, Path]], study: Study, scratch: Path
) -> "FieldResult":
    """Segment and extract one field; runs in a worker process.

    Parameters
    ----------
    job : tuple
        The field, and the image of each channel.
    study : Study
    scratch : pathlib.Path
        Where the two resulting files are left until they are stored.

    Returns
    -------
    FieldResult
    """
    from autophagy_assets.analysis.segmentation import process_field

    field, images = job
    return process_field(images, study, scratch / derived(12, field.sample, field.fov))


def describe_field(field: Field, outcome: Any) -> str:
    """One line for the log.

    Parameters
    ----------
    field : Field
    outcome : FieldResult or Exception

    Returns
    -------
    str
    """
    if isinstance(outcome, Exception):
        return f"{field.name}: set aside: {outcome}"
    return f"{field.name}: {outcome.n_cells} cells"


@dataclass(frozen=True)
class FieldFile:
    """A file that imaging leaves of a field: its key, description and labels."""

    key: str
    description: str
    labels: dict[str, str]


def files_of(context: "StudyContext", field: Field) -> dict[str, FieldFile]:
    """Describe the files that imaging leaves of a field.

    Parameters
    ----------
    context : StudyContext
    field : Field

    Returns
    -------
    dict
        By the column of the manifest that names them.
    """
    place = f"{study_slug(context.study)}/imaging/single_cell_images/{row_of(field)['field']}"
    labels = dict(field.labels) | {lab.STUDY: context.study.name}
    return {
        DATASET: FieldFile(
            f"{place}/{CROPS}",
            f"single cells of {field.name}",
            labels | {lab.KIND: SINGLE_CELL_IMAGES},
        ),
        "spatialdata": FieldFile(
            f"{place}/{SPATIAL}",
            f"images, masks and cell centres of {field.name}",
            labels | {lab.KIND: "spatialdata"},
        ),
    }


def store_field(context: "StudyContext", field: Field, outcome: Any) -> dict[str, Any]:
    """Put the files of a field in the store; tell its row of the manifest.

    Parameters
    ----------
    context : StudyContext
    field : Field
    outcome : FieldResult or Exception

    Returns
    -------
    dict
        Columns of the manifest.

    Raises
    ------
    Exception
        What is not a fault of the field, such as a full disk, is raised again.
    """
    row = row_of(field)
    if isinstance(outcome, (OSError, MemoryError)):
        raise outcome
    if isinstance(outcome, Exception):
        return row | {"status": SET_ASIDE, "reason": str(outcome)}
    made = {DATASET: outcome.single_cells, "spatialdata": outcome.spatialdata}
    counts = {DATASET: outcome.n_cells}
    for name, file in files_of(context, field).items():
        stored = context.recorder.put(
            lambda path, name=name: shutil.move(made[name], path),
            file.key,
            file.description,
            file.labels,
            kind="dataset",
            rows=counts.get(name),
            made_from=tuple(uid for _, uid in field.images),
        )
        row[name] = stored.record.uid
    return row | {"n_cells": outcome.n_cells}
