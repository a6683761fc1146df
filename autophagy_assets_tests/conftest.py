"""Isolation: the tests have a home of their own and leave the user's LaminDB and Dagster alone.

LaminDB reads its settings folder when it is imported and connects once per process, so the
environment is set here, before any test module is imported, and one store serves the whole
session. Tests keep apart by studies of different names; a test that needs another instance, or
a store of its own, runs a script in a process of its own (``run_script``).
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from autophagy_assets_tests import order
from autophagy_assets_tests.preloaded import run_python

# A machine that does other things meanwhile is no reason to fail.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", settings.get_profile("unhurried"), max_examples=15)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]


def _in_memory() -> None:
    """Keep temporary files in memory, where there is enough, unless ``TMPDIR`` names a place.

    Everything that is stored is made durable: on a disk each test waits hundreds of times for 6 ms.
    """
    memory = Path("/dev/shm")
    if os.environ.get("TMPDIR") or not memory.is_dir():
        return
    if shutil.disk_usage(memory).free > 4 * 2**30:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None


_in_memory()
TEMPORARY = Path(tempfile.mkdtemp(prefix="autophagy-tests-")).resolve()
# Where LaminDB and Dagster keep what is the user's own.
PRIVATE = [Path.home() / ".lamin", Path.home() / ".dagster"]
_NOT_OURS = ("AUTOPHAGY_", "LAMIN_", "LAMINDB_", "DAGSTER_")
_KEPT = ("AUTOPHAGY_REAL_DATA", "AUTOPHAGY_TEST_")


def home_variables(home: Path) -> dict[str, str]:
    """Environment in which everything is kept below one folder."""
    return {
        "AUTOPHAGY_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "LAMIN_SETTINGS_DIR": str(home / "lamin"),
        "LAMIN_CACHE_DIR": str(home / "cache"),
    }


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment without what the user has set for this platform, with a home given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_OURS) or name.startswith(_KEPT)
    }
    return kept | home_variables(home) | more


def _isolate() -> None:
    wanted = clean_environment(TEMPORARY / "home")
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)
    from autophagy_assets.config.home import Home

    Home.locate().prepare()


_isolate()


def lacking(what: str) -> NoReturn:
    """Skip what needs a program that this machine lacks; in CI, where it must not, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; CI installs it, so this may not be skipped")
    pytest.skip(what)


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session", autouse=True)
def _users_own_folders_are_left_alone() -> Iterator[None]:
    before = {folder: contents(folder) for folder in PRIVATE}
    existed = [folder for folder in PRIVATE if folder.exists()]
    yield
    assert [folder for folder in PRIVATE if folder.exists()] == existed, "a test made ~/.lamin"
    for folder in PRIVATE:
        assert contents(folder) == before[folder], f"a test changed {folder}"


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what -m excludes
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Either takes 20 s in each process.
        if {"finished", "published"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    order.longest_first(items)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return order.scheduler(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be skipped but what needs the real images, which nobody can install."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    wrongly = [report for report in skipped if "real images" not in str(report.longrepr)]
    if os.environ.get("CI") and wrongly:
        print(f"\n{len(wrongly)} tests were skipped, which CI does not allow.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    gc.unfreeze()  # what is never collected, libraries report as leaked when the process ends
    shutil.rmtree(TEMPORARY, ignore_errors=True)


@pytest.fixture(scope="session")
def store() -> Any:
    """``lamindb``, connected to the store of this session."""
    from autophagy_assets.registry.store.instance import connect

    ln = connect()
    gc.freeze()  # or each collection would walk the 700,000 objects that the imports left
    return ln


@pytest.fixture(scope="session")
def finished(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Platform with everything made once, and what it was made from. Read-only.

    Defined here alone: of a fixture that two folders import, pytest makes one for each, and the
    second study would find the artifacts of the first.
    """
    from autophagy_assets.config.models import AS_PUBLISHED
    from autophagy_assets.config.study import Study
    from autophagy_assets_tests.given import given_study
    from autophagy_assets_tests.platform import Platform, study_file

    folder = tmp_path_factory.mktemp("finished")
    as_in_the_notebook = {AS_PUBLISHED: {"n_estimators": 100}}
    galleries = Study.load().galleries.model_dump()
    platform = Platform(
        study_file(folder, "finished study", models=as_in_the_notebook, galleries=galleries)
    )
    given = given_study(platform.study, folder)
    done = platform.refresh()
    assert not done.failed and not done.skipped, done
    return platform, given


@pytest.fixture(scope="session")
def published(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Platform of given tables with the published model alone, made once and up to date.

    Whoever changes it leaves it so.
    """
    from autophagy_assets_tests.given import given_study
    from autophagy_assets_tests.platform import Platform, study_file

    folder = tmp_path_factory.mktemp("published")
    platform = Platform(study_file(folder, "study of the published model"))
    given_study(platform.study, folder)
    assert platform.refresh().complete
    return platform


@pytest.fixture(scope="session")
def object_store() -> Iterator[Any]:
    """A server that speaks S3, on the loopback interface."""
    from autophagy_assets_tests.object_store import ObjectStore, program

    moto = program()
    if moto is None:
        lacking("moto is not installed: pip install 'moto[server]'")
    running = ObjectStore(moto)
    yield running
    running.end()


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a simulated study: one field of view per genotype and stimulation. Read-only."""
    from autophagy_assets.simulation import simulate

    folder = tmp_path_factory.mktemp("simulated") / "study"
    simulate(folder, size=420, cells_per_field=12, fields_per_sample=1, clones=1)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real images."""
    named = os.environ.get("AUTOPHAGY_REAL_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "autophagy_fov1"
    if not (folder / "metadata_files.csv").is_file():
        pytest.skip(f"the real images are not in {folder}: set AUTOPHAGY_REAL_DATA to their folder")
    return folder


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which nothing is set, in an empty working directory."""
    for name in [*home_variables(tmp_path), "AUTOPHAGY_DATABASE_URL", "AUTOPHAGY_STORAGE"]:
        # Set first, so that what prepare() sets is taken back after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., Any]:
    """Run a script in a process of its own, with a home of its own; gives what it prints last.

    The script prints JSON as its last line. ``home`` is shared by calls that name the same.
    """

    def run(script: str, *arguments: Any, home: Path | None = None, **environment: str) -> Any:
        home = home or tmp_path / "home"
        variables = clean_environment(home, PYTHONPATH=str(ROOT), **environment)
        done = run_python(["-c", script, *arguments], variables, tmp_path, timeout=300)
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    return run
