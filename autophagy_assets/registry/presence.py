"""Which processes are at work: each holds a lock of its own until it ends, however it ends.

The operating system drops the lock of a process that is killed, so a record of work that
was never ended can be told from work that still goes on.
"""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from autophagy_assets.home import Home

_held: list[BaseFileLock] = []


def _folder() -> Path:
    return Home.locate().locks / "processes"


@cache
def _announced(pid: int) -> str:
    name = f"{socket.gethostname()}-{pid}-{uuid.uuid4().hex[:8]}"
    _folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(_folder() / name)
    lock.acquire()
    _held.append(lock)  # never released: the end of the process does it
    return name


def announce() -> str:
    """Say that this process is at work, from now until it ends.

    Returns
    -------
    str
        Name under which others can ask whether it still is.
    """
    return _announced(os.getpid())


def at_work(name: str) -> bool | None:
    """Tell whether a process is still there.

    Parameters
    ----------
    name : str
        From :func:`announce`.

    Returns
    -------
    bool or None
        None where it cannot be known: the process was another home's, or not announced.
    """
    if not name or "/" in name or not (_folder() / name).exists():
        return None
    return _locked(_folder() / name)


def others_at_work() -> list[str]:
    """Processes other than this one that are at work in this home.

    Returns
    -------
    list of str
        Names, sorted.
    """
    mine = announce()
    files = sorted(_folder().iterdir())
    return [file.name for file in files if file.name != mine and _locked(file)]


def forget_gone(needed: set[str]) -> None:
    """Delete the lock files of processes that have ended.

    Parameters
    ----------
    needed : set of str
        Names that records of unended work still mention; they stay.
    """
    for file in sorted(_folder().glob("*")):
        if file.name not in needed and not _locked(file):
            file.unlink(missing_ok=True)


def _locked(file: Path) -> bool:
    if any(lock.lock_file == str(file) for lock in _held):
        return True
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True
