"""A real Dask scheduler and real workers, each a process with a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Client

from autophagy_assets.cli.dask_worker import DASK
from autophagy_assets.compute.cluster import Cluster
from autophagy_assets.compute.worker import resource_of
from autophagy_assets_tests.compute.cluster_jobs import INSTALLED

# The conftest has it too, but gives whoever imports it a home of its own; benchmarks have theirs.
ROOT = Path(__file__).resolve().parents[2]


class DaskCluster:
    """Starts them, and ends what is left of them.

    Parameters
    ----------
    folder : pathlib.Path
        Holds their folders.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, list[subprocess.Popen]()
        self.workers: list[subprocess.Popen] = []
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-show"]
        options += ["--dashboard-address", "127.0.0.1:0"]
        module = "distributed.cli.dask_scheduler"
        self.scheduler = self.start(module, *options, "--scheduler-file", str(file))
        self.address = ""
        while not self.address:
            assert self.scheduler.poll() is None, "the scheduler has ended"
            time.sleep(0.05)
            if file.exists() and (text := file.read_text()).strip().endswith("}"):
                self.address = json.loads(text)["address"]

    def start(self, module: str, *arguments: str, **more: str) -> subprocess.Popen:
        """Start a program in a folder of its own, which is its home too."""
        own = self.folder / f"{len(self.processes)}"
        own.mkdir(parents=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOPHAGY_", "LAMIN_"))}
        folders = {"HOME": str(own), "TMPDIR": str(own), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=own,
            env=kept | folders | DASK | more,
            stdout=(own / "said.txt").open("w"),
            stderr=subprocess.STDOUT,
        )
        self.processes.append(process)
        return process

    def add_bare(
        self, installed: Mapping[str, str] = INSTALLED, preload: str = "bare_worker"
    ) -> None:
        """Start a worker that has imported little and has what is said installed."""
        ready = ["--preload", f"autophagy_assets_tests.compute.{preload}"]
        offered = ["--resources", f"{resource_of(installed)}=1", "--nthreads", "1"]
        where = [self.address, "--nworkers", "1", "--no-dashboard"]
        variable = {"AUTOPHAGY_TEST_INSTALLED": json.dumps(dict(installed))}
        module = "distributed.cli.dask_worker"
        self.workers.append(self.start(module, *where, *offered, *ready, **variable))

    def add(self) -> None:
        """Start a worker as people do, which has scPortrait."""
        options = ["--scheduler", self.address, "--workers", "1"]
        self.workers.append(self.start("autophagy_assets.cli", "serve", "workers", *options))

    def wait_for(self, workers: int) -> None:
        """Wait until the scheduler knows so many workers."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)

    def said(self) -> str:
        """What all of them have printed."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*/said.txt")))

    def end_workers(self) -> None:
        """End the workers, and wait until the scheduler has noticed."""
        for process in self.workers:
            process.kill()
            process.wait()
        self.workers.clear()
        with Client(self.address, set_as_default=False) as client:
            while client.scheduler_info(n_workers=-1)["workers"]:
                time.sleep(0.1)

    def end(self) -> None:
        """End all of them; a worker ends when its nanny has."""
        for process in self.processes[::-1]:
            process.kill()
            process.wait()


def place(dask: DaskCluster, **more: Any) -> Cluster:
    """The cluster as a place for fields, whose workers have what those of tests claim to have."""
    return Cluster(dask.address, INSTALLED, **{"patience_s": 60, **more})
