"""Deleting a home: what the platform made in it, and nothing else."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from autophagy_assets.cli.compare import FOLDER, GALLERY, TABLES
from autophagy_assets.config import home_file
from autophagy_assets.config.home import DATABASE_FILE, STORAGE_FILE, Home
from autophagy_assets.errors import InputError

# What the platform makes in a home; the locks go last, as they keep others out meanwhile.
_MADE = (
    *("dagster", "store", "lamin", "cache", "simulated", "finished_fields", "progress"),
    *("workspace.yaml", "study.yaml", STORAGE_FILE),
)
_REPORT, _LOCKS = "report", "locks"
# Held while a home is deleted, so that no refresh and no ingest begins.
_KEPT_OUT = ("refresh.lock", "ingest.lock")


def remove(home: Home, named: Path) -> list[Path]:
    """Delete what the platform made in a home, and the folder if nothing else is in it.

    Parameters
    ----------
    named : pathlib.Path
        The home as the user named it, which may be a link.

    Returns
    -------
    list of pathlib.Path
        What stays, as the platform has not made it.

    Raises
    ------
    InputError
        If the folder is no home, or somebody is at work in it; then nothing has been deleted.
    """
    require_home(home.root, named)
    with ExitStack() as held:
        _keep_others_out(home, held)
        _delete_made(home.root)
    rest = sorted(home.root.iterdir())
    if not rest:
        home.root.rmdir()
    return rest


def require_home(root: Path, named: Path) -> None:
    """Refuse a folder that is no home, or is more than one.

    Parameters
    ----------
    named : pathlib.Path
        The home as the user named it.

    Raises
    ------
    InputError
        Says what it is instead.
    """
    if not root.exists():
        raise InputError(f"There is no home at {root}; nothing has been deleted.")
    if named.is_symlink():
        raise InputError(
            f"{named} is a link to {root}: set AUTOPHAGY_HOME to the folder itself to delete it."
        )
    for place, what in ((Path.home().resolve(), "your home folder"), (Path.cwd(), "this folder")):
        if place.is_relative_to(root):
            raise InputError(
                f"{root} is {what} or holds it, so it is not deleted; go to another folder, or "
                "delete dagster, store and the rest of the study by hand."
            )
    if home_file.read(root) is None:
        raise InputError(
            f"{root} has no {home_file.NAME}, so it is no home of this platform and nothing has "
            "been deleted. A home of an earlier version gets one with 'autophagy status'."
        )


def _keep_others_out(home: Home, held: ExitStack) -> None:
    """Take every lock of a home, or refuse."""
    home.locks.mkdir(exist_ok=True)
    locks = {*_KEPT_OUT, *(file.name for file in home.locks.glob("*.lock"))}
    for name in sorted(locks):
        try:
            held.enter_context(FileLock(home.locks / name, timeout=0))
        except Timeout as error:
            raise InputError(
                f"{home.root} is in use ({name} is held), so nothing has been deleted; wait for "
                "the refresh or ingest to end, and stop 'autophagy ui'."
            ) from error
    from autophagy_assets.registry.store.processes import others_at_work, programs_at_work

    if others := [*others_at_work(), *programs_at_work()]:
        names = [name.rsplit("-", 2)[0] for name in others]
        raise InputError(
            f"{home.root} is in use by {', '.join(names)} (machine and number of the process), so "
            "nothing has been deleted; wait for the refresh or ingest to end, and stop 'autophagy "
            "ui' or its services."
        )


def _delete_made(root: Path) -> None:
    from autophagy_assets.cli.summary import exported_names

    exported = exported_names()  # before anything is gone: settings may be refused here
    try:
        for name in _MADE:
            _delete(root / name)
        for file in root.glob("*.tmp"):  # a file with a password that was being written
            if file.name.startswith(DATABASE_FILE.split(".")[0] + "."):
                _delete(file)
        _delete(root / DATABASE_FILE)
        _delete_written(root / _REPORT, exported)
        _delete_comparisons(root / FOLDER)
        _delete(root / _LOCKS)
        # The home file last, so that a deletion that was interrupted can be continued.
        for file in sorted(root.iterdir(), reverse=True):
            if home_file.is_part(file.name):
                _delete(file)
    except OSError as error:
        raise InputError(
            f"{error.filename or root} cannot be deleted ({error.strerror}); fix that and run "
            "'autophagy delete' again, which deletes the rest."
        ) from error


def _delete(path: Path) -> None:
    """Delete a file or a folder; a link is somebody's own, and stays."""
    if path.is_symlink():
        return
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _delete_comparisons(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        return
    written = re.compile("|".join(map(re.escape, (GALLERY, *TABLES.values()))))
    for comparison in folder.iterdir():
        _delete_written(comparison, written)
    if not any(folder.iterdir()):
        folder.rmdir()


def _delete_written(folder: Path, written: re.Pattern[str]) -> None:
    """Delete the files that the platform writes there; a person may keep notes beside them."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for file in folder.iterdir():
        if written.fullmatch(file.name) and file.is_file():
            _delete(file)
    if not any(folder.iterdir()):
        folder.rmdir()
