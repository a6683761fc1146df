"""Fields of view within the imaging assets: jobs for workers, and their results."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.assets.imaging.field_files import add_files, places_in_store
from autophagy_assets.assets.imaging.field_work import Places, WorkerResult, require_visible
from autophagy_assets.assets.imaging.finished_fields import remember
from autophagy_assets.assets.imaging.manifest import EXCLUDED, row_of
from autophagy_assets.assets.imaging.work import work_on
from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.store.storage import publish

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

DAMAGED = "its file is gone or has changed"


def note_entries(context: "StudyContext", worked: WorkerResult | Exception) -> None:
    """Note which entries of the study a worker has read.

    Parameters
    ----------
    worked : WorkerResult or Exception
        Of a worker that failed, nobody knows what it had read: then all of them count.
    """
    known = worked.entries if isinstance(worked, WorkerResult) else set(context.study.values())
    context.study.entries_read.update(known)


def readable_fields(
    context: "StudyContext", fields: list[Field]
) -> tuple[list[tuple[Field, dict[str, Path], Places]], list[dict[str, Any]]]:
    """Fetch the images of fields, verified; exclude those that cannot be read.

    Returns
    -------
    tuple of (list, list)
        Fields with the image of each channel and the places of their files, as jobs for a worker;
        and rows of the manifest of the others.
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
            jobs.append((field, images, places_in_store(context, field)))
    return jobs, rows


def what_is_imaged(job: tuple[Field, dict[str, Path], Places]) -> list[Any]:
    """Describe the job of a field: its images by their version, and where its files go."""
    field, images, places = job
    return [field.place, field.images, images, places]


def in_order(
    context: "StudyContext", function: Callable[..., WorkerResult], jobs: list[Any]
) -> list[Any]:
    """Results of workers, in the order of the jobs.

    Parameters
    ----------
    function : callable
        Takes a job and a study; does little enough for the step's own process, where fields are
        worked on here.

    Returns
    -------
    list
        What was made of each.

    Raises
    ------
    Exception
        With which one of them failed.
    """
    elsewhere = context.compute.elsewhere
    numbered = partial(_numbered, function, study=context.study, elsewhere=elsewhere)
    found = {}
    given = list(enumerate(jobs))
    with closing(
        work_on(context, numbered, given, partial(_what, function), here=True)
    ) as outcomes:
        for (number, _), worked in outcomes:
            if isinstance(worked, Exception):
                raise worked
            note_entries(context, worked)
            found[number] = worked.outcome
    return [found[number] for number in range(len(jobs))]


def _numbered(
    function: Callable[..., WorkerResult], job: tuple[int, Any], study: Any, elsewhere: bool
) -> WorkerResult:
    _, given = job
    if elsewhere:
        parts = given if isinstance(given, tuple) else (given,)
        require_visible(part for part in parts if isinstance(part, Path))
    return function(given, study)


def _what(function: Callable[..., WorkerResult], numbered: tuple[int, Any]) -> list[Any]:
    function = getattr(function, "func", function)  # what partial adds is no part of the job
    return [function.__qualname__, numbered[1]]


def describe_field(field: Field, worked: WorkerResult | Exception) -> str:
    """One line for the log."""
    outcome = worked.outcome if isinstance(worked, WorkerResult) else worked
    if isinstance(outcome, Exception):
        return f"{field.name}: excluded: {outcome}"
    return f"{field.name}: {outcome.n_cells} cells"


def row_of_worked(
    context: "StudyContext", field: Field, worked: WorkerResult | Exception
) -> dict[str, Any]:
    """Queue the files of a field for registration; return its row of the manifest.

    Returns
    -------
    dict
        Columns of the manifest.

    Raises
    ------
    Exception
        What is not a fault of the field, such as a full disk, is raised again.
    """
    outcome = worked.outcome if isinstance(worked, WorkerResult) else worked
    row = row_of(field)
    if isinstance(outcome, (OSError, MemoryError)):
        raise outcome
    if isinstance(outcome, Exception):
        return row | {"status": EXCLUDED, "reason": str(outcome)}
    for file in outcome.files.values():
        publish(file)
    remember(context, field, outcome.files, outcome.n_cells)
    return row | add_files(context, field, outcome.files, outcome.n_cells)
