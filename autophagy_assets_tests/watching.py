"""Which files of the store are opened, whatever opens them: the kernel reports it (inotify).

Python's audit event of ``open`` is not raised by what reads most of our bytes: HDF5 and Arrow
open files in C, and the workers of imaging are other processes. The kernel sees them all.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autophagy_assets.registry.store.files import TEMPORARY, recorded_hash

OPENED, LOST, FOLDER = 0x20, 0x4000, 0x40000000
_HEAD = struct.Struct("iIII")


@contextmanager
def opened_below(root: Path) -> Iterator[set[Path]]:
    """Stored files and folders below a root of which something is opened within the block.

    The set is filled when the block ends. Left out is what has no place yet (``.tmp-``) and what
    is no stored file, such as LaminDB's own database.
    """
    if sys.platform != "linux":
        pytest.skip("inotify is Linux only")
    found: set[Path] = set()
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    try:
        folders = {}
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            watch = libc.inotify_add_watch(handle, os.fsencode(folder), OPENED)
            assert watch > 0, os.strerror(ctypes.get_errno())
            folders[watch] = folder
        yield found
        for watch, name in _events(handle):
            if (place := _stored(folders[watch] / name, root)) is not None:
                found.add(place)
    finally:
        os.close(handle)


def _events(handle: int) -> Iterator[tuple[int, str]]:
    while True:
        try:
            data = os.read(handle, 1 << 20)
        except BlockingIOError:
            return
        while data:
            watch, mask, _, length = _HEAD.unpack_from(data)
            name = data[_HEAD.size : _HEAD.size + length].rstrip(b"\0").decode()
            data = data[_HEAD.size + length :]
            assert not mask & LOST, "more files were opened than the kernel remembers"
            if not mask & FOLDER:
                yield watch, name


def _stored(path: Path, root: Path) -> Path | None:
    """The stored file or folder that a file belongs to."""
    for place in (path, *path.parents):
        if place == root or place.name.startswith(TEMPORARY):
            return None
        if recorded_hash(place):
            return place
    return None
