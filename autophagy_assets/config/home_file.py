"""The home file: it says that a folder is a home of this platform, and of which study.

A folder without it that holds anything is somebody else's: nothing is written into it, and
nothing of it is deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from autophagy_assets.errors import InputError

NAME = "autophagy-home.json"
FORMAT = 1
# What a new disk has; it makes a folder no less empty.
_OF_THE_DISK = {"lost+found"}


@dataclass(frozen=True)
class HomeFile:
    """Content of the home file.

    Parameters
    ----------
    format : int
        Version of the format of the file.
    created : str
        When the file was written, ISO 8601.
    study : str or None
        Name of the study that the home holds; None until the first images or results.
    adopted : bool
        Whether the home is older than the file, so that it may hold a study already.
    """

    format: int
    created: str
    study: str | None = None
    adopted: bool = False


def admit(root: Path) -> None:
    """Make a folder a home, if it is one, is empty, or does not exist.

    Raises
    ------
    InputError
        If it holds what is not of this platform.
    """
    if (root / NAME).exists():
        read(root)
        return
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is not a folder; set AUTOPHAGY_HOME to a new folder.")
    older = _is_older_home(root)
    if not older and _holds_something(root):
        raise InputError(
            f"{root} is not empty and is no home of this platform; set AUTOPHAGY_HOME to a new "
            "folder."
        )
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        if not (root / NAME).exists():
            _write(root, HomeFile(FORMAT, _now(), adopted=older))


def read(root: Path) -> HomeFile | None:
    """Read the home file of a folder.

    Returns
    -------
    HomeFile or None
        None where the folder has none.

    Raises
    ------
    InputError
        If the file cannot be read, or is of a newer version of the platform.
    """
    file = root / NAME
    try:
        known = HomeFile(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{file} cannot be read ({error}), so it is not known what this home holds; put it "
            "back from a backup, or set AUTOPHAGY_HOME to a new folder."
        ) from error
    if known.format > FORMAT:
        raise InputError(
            f"{root} was made by a newer version of this platform; install that version, or set "
            "AUTOPHAGY_HOME to a new folder."
        )
    return known


def note_study(root: Path, study: str) -> None:
    """Note the name of the study that a home holds."""
    with _locked(root):
        known = read(root) or HomeFile(FORMAT, _now())
        if known.study != study:
            _write(root, replace(known, study=study))


def is_part(name: str) -> bool:
    """Whether a file name is that of the home file, its lock, or one that is being written."""
    return name.startswith(NAME)


def _is_older_home(root: Path) -> bool:
    """Whether a folder was a home before there were home files."""
    locked = (root / "locks").is_dir() or (root / "store" / ".lamindb").is_dir()
    return locked and (root / "dagster" / "dagster.yaml").is_file()


def _holds_something(root: Path) -> bool:
    # Another process may be writing the home file at this moment.
    return root.exists() and any(
        path.name not in _OF_THE_DISK and not is_part(path.name) for path in root.iterdir()
    )


def _write(root: Path, known: HomeFile) -> None:
    beside = root / f"{NAME}.{os.getpid()}"
    beside.write_text(json.dumps(asdict(known), indent=2) + "\n")
    os.replace(beside, root / NAME)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with FileLock(root / f"{NAME}.lock"):
        yield
