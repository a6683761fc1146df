"""The same study in three places, with a worker killed in two: same files, nothing lost or doubled.

``python -m benchmarks.places [--small] [--whole]``. The places: this machine; jobs of a real Slurm
that is started for it; two workers in folders of their own, with files in a bucket (moto) and
records in PostgreSQL. In the second a job is cancelled and in the third a worker is killed, both
in the middle of imaging. Each is made from the images to the features of all genotypes, or to the
report (``--whole``), by a refresh in a process of its own; a second refresh has to find nothing to
do. Ends with exit code 1 where an artifact has another hash than on this machine, is not there, is
there twice, or was made again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from autophagy_assets_tests.compute.dask_cluster import DaskCluster
from autophagy_assets_tests.compute.slurm_cluster import Slurm
from autophagy_assets_tests.object_store import ENVIRONMENT, ObjectStore, program
from autophagy_assets_tests.reliability.server import Server, programs
from benchmarks.downstream import environment
from benchmarks.studies import images_of_a_study

IMAGING = ("imaging", "features")  # groups of assets that are made from images of fields alone
WORKERS = 2
# This Slurm keeps no account of memory.
QUEUE = {
    "place": "slurm",
    "queue": "screens",
    "cores": 1,
    "memory": "3 GB",
    "minutes": 60,
    "fewest_jobs": WORKERS,
    "most_jobs": WORKERS,
    "interface": "lo",
    "leave_out": ["--mem"],
}
# Kills somebody at work, and says whom.
Kill = Callable[[], str]


@dataclass(frozen=True)
class Place:
    """Where a study is worked on.

    Parameters
    ----------
    name : str
        What it is called in the table.
    variables : dict
        Environment of the refresh.
    kill : callable, optional
        Kills a worker that is at work, and says whom.
    """

    name: str
    variables: dict[str, str]
    kill: Kill | None = None


@dataclass(frozen=True)
class Made:
    """What a place has made: ``hashes`` of all versions by key, and how long it took."""

    name: str
    hashes: dict[str, list[str]]
    made_again: int
    imaging_s: float
    whole_s: float
    killed: str


def make(images: str, whole: bool) -> None:
    """Ingest and refresh in the home of this process; prints what was made as JSON."""
    from autophagy_assets.automation.refresh import refresh
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import ingest
    from autophagy_assets.registry.store.instance import connect

    ingest(Path(images), Study.load())
    parts, seconds = (None if whole else IMAGING), []
    for groups in (IMAGING, parts):
        began = time.monotonic()
        done = refresh(parts=groups)
        assert not done.failed, done.failed
        seconds.append(time.monotonic() - began)
    again = refresh(parts=parts)
    hashes: dict[str, list[str]] = {}
    for artifact in connect().Artifact.filter():
        hashes.setdefault(artifact.key, []).append(artifact.hash)
    print(json.dumps([hashes, len(again.made), seconds]))


@contextmanager
def this_machine(scratch: Path) -> Iterator[Place]:
    """Processes of this machine, files in a folder, records in SQLite."""
    yield Place("this machine", {})


@contextmanager
def slurm(scratch: Path) -> Iterator[Place]:
    """Jobs of a Slurm of one node."""
    queue = Slurm(scratch / "slurm")
    file, logs = scratch / "slurm.yaml", scratch / "jobs"
    logs.mkdir()
    file.write_text(yaml.safe_dump(QUEUE | {"logs": str(logs)}))

    def kill() -> str:
        jobs = queue.ask("squeue", "-h", "-t", "R", "-o", "%i").split()
        queue.ask("scancel", jobs[0])
        return f"1 of {len(jobs)} jobs, scancel"

    kept = {name: queue.environment[name] for name in ("SLURM_CONF", "PATH")}
    try:
        yield Place("Slurm", kept | {"AUTOPHAGY_COMPUTE": str(file)}, kill)
    finally:
        queue.end()


@contextmanager
def workers_bucket_database(scratch: Path) -> Iterator[Place]:
    """Two workers of a scheduler, files in a bucket, records in PostgreSQL."""
    from distributed import Client

    moto, bin = program(), programs()
    assert moto is not None and bin is not None, "moto[server] and PostgreSQL are needed"
    with ExitStack() as stack:
        bucket, database = ObjectStore(moto), Server(bin)
        stack.callback(bucket.end)
        stack.callback(database.remove)
        dask = DaskCluster(scratch / "dask")
        stack.callback(dask.end)
        for _ in range(WORKERS):
            dask.add()
        dask.wait_for(WORKERS)

        def kill() -> str:
            with Client(dask.address, set_as_default=False) as client:
                pids = client.run(os.getpid)
                while not (busy := [name for name, tasks in client.processing().items() if tasks]):
                    time.sleep(0.05)
                os.kill(pids[busy[0]], signal.SIGKILL)
            return f"1 of {len(pids)} workers, SIGKILL"

        storage = bucket.address("lab", "study")
        variables = {"AUTOPHAGY_STORAGE": storage, "AUTOPHAGY_DATABASE_URL": database.url}
        there = {"AUTOPHAGY_COMPUTE": dask.address}
        name = "two workers, bucket, PostgreSQL"
        yield Place(name, ENVIRONMENT | variables | there, kill)


def made_in(place: Place, images: Path, home: Path, whole: bool) -> Made:
    """Have a place make the study, with a kill once the first field is in the store."""
    command = [sys.executable, "-m", "benchmarks.places", "--make", str(images)]
    command += ["--whole"] if whole else []
    began, killed = time.monotonic(), list[str]()
    process = subprocess.Popen(
        command, env=environment(home) | place.variables, stdout=subprocess.PIPE, text=True
    )
    killer = threading.Thread(target=_kill, args=[place, home, process, killed])
    killer.start()
    said, _ = process.communicate()
    whole_s = time.monotonic() - began
    killer.join()
    if process.returncode:
        raise SystemExit(f"{place.name}: the refresh has failed")
    hashes, made_again, seconds = json.loads(said.splitlines()[-1])
    return Made(place.name, hashes, made_again, seconds[0], whole_s, "; ".join(killed) or "nobody")


def _kill(place: Place, home: Path, process: Any, killed: list[str]) -> None:
    while place.kill and process.poll() is None:
        if done := [*(home / "store").glob("*/imaging/single_cell_images/*/*/*/*.h5ad")]:
            killed.append(f"{place.kill()}, after {len(done)} fields")
            return
        time.sleep(0.2)


def compare(made: Made, local: Made) -> tuple[dict[str, Any], list[str]]:
    """One row of the table, and what is wrong."""
    same = [key for key, hashes in local.hashes.items() if made.hashes.get(key) == hashes]
    wrong = [f"{key} differs" for key in local.hashes.keys() - set(same)]
    wrong += [f"{key} is not on this machine" for key in made.hashes.keys() - local.hashes.keys()]
    wrong += [f"{key} is there twice" for key, found in made.hashes.items() if len(found) > 1]
    wrong += [f"{made.made_again} were made again"] if made.made_again else []
    if made.name != local.name and made.killed == "nobody":
        wrong.append("nobody was killed")
    row = {
        "place": made.name,
        "imaging, s": round(made.imaging_s, 1),
        "whole process, s": round(made.whole_s, 1),
        "artifacts": sum(map(len, made.hashes.values())),
        "equal by hash": len(same),
        "made again": made.made_again,
        "killed": made.killed,
    }
    return row, [f"{made.name}: {one}" for one in sorted(wrong)]


def main() -> int:
    """Make the study in each place and print the table; 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="simulated fields of 420 px")
    parser.add_argument("--whole", action="store_true", help="the whole refresh, to the report")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.whole)
        return 0
    rows, wrong = [], []
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        images = images_of_a_study(scratch / "simulated", options.small)
        local: Made | None = None
        for number, where in enumerate((this_machine, slurm, workers_bucket_database)):
            with where(scratch) as place:
                made = made_in(place, images, scratch / f"home{number}", options.whole)
            local = local or made
            row, faults = compare(made, local)
            rows.append(row)
            wrong += faults
            print(row, flush=True)
    print(pd.DataFrame(rows).to_string(index=False))
    print(*wrong, sep="\n")
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
