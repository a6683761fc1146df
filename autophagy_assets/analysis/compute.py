"""Work on many fields of view at once, in processes that fail one by one.

Processes are forked from a *nursery*: one process that imports scPortrait once (20 s), sets
aside what the imports left for the garbage collector, and holds no threads. The nursery is
ours rather than ``multiprocessing``'s forkserver because that one is shared by everything
in a process, Dagster's executor included, and preloads what the first comer asked for.

    caller ──jobs──> nursery ──one job at a time──> worker, worker, ...
           <─(number, outcome)─        <─outcome─
"""

from __future__ import annotations

import atexit
import gc
import importlib
import math
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

PRELOAD = (
    "scportrait.pipeline.project",
    "scportrait.pipeline.segmentation.workflows",
    "scportrait.pipeline.extraction",
    "scportrait.pipeline.featurization",
)
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
_FINISHED = -1
# Elsewhere forking a process that has imported system frameworks is unsafe.
_START_METHOD = "fork" if sys.platform.startswith("linux") else "spawn"


class WorkerDied(RuntimeError):
    """A worker process ended before it gave a result; most often the machine ran out of memory."""


def default_workers() -> int:
    """Count the processes that this machine can really run at once.

    Returns
    -------
    int
        At least 1; the processors that this process may use, or fewer where its control group
        (a container, a batch job) is granted less time.
    """
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        processors = os.cpu_count() or 1
    return max(1, math.ceil(min(processors, _granted_processors())))


def _granted_processors(root: Path = Path("/sys/fs/cgroup")) -> float:
    try:
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text().split()
        else:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        granted = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # no limit reads "max"
        return math.inf
    return granted if granted > 0 else math.inf


def map_fields(
    function: Callable[[Job], Result],
    jobs: Iterable[Job],
    workers: int | None = None,
    preload: Sequence[str] = PRELOAD,
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
        Number of processes; default ``default_workers()``. With 1 the work is done in this
        process.
    preload : sequence of str
        Modules that are imported once for all workers.

    Yields
    ------
    job : object
        One of ``jobs``, as each is done, in any order.
    outcome : object or Exception
        What the function returned, or the exception with which it failed. A process that was
        killed gives a ``WorkerDied`` for the job that it had; the other jobs go on.

    Notes
    -----
    Abandoning the iterator ends the processes. ``__main__`` is imported by the nursery, so a
    script needs its ``if __name__ == "__main__"``.
    """
    jobs = list(jobs)
    count = min(workers or default_workers(), len(jobs))
    if count <= 1:
        for job in jobs:
            yield job, _attempt(function, job)
        return
    with tempfile.TemporaryDirectory(prefix="fields-") as scratch:
        nursery, link = _start_nursery(function, jobs, count, preload, scratch)
        # Closing the link tells the nursery to end its workers and itself. When the interpreter
        # exits in the middle, this comes before multiprocessing waits for its processes.
        atexit.register(link.close)
        try:
            yield from _collect(link, jobs)
        finally:
            atexit.unregister(link.close)
            link.close()
            nursery.join(timeout=10)
            if nursery.is_alive():
                nursery.kill()
                nursery.join()


def _attempt(function: Callable[[Job], Result], job: Job) -> Result | Exception:
    try:
        return function(job)
    except Exception as error:
        return error


def _start_nursery(
    function: Callable[[Job], Any],
    jobs: list[Job],
    count: int,
    preload: Sequence[str],
    scratch: str,
) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    # Not a daemon: those may not have children.
    nursery = context.Process(
        target=_run_nursery, args=(theirs, function, jobs, count, tuple(preload)), daemon=False
    )
    # Temporary files of a killed worker are removed with the caller's directory.
    with _environment({**ENVIRONMENT, "TMPDIR": scratch}):
        nursery.start()
    theirs.close()
    return nursery, ours


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
        if number == _FINISHED:
            for job in missing.values():
                yield job, outcome
            return
        yield missing.pop(number), outcome


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for a process that is started meanwhile; read at its very first imports."""
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


class _Worker:
    """A forked process and the job that it has."""

    def __init__(self, function: Callable[[Any], Any], link: Connection, others: list[_Worker]):
        context = multiprocessing.get_context(_START_METHOD)
        self.pipe, theirs = context.Pipe()
        forked = _START_METHOD == "fork"
        inherited = [link, self.pipe, *(other.pipe for other in others)] if forked else []
        self.process = context.Process(target=_run_worker, args=(theirs, function, inherited))
        self.process.start()
        theirs.close()
        self.number: int | None = None

    def give(self, number: int, job: Any) -> None:
        self.number = number
        # A worker that died idle is noticed when its end of the pipe is waited for.
        with suppress(OSError):
            self.pipe.send((number, job))

    def take(self) -> tuple[bytes | None, bool]:
        """Outcome of the job, and whether the process lives on."""
        try:
            return self.pipe.recv_bytes(), True
        except (EOFError, OSError):
            self.process.join()
            return None, False

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _run_nursery(
    link: Connection, function: Callable[[Any], Any], jobs: list[Any], count: int, preload: tuple
) -> None:
    # Ctrl-C reaches the whole group; the caller then closes the link, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for module in preload:
            importlib.import_module(module)
    except Exception as error:
        link.send_bytes(_pack(_FINISHED, error))
        return
    gc.collect()
    gc.freeze()
    waiting = deque(enumerate(jobs))
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                workers.append(_Worker(function, link, workers))
                workers[-1].give(*waiting.popleft())
            ready = wait([link, *(worker.pipe for worker in workers)])
            if link in ready:  # nothing is ever sent this way: the caller has gone
                return
            for worker in [worker for worker in workers if worker.pipe in ready]:
                _serve(worker, workers, waiting, link)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        for worker in workers:
            worker.end()
        link.close()


def _serve(worker: _Worker, workers: list[_Worker], waiting: deque, link: Connection) -> None:
    """Pass a worker's outcome on, and give it the next job or let it go."""
    outcome, alive = worker.take()
    assert worker.number is not None
    if outcome is None:
        code = worker.process.exitcode
        link.send_bytes(_pack(worker.number, WorkerDied(_why(code))))
    else:
        link.send_bytes(outcome)
    if alive and waiting:
        worker.give(*waiting.popleft())
        return
    workers.remove(worker)
    worker.end()


def _why(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = " (most often for lack of memory: use fewer workers)" if name == "SIGKILL" else ""
        return f"The process working on this field was ended by {name}{hint}."
    return f"The process working on this field ended with exit code {code} and no result."


def _run_worker(
    pipe: Connection, function: Callable[[Any], Any], inherited: list[Connection]
) -> None:
    # Copies of the others' pipes would keep those open after their owner has died.
    for connection in inherited:
        connection.close()
    while True:
        try:
            number, job = pipe.recv()
        except (EOFError, OSError):
            return
        with suppress(BrokenPipeError):
            pipe.send_bytes(_pack(number, _attempt(function, job)))


def _pack(number: int, outcome: Any) -> bytes:
    if isinstance(outcome, BaseException):
        # The traceback stays behind in this process, so its text goes along as a note.
        outcome.add_note("".join(traceback.format_exception(outcome)).rstrip())
    try:
        packed = pickle.dumps((number, outcome))
        pickle.loads(packed)
    except Exception as error:
        told = RuntimeError(f"{outcome!r} cannot be passed between processes: {error}")
        return pickle.dumps((number, told))
    return packed
