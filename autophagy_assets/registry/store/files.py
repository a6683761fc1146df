"""Files of the store: written under a temporary name, made durable, renamed, never changed.

The name of a stored file is the hash of its content, so a file that carries a name is
whole, a file written twice is the same file, and a step that was killed and is run again
finds its place taken by exactly what it would have put there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.store.processes import announce

TEMPORARY = ".tmp-"
_WRITTEN_BY = re.compile(rf"{re.escape(TEMPORARY)}(.+-\d+-\d+-[0-9a-f]{{8}})-")


@dataclass(frozen=True)
class StoredFile:
    """A file or folder in its final place.

    Parameters
    ----------
    path : pathlib.Path
        Where it is.
    sha256 : str
        Hash of its content, 64 hexadecimal digits.
    size : int
        Bytes.
    """

    path: Path
    sha256: str
    size: int


def put(
    write: Callable[[Path], object],
    folder: Path,
    suffix: str,
    scratch: Path | None = None,
    publish: Callable[[Path, StoredFile], object] | None = None,
) -> StoredFile:
    """Write a file or folder into the store so that it is there whole or not at all.

    Parameters
    ----------
    write : callable
        Takes a path that does not exist yet and writes a file or a folder there.
    folder : pathlib.Path
        Folder of the store that will hold it; created when missing.
    suffix : str
        Ending of its name, such as ``.parquet``.
    scratch : pathlib.Path, optional
        Folder of the store in which it is written first; it must be there. Its owner removes it
        with all that is left in it, so a process that writes for another needs no home. By
        default it is `folder`, under a name that this process is known by.
    publish : callable, optional
        Takes the path at which it was written and what it will be, before it gets its name; where
        this raises, it does not get it.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be written; nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{uuid.uuid4().hex}{suffix}"
    beside = scratch / name if scratch else folder / f"{temporary()}{name}"
    try:
        write(beside)
        _make_durable(beside)
        sha256, size = measure(beside)
        stored = StoredFile(folder / f"{sha256}{suffix}", sha256, size)
        if publish is not None:
            publish(beside, stored)
        _move(beside, stored.path)
        _sync(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(
                error.errno, f"The disk is full: free some space below {folder} and refresh again"
            ) from None  # the first cause is what a person is shown
        raise
    finally:
        remove(beside)
    return stored


def _move(beside: Path, place: Path) -> None:
    if beside.is_dir() and place.exists():
        # A folder cannot be renamed over another. The one in place has the same name, so
        # the same content, unless somebody changed it.
        if measure(place)[0] == place.name.split(".")[0]:
            return
        os.replace(place, beside.with_name(f"{beside.stem}-{uuid.uuid4().hex}"))
    os.replace(beside, place)


def temporary() -> str:
    """Prefix of the names of files that this process is writing.

    Returns
    -------
    str
        Names the process, so that others leave the file alone for as long as it lives.
    """
    return f"{TEMPORARY}{announce()}-"


def writer_of(path: Path) -> str:
    """Process that writes a temporary file.

    Returns
    -------
    str
        As it was announced; empty where the name does not say.
    """
    found = _WRITTEN_BY.match(path.name)
    return found[1] if found else ""


def measure(path: Path) -> tuple[str, int]:
    """Hash and size of a file, or of a folder with all that is in it.

    Parameters
    ----------
    path : pathlib.Path
        A file or a folder.

    Returns
    -------
    tuple of (str, int)
        SHA-256 in hexadecimal, and bytes. A folder's hash covers names and contents.
    """
    if path.is_file():
        return _measure_file(path)
    measured = {name: _measure_file(member) for name, member in members(path).items()}
    hashes = {name: sha256 for name, (sha256, _) in measured.items()}
    return hash_of_folder(hashes), sum(size for _, size in measured.values())


def members(folder: Path) -> dict[str, Path]:
    """Files in a folder and below it, by their path in it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def hash_of_folder(hashes: Mapping[str, str]) -> str:
    """Hash of a folder.

    Parameters
    ----------
    hashes : mapping
        Hash of each file, by its path in the folder.
    """
    digest = hashlib.sha256()
    for name in sorted(hashes, key=PurePosixPath):
        digest.update(f"{name}\0{hashes[name]}\n".encode())
    return digest.hexdigest()


def _measure_file(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return digest.hexdigest(), stream.tell()


def verify(path: Path, sha256: str, what: str) -> None:
    """Refuse a stored file that is not what was recorded.

    Parameters
    ----------
    path : pathlib.Path
        Where it should be.
    sha256 : str
        The recorded hash.
    what : str
        How to call it in the message.

    Raises
    ------
    IntegrityError
        If it is gone or its content has changed; says what to do.
    """
    remedy = "put the recorded file back, or materialize it again"
    if not path.exists():
        raise IntegrityError(f"{what}: its file {path.name} is gone from the store; {remedy}.")
    found, _ = measure(path)
    if found != sha256:
        raise IntegrityError(
            f"{what}: the file in the store is not the one that was recorded (hash {found[:12]}, "
            f"recorded {sha256[:12]}), so it is refused; {remedy}."
        )


def recorded_hash(path: PurePath) -> str:
    """Hash that a file of the store carries as its name.

    Parameters
    ----------
    path : pathlib.Path
        A file that :func:`put` wrote.

    Returns
    -------
    str
        64 hexadecimal digits, or an empty string for a file that :func:`put` did not write.
    """
    name = path.name.split(".")[0]
    return name if len(name) == 64 and set(name) <= set("0123456789abcdef") else ""


def remove(path: Path) -> None:
    """Delete a file or a folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _make_durable(path: Path) -> None:
    if path.is_dir():
        for member in path.rglob("*"):
            _sync(member)
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
