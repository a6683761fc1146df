"""What a living process may be writing is left alone, however long it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from autophagy_assets.config.home import Home
from autophagy_assets.registry.consistency.loose_files import check_loose, free_space
from autophagy_assets.registry.store import files, processes
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets_tests.conftest import ROOT

WRITE = """
import sys, time
from pathlib import Path
from autophagy_assets.registry.store import files

def write(path):
    path.write_text("half")
    print(path.name, flush=True)
    time.sleep(600)

files.put(write, Path(sys.argv[1]), ".txt")
"""
DAYS_AGO = 100 * 24 * 3600.0


@pytest.fixture
def folder(store: object, request: pytest.FixtureRequest) -> Path:
    made = storage_root() / "at-work" / request.node.name.replace("[", "-").replace("]", "")
    made.mkdir(parents=True)
    return made


def at_work(name: str) -> FileLock:
    """Another process of that name, as far as its lock says."""
    processes = Home.locate().locks / "processes"
    processes.mkdir(exist_ok=True)
    return FileLock(processes / name)


def aged(path: Path, seconds: float) -> Path:
    """A file that looks as if it had been changed long ago, as far as that can be set."""
    path.write_text("half")
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def repaired(path: Path, **how: float) -> bool:
    found = [f for f in check_loose(True, set(), **how) if path.name in f.what]
    assert all(disagreement.fixed for disagreement in found) and path.exists() is not bool(found)
    return bool(found)


@pytest.fixture
def writer(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that is writing a file, and the file."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITE, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield process, folder / process.stdout.readline().strip()
        process.kill()


def test_a_file_that_a_living_process_writes_stays_and_that_of_a_killed_one_goes(writer, folder):
    process, path = writer
    assert files.writer_of(path) in processes.others_at_work()
    assert not repaired(path, grace_s=0.0), "nobody but its writer decides, whatever its age"
    assert free_space() == []
    process.kill()
    process.wait()
    assert repaired(path)


def test_what_killed_processes_left_goes_without_a_database(writer, folder):
    process, path = writer
    process.kill()
    process.wait()
    found = [disagreement for disagreement in free_space() if path.name in disagreement.what]
    assert [disagreement.fixed for disagreement in found] == [True] and not path.exists()


@pytest.mark.parametrize("name", [".tmp-0123.txt", "f" * 64 + ".txt"])
def test_a_file_that_names_no_writer_stays_while_a_process_goes_on_that_is_older(folder, name):
    path = aged(folder / name, 0)
    began = int(time.time()) - 7200
    with at_work(f"here-1-{began}-0123abcd"):
        assert not repaired(path)
    with at_work("of-an-earlier-version"), at_work(f"here-2-{int(time.time()) + 999}-0123abcd"):
        assert not repaired(path)
    with at_work(f"here-2-{int(time.time()) + 999}-0123abcd"):
        assert repaired(path), "who began after it was written has not written it"


def test_a_store_that_other_machines_write_to_is_given_a_day(folder, monkeypatch):
    path, here = aged(folder / ("e" * 64 + ".txt"), 0), Home.locate()
    monkeypatch.setattr(Home, "store", property(lambda home: home.root / "another"))
    assert Home.locate().store != here
    assert not repaired(path)
    assert repaired(path, grace_s=0.0)


def test_tidying_up_does_not_take_the_lock_of_a_process_that_is_being_announced(store):
    processes.forget_gone(set())
    mine = processes.announce()
    processes.forget_gone(set())
    assert processes.at_work(mine) is True


def test_a_program_that_is_served_is_known_after_it_has_replaced_its_process(store):
    become = (
        "import os, sys;"
        "from autophagy_assets.registry.store.processes import announce_program;"
        "announce_program();"
        "os.execv(sys.executable, [sys.executable, '-c', 'print(1, flush=True); input()'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", become]
    pipe = subprocess.PIPE
    before = processes.programs_at_work()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as program:
        assert program.stdout is not None and program.stdout.readline() == b"1\n"
        (name,) = set(processes.programs_at_work()) - set(before)
        assert str(program.pid) in name and name not in processes.others_at_work()
        program.communicate(b"\n")
    assert processes.programs_at_work() == before
