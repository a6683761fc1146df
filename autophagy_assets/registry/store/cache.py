"""Local copies of objects of a bucket: which are in use, and which are deleted to make room.

A copy lies where the file would be without a bucket, under the hash of its content, so it can be
thrown away and be fetched again. One that a living process has been given stays until that process
has ended, or says that it needs none of its copies any more.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from autophagy_assets.config import settings
from autophagy_assets.config.home import Home
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.processes import announce, at_work

# The folder is looked through again once so much of what is allowed has been added to it.
_LOOK_AGAIN = 0.05
# What is thrown away leaves so much of what is allowed, so that the next file needs no look.
_LEFT = 0.9

_added = float("inf")  # bytes since the last look of this process
_mine: dict[int, set[str]] = {}  # names of the copies that a process holds: this, or its parent
_thread = threading.Lock()  # several threads of a process may fetch at once


@dataclass(frozen=True)
class _Copy:
    path: Path
    size: int
    used: float


def hold(path: Path) -> None:
    """Keep the copy at a path, which may not be written yet, until this process releases it."""
    with _locked():
        mine = _mine.setdefault(os.getpid(), set())
        if path.name not in mine:
            mine.add(path.name)
            with (_folder() / announce()).open("a", encoding="utf-8") as stream:
                stream.write(f"{path.name}\n")
        if path.exists():
            os.utime(path)  # used now


def release() -> None:
    """Release all copies that this process holds."""
    if _mine.get(os.getpid()):
        with _locked():
            del _mine[os.getpid()]
            (_folder() / announce()).unlink(missing_ok=True)


def make_room(root: Path, added: int) -> None:
    """Delete copies, least recently used first, if all take more space than is allowed.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the copies.
    added : int
        Bytes that this process has added.
    """
    global _added
    allowed = settings.cache_bytes()
    _added += added
    if _added < allowed * _LOOK_AGAIN:
        return
    with _locked():
        copies = sorted(_copies(root), key=lambda copy: copy.used)
        total = sum(copy.size for copy in copies)
        if total > allowed:
            held = _held()
            for copy in copies:
                if total <= allowed * _LEFT:
                    break
                if copy.path.name not in held:
                    _throw_away(copy.path)
                    total -= copy.size
    _added = 0


def _copies(folder: Path) -> Iterator[_Copy]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if files.recorded_hash(path):
                with suppress(FileNotFoundError):  # replaced or deleted at this moment
                    size = sum(p.stat().st_size for p in _files_of(path))
                    yield _Copy(path, size, entry.stat().st_mtime)
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _copies(path)


def _files_of(path: Path) -> list[Path]:
    return list(files.members(path).values()) if path.is_dir() else [path]


def _throw_away(path: Path) -> None:
    """Take a copy away at once, also a folder, so that no half of it is ever found."""
    aside = path.with_name(f"{files.temporary()}{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):  # somebody else was first
        os.replace(path, aside)
        files.remove(aside)


def _held() -> set[str]:
    """Names of the copies that living processes hold."""
    names: set[str] = set()
    for file in _folder().iterdir():
        if at_work(file.name):
            names.update(file.read_text(encoding="utf-8").splitlines())
        else:
            file.unlink(missing_ok=True)
    return names


def _folder() -> Path:
    folder = Home.locate().locks / "copies"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked() -> Iterator[None]:
    """Let one thread of one process at a time look at the copies and who holds them."""
    with _thread, FileLock(Home.locate().locks / "copies.lock"):
        yield
