"""Processing fields of view: names of jobs, and progress."""

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from autophagy_assets.compute.progress import Note, Notes, Progress
from autophagy_assets.config.home import Home
from autophagy_assets.registry.store.instance import storage_root

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

EVERY_S = 1.0  # between two notes for the terminal
# Metadata of a step that has had fields worked on.
FIELDS, FIELDS_A_MINUTE, PLACE, DASHBOARD = (
    "fields_worked_on",
    "fields_a_minute",
    "fields_worked_on_at",
    "dask_dashboard",
)


def work_on(
    context: "StudyContext",
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    what: Callable[[Any], Any],
    *,
    here: bool = False,
) -> Generator[tuple[Any, Any], None, None]:
    """Apply a function to every job, one for each field, and report progress.

    Parameters
    ----------
    function : callable
        Takes one job. Has to be importable, as jobs and results have to be picklable.
    jobs : sequence
        One item per field of view.
    what : callable
        Gives what a job is, JSON-like but for paths. With function, study and store it is the same
        for the same work: what workers elsewhere do for a run that is killed is found by it.
    here : bool
        On this machine, do it in this process, one after the other.

    Yields
    ------
    job : object
        One of ``jobs``, as each is done, in any order.
    outcome : object or Exception
        What the function returned, or the exception with which it failed.
    """
    # Not above: workers import this module, and have no business with Dagster.
    import dagster as dg

    from autophagy_assets.staleness.upstream import Target

    if not jobs:
        return
    progress, notes, noted = Progress(len(jobs)), Notes(Home.locate().progress), monotonic()
    step = str(Target(context.recorder.step.asset, context.recorder.step.partition))
    measured = context.recorder.measured
    measured[PLACE], said, link, began = context.compute.name, "", "", time()

    def note() -> None:
        notes.write(step, Note(progress.done, progress.total, began, said, link))

    def show(address: str) -> None:
        nonlocal link
        context.log.info(f"Dask's dashboard, on the machine of the scheduler: {address}")
        link, measured[DASHBOARD] = address, dg.MetadataValue.url(address)
        note()

    def names() -> list[str]:
        return [_name(context, function, what(job)) for job in jobs]

    asked = context.compute.map(function, jobs, names, context.log.warning, show, here=here)
    note()
    try:
        with closing(asked) as outcomes:
            for job, outcome in outcomes:
                if sentence := progress.one_more():
                    context.log.info(said := sentence)
                if monotonic() - noted >= EVERY_S or sentence:
                    noted = monotonic()
                    note()
                a_minute = round(60 * progress.done / max(progress.seconds(), 0.1), 1)
                measured |= {FIELDS: progress.done, FIELDS_A_MINUTE: a_minute}
                yield job, outcome
    finally:
        notes.remove(step)


def _name(context: "StudyContext", function: Any, job: Any) -> str:
    function = getattr(function, "func", function)  # what partial adds is no part of the job
    told = [function.__qualname__, str(storage_root()), context.study.values(), job]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
