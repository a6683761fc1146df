"""A Dask worker of this platform: its description, and how it does a batch of jobs.

What belongs here is what runs in the worker. Who sends the batches is ``cluster``.

A worker offers a *resource* whose name is made of the code and the versions that it has, and a
batch asks for the one of whoever sent it. So the scheduler itself gives no batch to a worker with
others, however late that comes.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autophagy_assets.compute.fork_server import attempt, pack

PACKAGE = Path(__file__).resolve().parents[1]
TOPIC = "autophagy-fields"  # under which workers tell which job they begin
Installed = Mapping[str, str]

_installed: dict[str, str] = {}
_stamps: dict[str, tuple[int, int]] = {}


class Outdated(RuntimeError):
    """Error: the code of a worker was changed after the worker was started."""


@dataclass(frozen=True)
class Batch:
    """Jobs that a worker does one after the other.

    Parameters
    ----------
    function : callable
        Takes one job.
    """

    function: Callable[[Any], Any]
    jobs: Sequence[Any]


def installed_code() -> dict[str, str]:
    """Code of this platform that is installed here.

    Returns
    -------
    dict
        Hash of each file of the package, by its path in it.
    """
    return {
        file.relative_to(PACKAGE).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        for file in sorted(PACKAGE.rglob("*.py"))
    }


def resource_of(installed: Installed) -> str:
    """Name of the Dask resource that workers with this code and these versions offer."""
    text = json.dumps(sorted(installed.items()))
    return f"autophagy-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def start(installed: Installed, folder: str, preload: Sequence[str] = ()) -> None:
    """Make this process ready for batches.

    Parameters
    ----------
    installed : mapping
        Code and versions that it has.
    folder : str
        For temporary files; its nanny removes it, however the worker ends.
    preload : sequence of str
        Modules to import before the first batch.
    """
    # Before anything is imported: what is changed from now on is not what this process runs.
    _stamps.update(_files())
    for module in preload:
        importlib.import_module(module)
    tempfile.tempdir = folder
    _installed.update(installed)


def describe() -> dict[str, str]:
    """Code and versions of this worker; empty where it was not started for this platform."""
    return dict(_installed)


def do_batch(batch: Batch) -> list[bytes]:
    """Do the jobs of a batch.

    Returns
    -------
    list of bytes
        Position and outcome of each, pickled; of some only, where nobody waits for them any more.

    Raises
    ------
    Outdated
        Before any of it, where the code on disk is not the one that was started.
    """
    import dask
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    if _files() != _stamps:
        raise Outdated(worker.address)
    done = []
    for position, job in enumerate(batch.jobs):
        # Who sent it has gone or has taken it back: Dask cannot stop a task that it has begun.
        if worker.state.tasks[key].state not in ("executing", "long-running"):
            break
        worker.log_event(TOPIC, {"batch": key, "begun": position})
        # Else Dask sends the arrays that a job computes to all workers of its cluster, lets this
        # batch wait beside others meanwhile, and gives the job what it shares with them, no copy.
        with dask.config.set(scheduler="synchronous"):
            done.append(pack(position, attempt(batch.function, job)))
    return done


def _files() -> dict[str, tuple[int, int]]:
    found = {str(file): file.stat() for file in PACKAGE.rglob("*.py")}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}
