"""A full disk: reported clearly, nothing half-written to be seen, all well once there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.registry.store.files import measure
from autophagy_assets_tests.cli.test_main import autophagy
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.preloaded import run_python
from autophagy_assets_tests.registry.image_folder import write_images
from autophagy_assets_tests.reliability import tiny
from autophagy_assets_tests.reliability.forked import ForkServer

pytestmark = pytest.mark.slow


def mount(folder: Path, kilobytes: int, *more: str) -> bool:
    """Put a small disk at a folder; False where that is not allowed."""
    options = ",".join([*more, f"size={kilobytes}k"])
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    if not mount(folder, 200_000):
        pytest.skip("a small disk for the test cannot be mounted: only root may")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def home(small_disk: Path) -> Iterator[ForkServer]:
    fork_server = ForkServer(small_disk / "a")
    yield fork_server
    fork_server.end()


@pytest.fixture(scope="module")
def undisturbed(home: ForkServer) -> dict[str, Any]:
    return home.ask("prepare")["hashes"]


def test_a_file_that_does_not_fit_is_reported_and_made_once_there_is_space(
    home: ForkServer, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """Only the folder of the files is full, so the databases can still be written."""
    home.ask("restore")
    place = home.home / "store" / "tiny-study" / "tiny"
    shutil.move(place, tmp_path / "kept")
    place.mkdir()
    used = measure(tmp_path / "kept")[1] // 1000
    assert mount(place, used + 150)  # the first file of the next version has 200 kB
    shutil.copytree(tmp_path / "kept", place, dirs_exist_ok=True)
    try:
        full = home.ask("repair", reconcile_first=False)
        assert "The disk is full: free some space below" in full["errors"]["field"]
        assert full["after"]["faults"] == []
        assert full["after"]["hashes"] == full["before"]["hashes"] != undisturbed
        assert full["late"]["left"] == []
        assert [p.name for p in place.rglob(".tmp-*")] == []

        assert mount(place, 50_000, "remount")
        repaired = home.ask("repair", reconcile_first=False)
        assert repaired["errors"] == {}
        assert repaired["after"] == {
            "hashes": undisturbed,
            "faults": [],
            "artifacts": tiny.ARTIFACTS,
        }
        assert repaired["late"] == {"found": [], "left": []}
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("left_kb", [40, 400])
def test_databases_that_do_not_fit_are_reported_and_all_is_well_once_there_is_space(
    home: ForkServer, undisturbed: dict[str, Any], small_disk: Path, left_kb: int
) -> None:
    home.ask("restore")
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, free.f_bavail * free.f_frsize - left_kb * 1000)
    (full,) = home.call("outage", "refresh")
    filler.unlink()
    said = full["said"] + " ".join(full["errors"].values())
    assert "full" in said or "disk space" in said  # SQLite says it in one way or another
    assert "refresh again" in said

    repaired = home.ask("repair", reconcile_first=left_kb == 40)
    assert repaired["before"]["faults"] == []
    assert repaired["errors"] == {}
    assert repaired["after"] == {"hashes": undisturbed, "faults": [], "artifacts": tiny.ARTIFACTS}
    assert repaired["late"]["left"] == []


def test_an_ingest_that_does_not_fit_is_one_sentence_and_leaves_no_copies(
    small_disk: Path, tmp_path: Path
) -> None:
    images, home = tmp_path / "images", small_disk / "ingesting"
    write_images(images, Study.load(), side=300)  # 9 images of 180 kB

    def ingest() -> subprocess.CompletedProcess[str]:
        return autophagy(home, "ingest", str(images))

    home.mkdir()
    command = "from autophagy_assets.registry.store.instance import connect; connect()"
    environment = clean_environment(home, PYTHONPATH=str(ROOT))
    assert run_python(["-c", command], environment, tmp_path).returncode == 0
    place = home / "store" / "autophagy-imaging"
    place.mkdir(parents=True)
    assert mount(place, 900)
    try:
        full = ingest()
        assert full.returncode == 1 and "Traceback" not in full.stderr
        assert "The disk is full: free some space below" in full.stderr
        assert list(place.rglob("*.tif")) == []
        assert mount(place, 9000, "remount")
        assert "9 new" in ingest().stdout
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


LEAVE = """
import os, sys
from pathlib import Path
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.outputs import folder_of

def fill(path):
    with path.open("wb") as stream:
        try:
            while os.statvfs(path.parent).f_bavail * 4096 > int(sys.argv[2]):
                stream.write(bytes(65536))
                stream.flush()
        except OSError:
            pass
    if sys.argv[1] == "half-written":
        os.kill(os.getpid(), 9)

files._sync = lambda path: None
files.put(fill, folder_of("left/behind.txt"), ".txt")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("how", "left"), [("half-written", 0), ("without a record", 500_000)])
def test_reconcile_frees_a_disk_that_a_killed_process_has_filled(
    tmp_path: Path, how: str, left: int
) -> None:
    """Deleting comes before all that needs space; what is unrecorded only the databases know."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mount(place, 30_000):
        pytest.skip("a small disk for the test cannot be mounted: only root may")
    home = place / "home"
    try:
        assert autophagy(home, "status").returncode == 0
        environment = clean_environment(home, PYTHONPATH=str(ROOT))
        killed = run_python(["-c", LEAVE, how, left], environment, tmp_path)
        assert killed.returncode == -9
        assert os.statvfs(place).f_bavail * 4096 <= left
        done = autophagy(home, "reconcile", "--fix")
        assert done.returncode == 0 and "repaired file: left/behind" in done.stdout, done.stderr
        assert os.statvfs(place).f_bavail * 4096 > 5_000_000
        assert list((home / "store" / "left" / "behind").iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
