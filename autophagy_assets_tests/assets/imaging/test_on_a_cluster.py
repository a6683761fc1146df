"""A sample whose fields are worked on by workers that share the store only: the same, to the byte.

The workers are started as people start them, and import scPortrait.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client

from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets_tests.compute.dask_cluster import DaskCluster
from autophagy_assets_tests.executed import executed
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_metadata

pytestmark = pytest.mark.slow

SAMPLE = "WT__clone-1__untreated"
ASSETS = ["single_cell_images", "cell_features", "marker_features"]
AGAIN = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}


@pytest.fixture(scope="module")
def dask(tmp_path_factory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    cluster.add()
    cluster.add()
    yield cluster
    cluster.end()


@pytest.fixture(scope="module")
def platform(dask, store, tiny_study, tmp_path_factory) -> Platform:
    """A sample of four fields that was worked on by this machine alone; the workers come up."""
    folder = tmp_path_factory.mktemp("cluster")
    shutil.copytree(tiny_study, folder / "images")
    table = pd.read_csv(folder / "images" / "metadata_files.csv", dtype=str)
    fields = table.groupby(["genotype", "stimulation"], sort=False).ngroup()
    labels = {"genotype": "WT", "stimulation": "untreated", "cell_line_clone": "clone 1"}
    table = table.assign(**labels, FOV=[f"FOV{field + 1}" for field in fields])
    write_metadata(folder / "images", table[fields < 4])
    platform = Platform(study_file(folder, "fields on a cluster"))
    ingest(folder / "images", platform.study)
    platform.sync()
    platform.run(*ASSETS, partition=SAMPLE)
    return platform


def versions(platform: Platform) -> list[str]:
    return [platform.latest(asset, SAMPLE).version for asset in ASSETS]


def files_in_the_store() -> set[Path]:
    return {path for path in storage_root().rglob("*") if path.suffix != ".db"}


def run_on(dask: DaskCluster, platform: Platform, monkeypatch) -> None:
    monkeypatch.setenv("AUTOPHAGY_COMPUTE", dask.address)
    monkeypatch.setenv("AUTOPHAGY_WORKERS", "1")
    platform.run(*ASSETS, partition=SAMPLE, config=AGAIN)


def test_workers_elsewhere_make_the_same_bytes_and_know_neither_dagster_nor_lamindb(
    dask, platform, monkeypatch
):
    here, before, fingerprints = versions(platform), files_in_the_store(), prints(platform)
    dask.wait_for(2)
    with executed(platform) as done:
        run_on(dask, platform, monkeypatch)
    assert done.fields == [f"{SAMPLE}/FOV{number}" for number in (1, 2, 3, 4)]
    assert versions(platform) == here
    assert prints(platform) == fingerprints
    assert files_in_the_store() - before == set()
    with Client(dask.address, set_as_default=False) as client:
        known = client.run(lambda: {"dagster", "lamindb", "scportrait"} & set(sys.modules))
    assert set(map(frozenset, known.values())) == {frozenset({"scportrait"})}
    assert not [*dask.folder.glob("*/.autophagy"), *dask.folder.glob("*/.lamin")]


def prints(platform: Platform) -> list[object]:
    return [platform.latest(asset, SAMPLE).fingerprint for asset in ASSETS]


def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_partial_and_loses_nothing(
    dask, platform, monkeypatch
):
    here, before = versions(platform), files_in_the_store()
    dask.wait_for(2)
    killed: list[int] = []

    def kill_one_at_work() -> None:
        with Client(dask.address, set_as_default=False) as client:
            pids = client.run(os.getpid)
            while not killed:
                for worker in [worker for worker, tasks in client.processing().items() if tasks]:
                    time.sleep(0.3)
                    os.kill(pids[worker], signal.SIGKILL)
                    killed.append(pids[worker])
                    break
                time.sleep(0.02)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    with executed(platform) as done:
        run_on(dask, platform, monkeypatch)
    killer.join()
    assert len(done.fields) == 4
    assert versions(platform) == here
    assert files_in_the_store() - before == set()
