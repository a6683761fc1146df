"""A sample whose fields are worked on by workers that share only the store: the same bytes."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pandas as pd
import pytest
from distributed import Client

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.assets.imaging.installation import installation
from autophagy_assets.assets.imaging.work import DASHBOARD, FIELDS_A_MINUTE, PLACE
from autophagy_assets.assets.imaging.work import FIELDS as FIELDS_DONE
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field
from autophagy_assets_tests.compute.dask_cluster import DaskCluster
from autophagy_assets_tests.executed import executed
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.preloaded import run_python
from autophagy_assets_tests.registry.image_folder import write_images, write_metadata

pytestmark = pytest.mark.slow

SAMPLE = "WT__clone-1__untreated"
ASSETS = ["single_cell_images", "cell_features", "marker_features"]
FIELDS = [("WT", "clone 1", "untreated", f"FOV{number}") for number in range(1, 5)]
RUN = """
import os, sys
from pathlib import Path
from autophagy_assets_tests.platform import Platform
pid, study, sample = sys.argv[1:]
platform = Platform(Path(study))
platform.sync()
Path(pid).write_text(str(os.getpid()))
platform.run("single_cell_images", partition=sample)
"""
AGAIN = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}


@pytest.fixture(scope="module")
def dask(tmp_path_factory) -> Iterator[DaskCluster]:
    """A scheduler without workers."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.end()


def made_here(folder: Path, name: str, each: int = 1) -> Platform:
    """A platform that has worked on its one sample by itself; so many fields share a dataset."""
    platform = Platform(study_file(folder, name, storage={"fields_per_dataset": each}))
    ingest(folder / "images", platform.study)
    platform.sync()
    platform.run(*ASSETS, partition=SAMPLE)
    return platform


def content(platform: Platform) -> dict[str, object]:
    """Files by their hash, and version and fingerprint of each asset of the sample."""
    table = platform.table("single_cell_images", SAMPLE)
    found: dict[str, object] = {name: [*table[name]] for name in ("dataset", "spatialdata")}
    for asset in ASSETS:
        latest = platform.latest(asset, SAMPLE)
        found |= {asset: latest.version, f"{asset}, made with": latest.fingerprint}
    return found


def files_in_the_store() -> set[Path]:
    return {path for path in storage_root().rglob("*") if "lamindb" not in path.parts}


def work_on_it(platform: Platform, dask: DaskCluster, monkeypatch, places: list[str]) -> None:
    """Have all of it made again elsewhere: nothing may be different afterwards."""
    before, files = content(platform), files_in_the_store()
    monkeypatch.setenv("AUTOPHAGY_COMPUTE", dask.address)
    with executed(platform) as done:
        platform.run(*ASSETS, partition=SAMPLE, config=AGAIN)
    assert done.fields == [f"{SAMPLE}/{place}" for place in places]
    assert content(platform) == before
    assert files_in_the_store() == files


def imaged(dask: DaskCluster) -> list[str]:
    """An image of each field that the workers of now have begun."""
    return [line for file in dask.folder.glob("*/imaged.txt") for line in file.open()]


def kill_one_at_work(address: str) -> None:
    """Kill the first worker that is seen at work."""
    with Client(address, set_as_default=False) as client:
        pids = client.run(os.getpid)
        while not (at_work := [name for name, tasks in client.processing().items() if tasks]):
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(pids[at_work[0]], signal.SIGKILL)


@pytest.fixture(scope="module")
def workers(dask, store) -> None:
    """Two workers with made-up segmentation."""
    for _ in range(2):
        dask.add_bare(installation(), "faking_worker")
    dask.wait_for(2)


@pytest.fixture
def fakes(workers, dask, monkeypatch) -> None:
    """Made-up segmentation in this process too; what the workers have done is forgotten."""
    monkeypatch.setattr(segmentation, "process_field", fake_process_field)
    monkeypatch.setattr(featurization, "featurize", fake_featurize)
    monkeypatch.setenv("AUTOPHAGY_WORKERS", "1")
    for file in dask.folder.glob("*/imaged.txt"):
        file.unlink()


