"""``autophagy doctor``: what is installed, where things are kept, and what is wrong.

Here belongs a look at the installation that works when parts of it are broken. What is out of
date is shown by ``autophagy status``, what does not agree by ``autophagy reconcile``.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import click

from autophagy_assets.cli import machine
from autophagy_assets.config import home_file, settings
from autophagy_assets.config.home import INSTANCE_NAME, Home, dagster_instance
from autophagy_assets.config.settings import HOME_VARIABLE
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets.errors import InputError, store_away

SILENT_S = 90  # the daemon reports every 30 s
_PACKAGES = ("autophagy-assets", "dagster", "lamindb", "scportrait")


@click.command()
def doctor() -> None:
    """Show what is installed, where things are kept, and what is wrong.

    Makes no home. Ends with exit code 1 where something is wrong.
    """
    lines, wrong = examine(Home.locate())
    for name, text in lines.items():
        click.echo(f"{name:<9}{text}")
    for problem in wrong:
        click.secho("Wrong: ", fg="red", nl=False)
        click.echo(problem)
    if not wrong:
        click.echo("Nothing is wrong.")
    sys.exit(1 if wrong else 0)


def examine(home: Home) -> tuple[dict[str, str], list[str]]:
    """Check everything that the platform needs, and print its state.

    Returns
    -------
    tuple
        What was found, by what it is about, and a sentence for each thing that is wrong.
    """
    wrong: list[str] = []
    study, usable, daemon = None, False, "not running: there is no home yet"
    with _noting(wrong):
        settings.check()
    with _noting(wrong):
        study = Study.load()
    with _noting(wrong):
        _check_dagster_home(home)
    with _noting(wrong):
        machine.check_disk(home.root)
    text, there = f"{home.root}, not made yet", False
    with _noting(wrong):
        there = _is_there(home)
    if there:
        text, daemon = f"{home.root}, cannot be used", "unknown, as the home cannot be used"
        with _noting(wrong):
            home.prepare()
            usable = True
            text = _home_line(home)
    store = source = "unknown"
    with _noting(wrong):
        source = settings.source() or "the store itself"
    with _noting(wrong):
        store = _store_line()  # before a connection is made, which names the embedded one
    if usable:
        daemon = "unknown"
        with _noting(wrong):
            daemon = _daemon_line()
        with _noting(wrong):
            _check_store(home, study)
    return {
        "versions": ", ".join(_versions(wrong)),
        "home": text,
        "store": store,
        "source": source,
        "study": _study_line(study),
        "daemon": daemon,
        "machine": machine.granted(),
        "disk": machine.disk(home.root),
    }, wrong


@contextmanager
def _noting(wrong: list[str]) -> Iterator[None]:
    """Note an error and continue."""
    try:
        yield
    except InputError as error:
        problem = str(error)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        problem = str(store_away(error) or reason)
    else:
        return
    if problem not in wrong:  # a wrong setting is read more than once
        wrong.append(problem)


def _versions(wrong: list[str]) -> Iterator[str]:
    yield f"python {platform.python_version()}"
    for package in _PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} not installed"
            wrong.append(f"{package} is not installed; run 'make install'.")


def _check_dagster_home(home: Home) -> None:
    named = os.environ.get("DAGSTER_HOME")
    if not named:
        return
    folder = Path(named).expanduser()
    if folder.is_absolute() and folder.resolve() == home.dagster:
        return
    if not folder.is_absolute() or not folder.is_dir():
        raise InputError(
            f"DAGSTER_HOME is {named!r}, which is no folder with an absolute path; unset it, or "
            "make the folder."
        )
    if (home.dagster / "history").is_dir():
        raise InputError(
            f"DAGSTER_HOME is {named}, but {home.root} has records of Dagster of its own, which "
            f"are not looked at; unset DAGSTER_HOME, or set {HOME_VARIABLE} to another folder."
        )


def _is_there(home: Home) -> bool:
    """Whether there is a home, or something in its place; an empty folder is none yet."""
    if home.root.is_dir():
        return any(home.root.iterdir())
    return home.root.exists()


def _home_line(home: Home) -> str:
    known = home_file.read(home.root)
    if known is None:
        return str(home.root)
    return f"{home.root}, {'at least ' if known.adopted else ''}since {known.created[:10]}"


def _store_line() -> str:
    if (named := os.environ.get("LAMIN_CURRENT_INSTANCE")) and named != INSTANCE_NAME:
        return f"your LaminDB instance {named} (LAMIN_CURRENT_INSTANCE)"
    place = settings.storage() or "the home"
    if url := settings.database():
        parts = urlsplit(url)  # without the password
        where = parts.netloc.rpartition("@")[2] + parts.path
        return f"in {place}, with its records in PostgreSQL ({where})"
    return f"in {place}, with its records in SQLite"


def _check_store(home: Home, study: Study | None) -> None:
    """Open the store, if there is one; see that it is of the study, and that the source answers."""
    from autophagy_assets.automation.home_study import check
    from autophagy_assets.registry.store.instance import connect, source, source_name

    named = os.environ.get("LAMIN_CURRENT_INSTANCE") or settings.database()
    if named or source_name() or (home.store / ".lamindb").exists():
        connect().Artifact.filter().exists()
        source()
    if study is not None:
        check(home, study.name)


def _study_line(study: Study | None) -> str:
    file = (settings.study_file() or DEFAULT_STUDY).absolute()
    return f"{study.name!r} ({file})" if study else f"not known ({file})"


def _daemon_line() -> str:
    with dagster_instance() as instance:
        beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    if not beats:
        return "not running: no schedule, sensor or queued run begins"
    silent = max(0, time.time() - max(beats))
    if silent > SILENT_S:
        text = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(beats)))
        return f"not running since {text}: no schedule, sensor or queued run begins"
    return f"running, last heartbeat {silent:.0f} s ago"
