"""``autophagy doctor`` shows what is there and what is wrong, also where much is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autophagy_assets.cli import doctor as cli_doctor
from autophagy_assets.cli import machine
from autophagy_assets.config.home import Home
from autophagy_assets.config.settings import HOME_VARIABLE
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.preloaded import run_python

HEARTBEAT = """
import sys
from dagster._daemon.types import DaemonHeartbeat
from autophagy_assets.config.home import dagster_instance

with dagster_instance() as instance:
    instance.add_daemon_heartbeat(DaemonHeartbeat(float(sys.argv[1]), "SENSOR", "one", None))
"""
IMPORTS = """
import json, sys
from autophagy_assets.cli.doctor import examine
from autophagy_assets.config.home import Home

lines, wrong = examine(Home.locate())
print(json.dumps([wrong, [name for name in ("scportrait", "torch") if name in sys.modules]]))
"""


def doctor(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(home, PYTHONPATH=str(ROOT), **environment)
    return run_python(["-m", "autophagy_assets.cli", "doctor"], environment, ROOT, timeout=120)


def test_without_a_home_it_names_what_is_installed_and_makes_none(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = clean_environment(home, PYTHONPATH=str(ROOT))
    del environment["DAGSTER_HOME"]  # there is no such folder yet
    done = subprocess.run(
        [sys.executable, "-m", "autophagy_assets.cli", "doctor"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("python 3.", "dagster 1.", "lamindb 2.", "scportrait 1.", "not made yet"):
        assert word in done.stdout
    assert "'autophagy imaging'" in done.stdout and "Nothing is wrong." in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_of_a_home_it_says_since_when_its_store_and_the_daemon(tmp_path: Path, run_script) -> None:
    home = tmp_path / "home"
    run_script(HEARTBEAT, time.time() - 3600, home=home)
    silent = doctor(home)
    assert silent.returncode == 0, silent.stdout + silent.stderr
    assert f"since {time.strftime('%Y-')}" in silent.stdout and "SQLite" in silent.stdout
    assert "daemon   not running since" in silent.stdout
    run_script(HEARTBEAT, time.time(), home=home)
    assert "daemon   running" in doctor(home).stdout
    (tmp_path / "theirs").mkdir()
    elsewhere = doctor(home, DAGSTER_HOME=str(tmp_path / "theirs"))
    assert elsewhere.returncode == 1 and "unset DAGSTER_HOME" in elsewhere.stdout


@pytest.mark.slow
def test_it_imports_no_scportrait(tmp_path: Path, run_script) -> None:
    wrong, imported = run_script(IMPORTS, DAGSTER_HOME="")
    assert not wrong and not imported


def test_a_broken_study_file_setting_and_dagster_home_are_each_reported(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: [")
    done = doctor(
        tmp_path / "home",
        AUTOPHAGY_STUDY=str(study),
        AUTOPHAGY_WATCH_SECONDS="often",
        DAGSTER_HOME="somewhere",
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for problem in (f"Study file {study} cannot be read", "'often'", "DAGSTER_HOME is 'somewhere'"):
        assert problem in done.stdout
    assert done.stdout.count("Wrong: ") == 3, done.stdout
    assert "machine" in done.stdout and not (tmp_path / "home").exists()


def test_a_folder_of_somebody_else_is_reported_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = doctor(tmp_path, DAGSTER_HOME="")
    assert done.returncode == 1
    assert "is no home of this platform" in done.stdout and "cannot be used" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_a_home_of_another_study_a_source_and_a_moved_store_are_reported(
    tmp_path: Path, run_script
) -> None:
    home = tmp_path / "home"
    registered = """
from autophagy_assets.automation.home_study import claim
from autophagy_assets.config.study import Study
from autophagy_assets_tests.given import given_study
from pathlib import Path
import sys
study = Study.load()
claim(study.name)
given_study(study, Path(sys.argv[1]), ["WT"])
"""
    first = study_file(tmp_path, "first")
    (tmp_path / "second").mkdir()
    second = study_file(tmp_path / "second", "second")
    (tmp_path / "made").mkdir()
    run_script(registered, tmp_path / "made", home=home, AUTOPHAGY_STUDY=str(first))
    assert doctor(home, AUTOPHAGY_STUDY=str(first)).returncode == 0

    other = doctor(home, AUTOPHAGY_STUDY=str(second))
    assert other.returncode == 1 and "holds study 'first', not 'second'" in other.stdout
    away = doctor(home, AUTOPHAGY_STUDY=str(first), AUTOPHAGY_SOURCE="nobody/nothing")
    assert away.returncode == 1 and "AUTOPHAGY_SOURCE=nobody/nothing" in away.stdout

    moved = home.rename(tmp_path / "moved")
    done = doctor(moved, AUTOPHAGY_STUDY=str(first))
    assert done.returncode == 1 and f"was made at {home}" in done.stdout


def test_a_disk_that_is_nearly_full_or_cannot_be_written_is_reported(
    isolated: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    more_than_there_is = shutil.disk_usage(tmp_path).free * 2
    isolated.setattr(machine, "LEAST_FREE_BYTES", more_than_there_is)
    isolated.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    _, wrong = cli_doctor.examine(Home.locate())
    assert len(wrong) == 1 and "of free disk left" in wrong[0]
    isolated.setenv(HOME_VARIABLE, "/proc/home")  # where nobody can make a folder
    _, wrong = cli_doctor.examine(Home.locate())
    assert len(wrong) == 1 and "/proc cannot be written to" in wrong[0]
    isolated.setenv(HOME_VARIABLE, f"/{'x' * 300}")  # nor looked for, as in a folder of others
    lines, wrong = cli_doctor.examine(Home.locate())
    assert "free" in lines["disk"] and any("File name too long" in problem for problem in wrong)