def test_a_worker_that_is_killed_leaves_nothing_partial_lost_or_doubled(
    dask, fakes, tmp_path, monkeypatch
):
    write_images(tmp_path / "images", Platform(study_file(tmp_path, "any")).study, FIELDS, seed=77)
    platform = made_here(tmp_path, "a killed worker")
    killer = threading.Thread(target=kill_one_at_work, args=[dask.address])
    killer.start()
    work_on_it(platform, dask, monkeypatch, [fov for *_, fov in FIELDS])
    killer.join()
    with Client(dask.address, set_as_default=False) as client:
        known = client.run(lambda: {"dagster", "lamindb", "scportrait"} & set(sys.modules))
    assert not set().union(*known.values())
    assert not [*dask.folder.glob("*/.autophagy"), *dask.folder.glob("*/.lamin")]


def test_workers_put_fields_into_shared_datasets_as_one_machine_does(
    dask, fakes, tmp_path, monkeypatch
):
    write_images(tmp_path / "images", Platform(study_file(tmp_path, "any")).study, FIELDS, seed=79)
    platform = made_here(tmp_path, "shared datasets elsewhere", each=3)
    assert platform.table("single_cell_images", SAMPLE)["dataset"].nunique() == 2
    work_on_it(platform, dask, monkeypatch, ["fields-1", "fields-2"])
    assert len(imaged(dask)) == len(FIELDS)


def test_fields_that_workers_have_when_the_run_is_killed_are_imaged_once(
    dask, fakes, tmp_path, monkeypatch
):
    platform = Platform(study_file(tmp_path, "a killed run"))
    write_images(tmp_path / "images", platform.study, FIELDS, seed=78)
    ingest(tmp_path / "images", platform.study)
    platform.sync()
    monkeypatch.setenv("AUTOPHAGY_COMPUTE", dask.address)
    run = ["-c", RUN, tmp_path / "pid", platform.file, SAMPLE]
    killed = threading.Thread(target=run_python, args=[run, dict(os.environ), tmp_path])
    killed.start()
    sent: set[str] = set()
    with Client(dask.address, set_as_default=False) as client:
        while len(sent) < len(FIELDS) and killed.is_alive():
            sent |= {str(name) for name in client.list_datasets()}
            time.sleep(0.02)
    assert imaged(dask), "nothing has begun"
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    killed.join()
    platform.run("single_cell_images", partition=SAMPLE)
    paths = imaged(dask)
    assert len(paths) == len({*paths}) == len(FIELDS)
    table = platform.table("single_cell_images", SAMPLE)
    assert list(table["status"]) == ["ok"] * len(FIELDS)
    metadata = platform.latest("single_cell_images", SAMPLE).metadata
    assert metadata[PLACE] == dask.address
    assert 0 < metadata[FIELDS_DONE] <= len(FIELDS) and metadata[FIELDS_A_MINUTE] > 0
    assert metadata[DASHBOARD].startswith("http://127.0.0.1:")
    with urlopen(metadata[DASHBOARD], timeout=30) as page:
        assert "Dask" in page.read().decode()


def test_scportrait_makes_the_same_bytes_elsewhere(dask, store, tiny_study, tmp_path, monkeypatch):
    """The worker is started as people start it; here, fields are worked on in this process.

    Each process that works on fields takes 9 s to import scPortrait.
    """
    monkeypatch.setenv("AUTOPHAGY_WORKERS", "1")
    dask.end_workers()
    dask.add()
    shutil.copytree(tiny_study, tmp_path / "images")
    table = pd.read_csv(tmp_path / "images" / "metadata_files.csv", dtype=str)
    number = table.groupby(["genotype", "stimulation"], sort=False).ngroup() + 1
    labels = {"genotype": "WT", "stimulation": "untreated", "cell_line_clone": "clone 1"}
    table = table.assign(**labels, FOV="FOV" + number.astype(str))
    write_metadata(tmp_path / "images", table[number <= 2])
    platform = made_here(tmp_path, "fields on a cluster")
    dask.wait_for(1)
    work_on_it(platform, dask, monkeypatch, ["FOV1", "FOV2"])
