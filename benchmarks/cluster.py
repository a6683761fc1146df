"""Time the engines that fields of view are worked on with: the own pool, and a Dask cluster.

Run with ``python -m benchmarks.cluster``. Both have as many workers on this machine, which have
imported everything and worked on one field before. What an engine costs is the part of its
workers' time in which they work on no field, from the first field's begin to the last one's end;
with jobs that do nothing it is seconds for each.

Then the same fields go to one worker of Dask and to two, in turns, and the median of the ratios is
compared with a target; 1 is the exit code where it is missed. ``--part`` runs one of the two alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
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
PORT = 18786
LEAST_RATIO = 1.8  # of one worker's time to that of two


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
def warm_workers(workers: int, port: int = PORT) -> Iterator[Engine]:
    """Workers as ``autophagy serve workers`` has them."""
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


def fields_on(engine: Engine, count: int, workers: int, study: Study, scratch: Path) -> float:
    """Image and featurize fields; prints a line of results, and gives seconds of the clock."""
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
    print(
        f"{engine.name}: {clock:.1f} s for {count} {source} fields (CPU {sum(cpus):.1f} s), idle "
        f"{100 * (1 - busy / (workers * clock)):.1f} % of {workers} workers; whole call "
        f"{whole:.1f} s",
        flush=True,
    )
    return clock


def nothing_on(engine: Engine) -> str:
    """Do jobs that do nothing; gives a line of results."""
    began = time.monotonic()
    done = sum(1 for _ in engine.map(nothing, list(range(NOTHING))))
    each = 1000 * (time.monotonic() - began) / done
    return f"{engine.name}: {each:.2f} ms for each of {done} jobs that do nothing"


def compare_engines(fields: int, rounds: int, study: Study, scratch: Path) -> None:
    """Print times of both engines, in turns."""
    workers = default_workers()
    pool = Engine("own pool", lambda work, jobs: map_fields(work, jobs, workers), 0.0)
    with warm_workers(workers) as dask:
        print(f"{dask.name}: ready after {dask.starts_s:.1f} s, once", flush=True)
        for number in range(rounds):
            for engine in (pool, dask):
                fields_on(engine, fields, workers, study, scratch / f"{number} {engine.name}")
        for engine in (pool, dask):
            print(nothing_on(engine), flush=True)


def compare_workers(fields: int, rounds: int, study: Study, scratch: Path) -> bool:
    """Print times of one worker and of two, in turns; gives whether two are as fast as wanted."""
    ratios = []
    with warm_workers(1) as one, warm_workers(2, PORT + 1) as two:
        for number in range(rounds):
            alone, both = (
                fields_on(engine, fields, count, study, scratch / f"{number} of {count}")
                for count, engine in ((1, one), (2, two))
            )
            ratios.append(alone / both)
    ratio = statistics.median(ratios)
    met = ratio >= LEAST_RATIO
    print(
        f"two workers are {ratio:.2f} times as fast as one (median of {rounds}), target at least "
        f"{LEAST_RATIO}: {'met' if met else 'MISSED'}"
    )
    return met


def main() -> int:
    """Measure and print; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--part", choices=("engines", "workers"))
    options = parser.parse_args()
    study, met = Study.load(), True
    with tempfile.TemporaryDirectory() as scratch:
        given = options.fields, options.rounds, study, Path(scratch)
        if options.part != "workers":
            compare_engines(*given)
        if options.part != "engines":
            met = compare_workers(*given)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
