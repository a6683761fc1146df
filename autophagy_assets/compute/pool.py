"""Processing of many fields of view in several processes; one that fails does not stop the others.

Processes are forked from a *fork server* that imports scPortrait once (8 s) and freezes what
the imports left for the garbage collector. It is ours rather than ``multiprocessing``'s
forkserver because that one is shared by everything in a process, Dagster's executor included,
and preloads what its first user asked for.
"""

from __future__ import annotations

import atexit
import math
import multiprocessing
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from autophagy_assets.compute.fork_server import (
    FINISHED,
    WorkerDied,
    attempt,
    in_worker,
    run_fork_server,
)
from autophagy_assets.compute.limits import granted_memory, granted_processors

__all__ = ["WorkerDied", "default_workers", "map_fields"]

Job = TypeVar("Job")
Result = TypeVar("Result")

PRELOAD = ("autophagy_assets.analysis.imaging.scportrait_steps",)
# One thread per worker: several workers with several threads each only wait for each other.
# Numba's default thread layer cannot be forked once it has started; "workqueue" can.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NUMBA_THREADING_LAYER": "workqueue",
    "NUMEXPR_NUM_THREADS": "1",
}
# Measured: a worker has 0.4 GB for itself with a field of 1080 x 1080 px, 0.9 GB with one of
# 2160 x 2160; the fork server, with the imports that workers share, 0.7 GB, and a run about as
# much.
WORKER_BYTES, PROCESS_BYTES = 1.0e9, 1.5e9


def default_workers() -> int:
    """Count the processes that this machine can really run at once.

    Returns
    -------
    int
        At least 1; the processors that this process may use, or fewer where its control group
        (a container, a batch job) is granted less time, or where the memory that it is granted
        does not hold as many.
    """
    fitting = (granted_memory() - PROCESS_BYTES) / WORKER_BYTES
    processors = math.ceil(granted_processors())
    return max(1, processors if fitting >= processors else int(fitting))


def map_fields(
    function: Callable[[Job], Result],
    jobs: Iterable[Job],
    workers: int | None = None,
    preload: Sequence[str] = PRELOAD,
    *,
    apart: bool = False,
) -> Iterator[tuple[Job, Result | Exception]]:
    """Apply a function to every job in several processes.

    Parameters
    ----------
    function : callable
        Takes one job. Has to be importable (a module's function, or a ``functools.partial`` of
        one), as jobs and results have to be picklable.
    jobs : iterable
        One item per field of view.
    workers : int, optional
        Number of processes; default ``default_workers()``. With 1, or a single job, the work
        is done in this process.
    preload : sequence of str
        Modules that are imported once for all workers.
    apart : bool
        Never work in this process: it stays free of what the work imports, and outlives a
        worker that is killed.

    Yields
    ------
    job : object
        One of ``jobs``, as each is done, in any order.
    outcome : object or Exception
        What the function returned, or the exception with which it failed. A process that was
        killed gives a ``WorkerDied`` for the job that it had; the other jobs go on.

    Notes
    -----
    Abandoning the iterator ends the processes. ``__main__`` is imported by the fork server, so a
    script needs its ``if __name__ == "__main__"``.
    """
    jobs = list(jobs)
    count = min(workers or default_workers(), len(jobs))
    if count <= 1 and not (apart and jobs):
        for job in jobs:
            yield job, attempt(function, job)
        return
    with tempfile.TemporaryDirectory(prefix="fields-") as scratch:
        fork_server, link = _start_fork_server(function, jobs, count, preload, scratch)
        # Closing the link lets the fork server end its workers and itself. When the interpreter
        # exits in the middle, this comes before multiprocessing waits for its processes.
        atexit.register(link.close)
        try:
            yield from _collect(link, jobs)
        finally:
            atexit.unregister(link.close)
            link.close()
            fork_server.join(timeout=10)
            if fork_server.is_alive():
                fork_server.kill()
                fork_server.join()


def _start_fork_server(
    function: Callable[[Job], Any],
    jobs: list[Job],
    count: int,
    preload: Sequence[str],
    scratch: str,
) -> tuple[Any, Connection]:
    # A worker has imported everything, and has one thread: it may fork a fork server of its own.
    forked = in_worker()
    context: Any = multiprocessing.get_context("fork" if forked else "spawn")
    ours, theirs = context.Pipe()
    inherited = [ours] if forked else []
    # Not a daemon: those may not have children.
    fork_server = context.Process(
        target=run_fork_server,
        args=(theirs, function, jobs, count, tuple(preload), inherited),
        daemon=False,
    )
    # Temporary files of a killed worker are removed with the caller's directory.
    with _environment({**ENVIRONMENT, "TMPDIR": scratch}):
        fork_server.start()
    theirs.close()
    return fork_server, ours


def _collect(link: Connection, jobs: list[Job]) -> Iterator[tuple[Job, Any]]:
    missing = dict(enumerate(jobs))
    while missing:
        try:
            number, outcome = pickle.loads(link.recv_bytes())
        except (EOFError, OSError):
            reason = "The process that starts the workers was killed or could not import them."
            for job in missing.values():
                yield job, WorkerDied(reason)
            return
        if number == FINISHED:
            for job in missing.values():
                yield job, outcome
            return
        yield missing.pop(number), outcome


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a process that is started within the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
