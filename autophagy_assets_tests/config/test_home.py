"""One folder holds everything, and what the user has set is respected."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from autophagy_assets.compute import pool as compute
from autophagy_assets.config import home
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError
from autophagy_assets_tests.conftest import ROOT, clean_environment, home_variables
from autophagy_assets_tests.preloaded import run_python


def test_the_default_is_in_the_working_directory(isolated, tmp_path):
    assert Home.locate().root == tmp_path / ".autophagy"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_is_no_home(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Home.locate({} if value is None else {"AUTOPHAGY_HOME": value})
    assert found.root == tmp_path / ".autophagy"


def test_a_home_is_absolute_whatever_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Home.locate({"AUTOPHAGY_HOME": "here"}).root == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Home.locate({"AUTOPHAGY_HOME": "~/lab"}).root == tmp_path / "me" / "lab"


def test_everything_is_below_the_home(isolated, tmp_path):
    home = Home(tmp_path / "lab")
    home.prepare()
    for name in home_variables(home.root):
        assert Path(os.environ[name]).is_relative_to(home.root), name
    assert {p.name for p in tmp_path.iterdir()} == {"lab"}
    assert home.store.is_relative_to(home.root)


def test_what_the_user_has_set_is_respected(isolated, tmp_path):
    users = {
        "DAGSTER_HOME": str(tmp_path / "theirs" / "dagster"),
        "LAMIN_SETTINGS_DIR": str(tmp_path / "theirs" / "lamin"),
        "LAMIN_CACHE_DIR": str(tmp_path / "theirs" / "cache"),
    }
    for name, value in users.items():
        isolated.setenv(name, value)
    Home(tmp_path / "lab").prepare()
    assert {name: os.environ[name] for name in users} == users
    assert not (tmp_path / "theirs").exists(), "the user's own folders are not made or written"


def test_dagster_sends_no_telemetry(isolated, tmp_path):
    Home(tmp_path).prepare()
    settings = yaml.safe_load((tmp_path / "dagster" / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert "storage" not in settings


def test_preparing_again_changes_nothing(isolated, tmp_path):
    home = Home(tmp_path)
    home.prepare()
    file = home.dagster / "dagster.yaml"
    before = file.stat().st_mtime_ns
    home.prepare()
    assert file.stat().st_mtime_ns == before
    assert [p.name for p in home.dagster.iterdir()] == ["dagster.yaml"]  # no temporary file


URL = "postgresql://me:secret@db/lab"


def test_a_team_keeps_dagster_in_its_database(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_DATABASE_URL", URL)
    Home(tmp_path).prepare()
    file = tmp_path / "dagster" / "dagster.yaml"
    url = yaml.safe_load(file.read_text())["storage"]["postgres"]["postgres_url"]
    # By name, since Dagster shows its settings in the list of processes.
    assert os.environ[url["env"]] == URL.replace("postgresql:", "postgresql+psycopg2:")
    assert "secret" not in file.read_text()


def test_no_one_else_can_read_a_password(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_DATABASE_URL", URL)
    Home(tmp_path).prepare()
    holding = [p for p in tmp_path.rglob("*") if p.is_file() and "secret" in p.read_text()]
    assert len(holding) >= 1
    for file in holding:
        assert file.stat().st_mode & 0o077 == 0, file
    # LaminDB writes the address there, for all to read.
    assert (tmp_path / "lamin").stat().st_mode & 0o077 == 0


def test_a_home_keeps_the_database_that_it_was_made_with(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_DATABASE_URL", URL)
    Home(tmp_path).prepare()
    isolated.delenv("AUTOPHAGY_DATABASE_URL")
    Home(tmp_path).prepare()
    assert os.environ["AUTOPHAGY_DATABASE_URL"] == URL
    isolated.setenv("AUTOPHAGY_DATABASE_URL", URL + "2")
    with pytest.raises(InputError, match="is not the database that") as raised:
        Home(tmp_path).prepare()
    assert "secret" not in str(raised.value)


BUCKET = "s3://lab/screens?endpoint_url=http://store:9000"


def test_a_home_keeps_the_bucket_that_it_was_made_with(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_STORAGE", BUCKET)
    Home(tmp_path).prepare()
    isolated.delenv("AUTOPHAGY_STORAGE")
    Home(tmp_path).prepare()
    assert os.environ["AUTOPHAGY_STORAGE"] == BUCKET
    isolated.setenv("AUTOPHAGY_STORAGE", "s3://lab/other")
    with pytest.raises(InputError, match=r"AUTOPHAGY_STORAGE is s3://lab/other, but .* keeps its"):
        Home(tmp_path).prepare()


def test_a_home_whose_files_are_in_a_folder_is_refused_a_bucket(isolated, tmp_path):
    Home(tmp_path).prepare()
    known = tmp_path / "lamin" / ".lamin" / "instance--anonymous--autophagy.env"
    known.parent.mkdir(parents=True)
    known.touch()
    isolated.setenv("AUTOPHAGY_STORAGE", BUCKET)
    with pytest.raises(InputError, match="keeps its files in its folder store already"):
        Home(tmp_path).prepare()


def test_a_database_of_another_kind_is_refused(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_DATABASE_URL", "mysql://me:secret@db/lab")
    with pytest.raises(InputError, match="must be postgresql://"):
        Home(tmp_path).prepare()


@pytest.mark.parametrize(
    ("setting", "processors", "gigabytes", "runs"),
    [
        (None, 8, 64, 2),  # each on every core
        (None, 8, 12, 1),  # 9.5 GB each
        (None, 1, 64, 2),
        (None, 2, 1, 1),
        ("2", 16, 64, 8),
        ("2", 16, 8, 2),
        ("16", 8, 64, 2),
    ],
)
def test_as_many_runs_at_once_as_fit(isolated, tmp_path, setting, processors, gigabytes, runs):
    isolated.delenv("AUTOPHAGY_WORKERS", raising=False)
    if setting:
        isolated.setenv("AUTOPHAGY_WORKERS", setting)
    for module in (compute, home):
        isolated.setattr(module, "granted_processors", lambda: processors)
        isolated.setattr(module, "granted_memory", lambda: gigabytes * 1e9)
    Home(tmp_path).prepare()
    settings = yaml.safe_load((tmp_path / "dagster" / "dagster.yaml").read_text())
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == runs


@pytest.mark.slow
def test_processes_that_begin_at_once_in_a_new_home_make_dagsters_databases_once(tmp_path):
    (tmp_path / "home").mkdir()
    environment = clean_environment(tmp_path / "home", PYTHONPATH=str(ROOT))
    script = "from autophagy_assets.config.home import dagster_instance; dagster_instance()"
    with ThreadPoolExecutor(6) as pool:
        begun = [pool.submit(run_python, ["-c", script], environment, tmp_path) for _ in range(6)]
    ended = [future.result() for future in begun]
    assert [done.stderr[-500:] for done in ended if done.returncode != 0] == []
