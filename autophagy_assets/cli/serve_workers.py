"""``autophagy serve workers``: workers that import everything once and serve many runs."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import NoReturn

import click

from autophagy_assets.cli.dask_worker import PRELOAD, run, set_environment
from autophagy_assets.compute.limits import granted_memory
from autophagy_assets.compute.pool import default_workers
from autophagy_assets.errors import InputError


def join(scheduler: str, workers: int | None) -> None:
    """Run workers that join an existing scheduler, until they are stopped.

    Parameters
    ----------
    scheduler : str
        Its address.
    workers : int or None
        Processes; None for as many as this machine can run.
    """
    count = workers or default_workers()
    limit = ["--memory-limit", str(_memory(count))]
    run([scheduler, "--nworkers", str(count), *limit])


def serve(host: str, port: int, workers: int | None) -> NoReturn:
    """Run a scheduler with workers on this machine, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    host : str
        Address to listen on. Whoever reaches it can run code here.
    workers : int or None
        Processes; None for as many as this machine can run, 0 for a scheduler alone.
    """
    set_environment()
    from distributed import LocalCluster

    from autophagy_assets.assets.imaging.installation import worker_resource

    count = default_workers() if workers is None else workers
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host=host,
            scheduler_port=port,
            dashboard_address="127.0.0.1:0",
            resources={worker_resource(): 1},
            preload=[PRELOAD],
            memory_limit=_memory(count),
        )
    except (OSError, RuntimeError) as error:
        reason: BaseException = error
        while reason.__cause__ is not None:  # Dask says at first that something did not start
            reason = reason.__cause__
        raise InputError(
            f"Workers cannot be served at {host}:{port} ({reason}): see whether they run already, "
            "or choose another --port."
        ) from error
    with cluster:
        _wait(f"{count} workers are ready", cluster.scheduler_address)
    raise SystemExit(0)


def serve_queue(file: Path) -> NoReturn:
    """Run a scheduler with workers in the queue of Slurm, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    file : pathlib.Path
        Says what is asked of Slurm.
    """
    set_environment()
    from autophagy_assets.compute.slurm import workers_in_queue

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with workers_in_queue(file) as address:
        _wait("The first workers are ready", address)
    raise SystemExit(0)


def _wait(ready: str, address: str) -> None:
    click.echo(f"{ready}; set AUTOPHAGY_COMPUTE={address}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("The workers are stopped.")


def _memory(workers: int) -> int:
    """Bytes that each of so many workers may use; 0 for no limit."""
    granted = granted_memory() / max(workers, 1)
    return int(granted) if granted < float("inf") else 0
