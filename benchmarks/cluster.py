"""Time the engines that fields of view are worked on with: the own pool, and a Dask cluster.

Run with ``python -m benchmarks.cluster``. Both have as many workers on this machine, which have
imported everything and worked on one field before. What an engine costs is the part of its
workers' time in which they work on no field, from the first field's begin to the last one's end;
with jobs that do nothing it is seconds for each.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autophagy_assets.assets.imaging.installation import installation
from autophagy_assets.compute.cluster import Cluster
from autophagy_assets.compute.pool import default_workers, map_fields
from autophagy_assets.config.study import Study
from benchmarks.imaging import ROOT, Job, find_fields, our_field

NOTHING = 1000  # jobs


@dataclass(frozen=True)
class Engine:
    """One way to have jobs done; ``starts_s`` is paid once, before the first job."""

    name: str
    map: Callable[[Any, list[Any]], Iterator[tuple[Any, Any]]]
    starts_s: float


def nothing(number: int) -> int:
    """Do nothing; runs in a worker."""
    return number


@contextmanager
def warm_workers(workers: int) -> Iterator[Engine]:
    """Workers as ``autophagy serve workers`` has them."""
    port = 18786
    options = ["--workers", str(workers), "--port", str(port)]
    command = [sys.executable, "-m", "autophagy_assets.cli", "serve", "workers", *options]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and "ready" in process.stdout.readline()
        address = f"tcp://127.0.0.1:{port}"
        cluster = Cluster(address, installation())
        list(cluster.map_fields(nothing, list(range(workers))))
        yield Engine("Dask", cluster.map_fields, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait()


def fields_on(engine: Engine, count: int, workers: int, study: Study, scratch: Path) -> str:
    """Image and featurize fields; gives a line of results."""
    scratch.mkdir()
    source, fields = find_fields(count, scratch, study)
    work = partial(our_field, study=study, scratch=scratch)
    began, times = time.monotonic(), []
    # By themselves: those of one batch would wait for each other in one worker.
    first = [Job(-1 - number, fields[number], workers) for number in range(workers)]
    for jobs in (first, [Job(number, images) for number, images in enumerate(fields)]):
        for job, outcome in engine.map(work, jobs):
            if isinstance(outcome, Exception):
                raise outcome
            if job.number >= 0:
                times.append(outcome[:3])
    whole = time.monotonic() - began
    begins, ends, cpus = zip(*times, strict=True)
    clock = max(ends) - min(begins)
    busy = sum(end - begin for begin, end in zip(begins, ends, strict=True))
    return (
        f"{engine.name}: {clock:.1f} s for {count} {source} fields (CPU {sum(cpus):.1f} s), idle "
        f"{100 * (1 - busy / (workers * clock)):.1f} % of {workers} workers; whole call {whole:.1f}"
    )


def nothing_on(engine: Engine) -> str:
    """Do jobs that do nothing; gives a line of results."""
    began = time.monotonic()
    done = sum(1 for _ in engine.map(nothing, list(range(NOTHING))))
    each = 1000 * (time.monotonic() - began) / done
    return f"{engine.name}: {each:.2f} ms for each of {done} jobs that do nothing"


def main() -> None:
    """Print times of both engines, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    workers, study = default_workers(), Study.load()
    pool = Engine("own pool", lambda work, jobs: map_fields(work, jobs, workers), 0.0)
    with warm_workers(workers) as dask, tempfile.TemporaryDirectory() as scratch:
        print(f"Dask: {dask.starts_s:.1f} s until the workers are ready, once", flush=True)
        for number in range(options.rounds):
            for engine in (pool, dask):
                place = Path(scratch) / f"{number} {engine.name}"
                print(fields_on(engine, options.fields, workers, study, place), flush=True)
        for engine in (pool, dask):
            print(nothing_on(engine), flush=True)
    print(
        f"{workers} workers, {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
