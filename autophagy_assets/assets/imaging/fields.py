"""Fields of view within the imaging assets: imaged in a worker process, and stored."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.assets.imaging.field_files import add_files, files_of
from autophagy_assets.assets.imaging.finished_fields import remember
from autophagy_assets.assets.imaging.manifest import EXCLUDED, row_of
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.store.files import put
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.outputs import place_of
from autophagy_assets.staleness.materializations import IMAGED, WORKER_SECONDS

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

DAMAGED = "its file is gone or has changed"


@dataclass(frozen=True)
class Imaged:
    """What became of a field in a worker process.

    Parameters
    ----------
    outcome : FieldResult or InputError
        Its single cells, or why it cannot be used.
    entries : frozenset of str
        Entries of the study that were read.
    process : int
        Id of the process.
    core_seconds : float
        What it took of the processor, s.
    """

    outcome: Any
    entries: frozenset[str]
    process: int = 0
    core_seconds: float = 0.0


def image_field(job: tuple[Field, Mapping[str, Path]], study: Study, scratch: Path) -> Imaged:
    """Segment and extract one field; runs in a worker process.

    Parameters
    ----------
    job : tuple
        The field, and the image of each channel.
    scratch : pathlib.Path
        Where the two resulting files are left until they are stored.
    """
    from autophagy_assets.analysis.imaging.segmentation import process_field

    began = process_time()
    field, images = job
    noting = RecordedStudy.of(study)
    outcome: Any
    try:
        outcome = process_field(images, noting, scratch / derived(12, field.sample, field.fov))
    except InputError as error:
        outcome = error
    used = process_time() - began
    return Imaged(outcome, frozenset(noting.entries_read), os.getpid(), used)


def note_entries(context: "StudyContext", imaged: Imaged | Exception) -> None:
    """Note which entries of the study a worker has read.

    Parameters
    ----------
    imaged : Imaged or Exception
        Of a worker that failed, nobody knows what it had read: then all of them count.
    """
    known = imaged.entries if isinstance(imaged, Imaged) else set(context.study.values())
    context.study.entries_read.update(known)


def note_cost(context: "StudyContext", imaged: Imaged | Exception) -> None:
    """Add a field to what imaging has cost, by which the cost of others is foretold."""
    cost = context.recorder.measured
    cost[IMAGED] = cost.get(IMAGED, 0) + 1
    # What was worked on in this process is in its own seconds already.
    if isinstance(imaged, Imaged) and imaged.process != os.getpid():
        used = cost.get(WORKER_SECONDS, 0.0) + imaged.core_seconds
        cost[WORKER_SECONDS] = round(used, 2)


def readable_fields(
    context: "StudyContext", fields: list[Field]
) -> tuple[list[tuple[Field, dict[str, Path]]], list[dict[str, Any]]]:
    """Fetch the images of fields, verified; exclude those that cannot be read.

    Returns
    -------
    tuple of (list, list)
        Fields with the image of each channel; and rows of the manifest of the others.
    """
    jobs, rows = [], []
    for field in fields:
        images: dict[str, Path] = {}
        for channel, uid in field.images:
            try:
                images[channel] = context.read(uid)
            except IntegrityError as error:
                # A part of the version of the images, so that the field is tried again when the
                # image has been put back.
                context.registry.note_unreadable(uid, DAMAGED)
                reason = f"{error} Run 'autophagy ingest' on the folder of its images again."
                rows.append(row_of(field) | {"status": EXCLUDED, "reason": reason})
                context.log.warning(f"{field.name}: excluded: {reason}")
                break
        else:
            jobs.append((field, images))
    return jobs, rows


def describe_field(field: Field, imaged: Any) -> str:
    """One line for the log.

    Parameters
    ----------
    imaged : Imaged or Exception
    """
    outcome = imaged.outcome if isinstance(imaged, Imaged) else imaged
    if isinstance(outcome, Exception):
        return f"{field.name}: excluded: {outcome}"
    return f"{field.name}: {outcome.n_cells} cells"


def store_field(context: "StudyContext", field: Field, imaged: Any) -> dict[str, Any]:
    """Put the files of a field in the store; give its row of the manifest.

    Parameters
    ----------
    imaged : Imaged or Exception

    Returns
    -------
    dict
        Columns of the manifest.

    Raises
    ------
    Exception
        What is not a fault of the field, such as a full disk, is raised again.
    """
    outcome = imaged.outcome if isinstance(imaged, Imaged) else imaged
    row = row_of(field)
    if isinstance(outcome, (OSError, MemoryError)):
        raise outcome
    if isinstance(outcome, Exception):
        return row | {"status": EXCLUDED, "reason": str(outcome)}
    made = {DATASET: outcome.single_cells, "spatialdata": outcome.spatialdata}
    files = {
        name: put(partial(shutil.move, made[name]), *place_of(file.key))
        for name, file in files_of(context, field).items()
    }
    remember(context, field, files, outcome.n_cells)
    return row | add_files(context, field, files, outcome.n_cells)
