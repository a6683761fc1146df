"""The fork server: a process that imports scPortrait once and forks the workers of ``compute``.

What belongs here is what runs in the other processes, and how they talk.

    caller ──all jobs──> fork server ──one job at a time──> worker, worker, ...
           <─(number, outcome)──         <──outcome──
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

FINISHED = -1
# Elsewhere forking a process that has imported system frameworks is unsafe.
_START_METHOD = "fork" if sys.platform.startswith("linux") else "spawn"
_forked = False  # whether this process is a worker that was forked from a fork server


class WorkerDied(RuntimeError):
    """Error: a worker process ended before it gave a result, mostly for lack of memory."""


def in_worker() -> bool:
    """Whether this process was forked from a fork server, with all that it had imported."""
    return _forked


def attempt(function: Callable[[Job], Result], job: Job) -> Result | Exception:
    """Return the result of a function for a job, or the exception with which it failed."""
    try:
        return function(job)
    except Exception as error:
        return error


class _Worker:
    """A forked process and the job that it has."""

    def __init__(self, function: Callable[[Any], Any], link: Connection, others: list[_Worker]):
        context: Any = multiprocessing.get_context(_START_METHOD)
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


def run_fork_server(
    link: Connection,
    function: Callable[[Any], Any],
    jobs: list[Any],
    count: int,
    preload: tuple,
    inherited: list[Connection],
) -> None:
    """Do the jobs in forked workers and send each outcome as it comes.

    Parameters
    ----------
    link : multiprocessing.connection.Connection
        To the caller; gets ``(number of the job, outcome)``, pickled. Its closing ends all.
    function : callable
        Takes one job.
    jobs : list
        All jobs.
    count : int
        Number of workers.
    preload : tuple of str
        Modules to import before the first worker is forked.
    inherited : list of multiprocessing.connection.Connection
        The caller's own ends of pipes, where this process was forked.
    """
    _close(inherited)
    # Ctrl-C reaches the whole group; the caller then closes the link, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for module in preload:
            importlib.import_module(module)
    except Exception as error:
        link.send_bytes(pack(FINISHED, error))
        os._exit(1)
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
        # Nothing is left to do, and tearing down torch's libraries prints pages of leaks.
        os._exit(0)


def _serve(worker: _Worker, workers: list[_Worker], waiting: deque, link: Connection) -> None:
    """Pass a worker's outcome on, and give it the next job or let it go."""
    outcome, alive = worker.take()
    assert worker.number is not None
    if outcome is None:
        code = worker.process.exitcode
        link.send_bytes(pack(worker.number, WorkerDied(_why(code))))
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
    global _forked
    _forked = _START_METHOD == "fork"
    _close(inherited)
    while True:
        try:
            number, job = pipe.recv()
        except (EOFError, OSError):
            return
        with suppress(BrokenPipeError):
            pipe.send_bytes(pack(number, attempt(function, job)))


def _close(inherited: list[Connection]) -> None:
    """Close copies of others' pipes, which would stay open after their owner has died."""
    for connection in inherited:
        connection.close()


def pack(number: int, outcome: Any) -> bytes:
    """Pickle the outcome of a job, or what stands for one that cannot be pickled."""
    if isinstance(outcome, BaseException):
        # The traceback stays behind in this process, so its text goes along as a note.
        outcome.add_note("".join(traceback.format_exception(outcome)).rstrip())
    try:
        packed = pickle.dumps((number, outcome))
        pickle.loads(packed)
    except Exception as error:
        failure = RuntimeError(f"{outcome!r} cannot be passed between processes: {error}")
        return pickle.dumps((number, failure))
    return packed
