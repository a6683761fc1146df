"""Where the files of the store are kept: in its folder, or in a bucket, with copies in the folder.

With a bucket, a file or folder is written beside its place in the folder, uploaded under the name
that its content gives it, and moved to its place: what has its place is in the bucket. It is
registered after that, so nobody finds what is not whole. Reading goes by the copies: one that is
missing, or is not what was recorded, is fetched, hashed, and only then moved to its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autophagy_assets.config import settings
from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.store import cache as copies
from autophagy_assets.registry.store import files, objects
from autophagy_assets.registry.store.bucket import Bucket
from autophagy_assets.registry.store.files import StoredFile
from autophagy_assets.registry.store.instance import connect, storage_root
from autophagy_assets.registry.store.lamin_internals import registered_path

_AT_ONCE = 500  # artifacts in one statement


def bucket() -> Bucket | None:
    """The bucket that keeps the files; None where the folder does."""
    address = settings.storage()
    return _bucket(address) if address else None


@cache
def _bucket(address: str) -> Bucket:
    return Bucket(address)


def put(write: Callable[[Path], object], folder: Path, suffix: str) -> StoredFile:
    """Write a file or folder into the store so that it is there whole or not at all.

    Parameters
    ----------
    write, folder, suffix
        As for :func:`~autophagy_assets.registry.store.files.put`.

    Returns
    -------
    StoredFile
        With a bucket, the copy, which this process holds.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be written; nothing is left behind.
    InputError, StoreAwayError
        If the bucket cannot be used, or does not answer.
    """
    there = bucket()
    if there is None:
        return files.put(write, folder, suffix)

    stored = files.put(write, folder, suffix, publish=_upload)
    copies.make_room(storage_root(), stored.size)
    return stored


def publish(stored: StoredFile) -> None:
    """Upload what a worker has put in its place; without a bucket there is nothing to do.

    Raises
    ------
    InputError, StoreAwayError
        If the bucket cannot be used, or does not answer.
    """
    _upload(stored.path, stored)


def _upload(at: Path, stored: StoredFile) -> None:
    if (there := bucket()) is not None:
        copies.hold(stored.path)
        objects.upload(there, at, name_of(stored.path), stored.sha256)


def verify(path: Path, sha256: str, what: str) -> None:
    """Refuse a stored file that is not what was recorded.

    With a bucket, the copy is fetched where it is missing or damaged, and held by this process.

    Parameters
    ----------
    path, sha256, what
        As for :func:`~autophagy_assets.registry.store.files.verify`.

    Raises
    ------
    IntegrityError
        If it is gone or its content has changed; says what to do.
    """
    there = bucket()
    if there is None or not path.is_relative_to(storage_root()):
        files.verify(path, sha256, what)
        return
    copies.hold(path)
    if not path.exists() or files.measure(path)[0] != sha256:
        _fetch(there, path, sha256, what)


def _fetch(there: Bucket, path: Path, sha256: str, what: str) -> None:
    name, suffix = name_of(path), path.name.removeprefix(sha256)
    remedy = "put the recorded one back, or materialize it again"

    def check(beside: Path, fetched: StoredFile) -> None:
        if fetched.sha256 != sha256:
            raise IntegrityError(
                f"{what}: {there.uri(name)} is not the file that was recorded (hash "
                f"{fetched.sha256[:12]}, recorded {sha256[:12]}), so it is refused; {remedy}."
            )

    try:
        fetched = files.put(
            lambda p: objects.download(there, name, p), path.parent, suffix, publish=check
        )
    except FileNotFoundError:
        raise IntegrityError(f"{what}: {there.uri(name)} is gone; {remedy}.") from None
    copies.make_room(storage_root(), fetched.size)


def require(stored: StoredFile) -> None:
    """Check that a file is still stored, just before it is registered.

    With a bucket, what has been deleted in the meantime is put again.

    Raises
    ------
    FileNotFoundError
        If it is gone.
    """
    if not stored.path.exists():  # somebody has tidied up in between
        raise FileNotFoundError(f"{stored.path} is gone from the store; run the step again.")
    if (there := bucket()) is not None:
        name = name_of(stored.path)
        if sum(entry.size for entry in objects.find(there, name).values()) != stored.size:
            objects.upload(there, stored.path, name, stored.sha256)


def mend(path: Path, sha256: str) -> None:
    """Upload a verified copy again, where the bucket has lost or changed the object."""
    if (there := bucket()) is not None and path.is_relative_to(storage_root()):
        name = name_of(path)
        if objects.content_hash(there, name, objects.find(there, name)) != sha256:
            objects.upload(there, path, name, sha256)


def in_bucket(artifact: Any) -> bool:
    """Whether the file of an artifact was put into the bucket of this store by this platform."""
    there = bucket()
    if there is None or artifact.storage.root != there.address:
        return False
    return bool(files.recorded_hash(Path(registered_path(artifact))))


def local_path(artifact: Any) -> Path:
    """Where the file of an artifact is on this machine, or its copy would be.

    Parameters
    ----------
    artifact : lamindb.Artifact
        Of the store or of a source.
    """
    if in_bucket(artifact):
        return storage_root() / registered_path(artifact)
    return Path(str(artifact.path))


def place(artifacts: Sequence[Any]) -> None:
    """Register that the files of artifacts are in the bucket, if there is one.

    Parameters
    ----------
    artifacts : sequence of lamindb.Artifact
        Just saved, within a writing block. LaminDB has seen their copies: so it knows them by the
        same hash as without a bucket, and asks the bucket nothing.
    """
    if (there := bucket()) is not None:
        ln = connect()
        storage = ln.Storage.get(root=there.address)
        for start in range(0, len(artifacts), _AT_ONCE):
            some = artifacts[start : start + _AT_ONCE]
            ln.Artifact.filter(uid__in=[one.uid for one in some]).update(storage=storage)
        for artifact in artifacts:
            artifact.storage = storage


def name_of(path: Path) -> str:
    """Key in the bucket of what has its place, or its copy, at a path of the store."""
    return path.relative_to(storage_root()).as_posix()


def uri_of(path: Path) -> str:
    """Address of a stored file for other programs."""
    there = bucket()
    return path.as_uri() if there is None else there.uri(name_of(path))
