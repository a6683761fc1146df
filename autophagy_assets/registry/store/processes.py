"""Processes at work in a home: each holds a lock of its own until it ends, however it ends.

The operating system drops the lock of a process that is killed, so a record of work that
was never ended can be distinguished from work that still goes on, and a file that is being written
from one that was left behind.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
import uuid
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from autophagy_assets.config.home import Home

_held: list[BaseFileLock] = []


def _folder() -> Path:
    return Home.locate().locks / "processes"


def _programs() -> Path:
    return Home.locate().locks / "programs"


def _new_name(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-{int(time.time())}-{uuid.uuid4().hex[:8]}"


@cache
def _announced(pid: int) -> str:
    Home.locate().prepare()
    _folder().mkdir(parents=True, exist_ok=True)
    while True:
        name = _new_name(pid)
        lock = FileLock(_folder() / name)
        lock.acquire()
        if (_folder() / name).exists():  # else somebody has tidied up before it was locked
            break
        lock.release()
    _held.append(lock)  # never released: the end of the process does it
    return name


def announce() -> str:
    """Announce that this process is at work until it ends.

    Returns
    -------
    str
        Name under which others can ask whether it still is.
    """
    return _announced(os.getpid())


def announce_program() -> None:
    """Announce the program by which this process is about to be replaced.

    It writes no files of its own, unlike what is announced with :func:`announce`, and holds up
    nobody but who would delete the home.
    """
    _programs().mkdir(parents=True, exist_ok=True)
    lock = os.open(_programs() / _new_name(os.getpid()), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)  # never closed: the end of the program does it


def began(name: str) -> float:
    """When a process was announced.

    Parameters
    ----------
    name : str
        From :func:`announce`.

    Returns
    -------
    float
        Seconds since the epoch; minus infinity where the name does not say.
    """
    parts = name.rsplit("-", 2)
    return float(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else float("-inf")


def at_work(name: str) -> bool | None:
    """Whether a process is still there.

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
    return [name for name in _locked_in(_folder()) if name != mine]


def programs_at_work() -> list[str]:
    """Programs that serve this home: web servers, the daemon, the code.

    Returns
    -------
    list of str
        Names, sorted.
    """
    return _locked_in(_programs())


def forget_gone(needed: set[str]) -> None:
    """Delete the lock files of processes that have ended.

    Parameters
    ----------
    needed : set of str
        Names that records of unended work still mention; they stay.
    """
    for file in [*_folder().glob("*"), *_programs().glob("*")]:
        if file.name not in needed and not _locked(file):
            file.unlink(missing_ok=True)


def _locked_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*") if _locked(file))


def _locked(file: Path) -> bool:
    if any(lock.lock_file == str(file) for lock in _held):
        return True
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True
