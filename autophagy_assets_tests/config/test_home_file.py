"""Nothing is written to or deleted from a folder that is no home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from autophagy_assets.cli.home_removal import remove
from autophagy_assets.config import home_file
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError
from autophagy_assets_tests.cli.test_main import autophagy
from autophagy_assets_tests.conftest import ROOT, clean_environment


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    (folder / "store").mkdir(parents=True)
    (folder / "store" / "thesis.txt").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    return folder


@pytest.mark.parametrize("command", [("status",), ("ingest", "."), ("demo",), ("delete", "--yes")])
def test_a_folder_with_foreign_files_is_refused_and_nothing_is_written_or_deleted(theirs, command):
    before = tree(theirs)
    done = autophagy(theirs, *command)
    assert done.returncode == 1 and "no home of this platform" in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert tree(theirs) == before


def test_a_file_is_no_home(tmp_path):
    (tmp_path / "home").write_text("mine")
    with pytest.raises(InputError, match="is not a folder"):
        Home(tmp_path / "home").prepare()


@pytest.mark.parametrize("given", [(), ("lost+found",)])
def test_an_empty_folder_becomes_a_home(isolated, tmp_path, given):
    home = Home(tmp_path / "home")
    for name in given:
        (home.root / name).mkdir(parents=True)
    home.prepare()
    known = home_file.read(home.root)
    assert known is not None and (known.study, known.adopted) == (None, False)


def test_a_home_of_an_earlier_version_is_adopted(isolated, tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    (home.root / home_file.NAME).unlink()
    (home.root / "notes.txt").write_text("mine")
    home.prepare()
    known = home_file.read(home.root)
    assert known is not None and known.adopted


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "cannot be read"), ("[]", "cannot be read"), ('{"other": 1}', "cannot be read")],
)
def test_a_home_file_that_cannot_be_read_is_reported(isolated, tmp_path, text, reason):
    Home(tmp_path).prepare()
    (tmp_path / home_file.NAME).write_text(text)
    with pytest.raises(InputError, match=reason):
        Home(tmp_path).prepare()


def test_a_home_of_a_newer_version_is_refused(isolated, tmp_path):
    Home(tmp_path).prepare()
    file = tmp_path / home_file.NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(InputError, match="newer version"):
        Home(tmp_path).prepare()


def test_processes_that_make_a_home_at_once_make_one(tmp_path):
    script = "from autophagy_assets.config.home import Home; Home.locate().prepare()"
    home = tmp_path / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LAMIN", "DAGSTER"))}
    environment |= {"AUTOPHAGY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert home_file.read(home) is not None


# Deleting


def prepared(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    assert autophagy(home, "status").returncode == 0
    return home


@pytest.mark.slow
def test_only_what_the_platform_made_is_deleted_and_the_rest_is_named(tmp_path):
    home = prepared(tmp_path)
    (home / "report").mkdir()
    (home / "report" / "index.html").write_text("<html>")
    (home / "comparisons" / "a-b").mkdir(parents=True)
    (home / "comparisons" / "a-b" / "claims.csv").write_text("")
    for kept in ("notes.txt", "report/notes.txt", "comparisons/a-b/notes.txt"):
        (home / kept).write_text("mine")
    (tmp_path / "big disk").mkdir()
    (home / "simulated").symlink_to(tmp_path / "big disk")
    done = autophagy(home, "delete", "--yes")
    assert done.returncode == 0, done.stderr
    noted = {"report", "report/notes.txt", "comparisons/a-b", "comparisons/a-b/notes.txt"}
    assert tree(home) == {"notes.txt", "simulated", "comparisons", *noted}
    assert str(home / "notes.txt") in done.stdout and (tmp_path / "big disk").is_dir()


@pytest.mark.slow
def test_a_home_with_nothing_else_in_it_is_gone(tmp_path):
    home = prepared(tmp_path)
    (home / "comparisons" / "a-b").mkdir(parents=True)
    (home / "comparisons" / "a-b" / "claims.csv").write_text("")
    assert autophagy(home, "delete", answer="n\n").returncode != 0 and home.exists()
    done = autophagy(home, "delete", "--yes")
    assert done.returncode == 0, done.stderr
    assert not home.exists()
    again = autophagy(home, "delete", "--yes")
    assert again.returncode == 1 and "There is no home at" in again.stderr
    assert not home.exists()


@pytest.fixture
def used(isolated: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    (home.store / ".lamindb").mkdir(parents=True)
    return home


@pytest.mark.parametrize("lock", ["refresh.lock", "ingest.lock", "lamindb.lock", "processes/a-1-2"])
def test_while_somebody_is_at_work_nothing_is_deleted_and_one_sentence_says_so(used, lock):
    (used.locks / lock).parent.mkdir(exist_ok=True)
    before = tree(used.store) | tree(used.dagster)
    with FileLock(used.locks / lock), pytest.raises(InputError, match="is in use"):
        remove(used, used.root)
    assert tree(used.store) | tree(used.dagster) == before
    assert remove(used, used.root) == [] and not used.root.exists()


def test_while_the_ui_is_served_nothing_is_deleted(used):
    """The process that was announced has become another program."""
    become = (
        "import os, sys;"
        "from autophagy_assets.registry.store.processes import announce_program;"
        "announce_program();"
        "os.execv(sys.executable, [sys.executable, '-c', 'print(1, flush=True); input()'])"
    )
    pipe, environment = subprocess.PIPE, clean_environment(used.root, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-c", become]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as program:
        assert program.stdout is not None and program.stdout.readline() == b"1\n"
        with pytest.raises(InputError, match="'autophagy ui' or its services"):
            remove(used, used.root)
        program.communicate(b"\n")
    assert (used.store / ".lamindb").exists()


@pytest.mark.parametrize("place", ["link", "here", "below", "mine", "/"])
def test_a_link_the_working_folder_and_the_folder_of_the_user_are_not_deleted(
    used, isolated, tmp_path, place
):
    home, named, reason = used, used.root, "so it is not deleted"
    if place == "link":
        named, reason = tmp_path / "link", "is a link to"
        named.symlink_to(used.root)
    elif place == "mine":
        isolated.setenv("HOME", str(used.root))
    elif place == "/":
        home, named = Home(Path("/")), Path("/")
    else:
        isolated.chdir(used.root if place == "here" else used.dagster)
    with pytest.raises(InputError, match=reason):
        remove(home, named)
    assert (used.store / ".lamindb").exists() and (used.root / home_file.NAME).exists()


def test_make_clean_home_leaves_the_home_alone_that_the_user_has_exported():
    def output(*more: str) -> str:
        command = ["make", "-n", "-C", str(ROOT), "clean-home", *more]
        environment = os.environ | {"AUTOPHAGY_HOME": "/srv/exported"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    assert "/srv/exported" not in output() and f'AUTOPHAGY_HOME="{ROOT}/.autophagy"' in output()
    assert "rm -rf" not in output() and "--yes" not in output()
    assert "autophagy delete --yes" in output("YES=1")
