"""Artifacts: fetched by uid and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.store import files, storage
from autophagy_assets.registry.store.instance import connect, retried, source, source_name
from autophagy_assets.registry.store.lamin_internals import content_hash, registered_path
from autophagy_assets.registry.store.outputs import Record

_AT_ONCE = 500  # uids in one question


def describe(artifact: Any) -> Record:
    """Describe a LaminDB artifact.

    Parameters
    ----------
    artifact : lamindb.Artifact
        Of the store or of a source.
    """
    sha256 = files.recorded_hash(Path(registered_path(artifact)))
    return Record(artifact.uid, artifact.key or "", sha256, artifact.size or 0)


def find(uid: str) -> Any:
    """Artifact of that uid in the store, else in the source.

    Returns
    -------
    lamindb.Artifact

    Raises
    ------
    IntegrityError
        If neither has it.
    """
    artifact = connect().Artifact.filter(uid=uid).one_or_none()
    if artifact is None and source_name() is not None:
        artifact = source().Artifact.filter(uid=uid).one_or_none()
    if artifact is None:
        raise IntegrityError(
            f"Artifact {uid} is not in LaminDB (any more); run 'autophagy reconcile', or "
            "materialize what made it again."
        )
    return artifact


def keys_of(uids: Iterable[str]) -> dict[str, str]:
    """Keys of artifacts of the store and of the source.

    Returns
    -------
    dict of str to str
        By uid; without those that neither has.
    """
    wanted = sorted(set(uids))
    found: dict[str, str] = {}
    for registries in (connect(), source()) if source_name() is not None else (connect(),):
        for start in range(0, len(wanted), _AT_ONCE):
            some = registries.Artifact.filter(uid__in=wanted[start : start + _AT_ONCE])
            found |= {uid: key or "" for uid, key in some.values_list("uid", "key")}
    return found


def fetch(uid: str, expected: Mapping[str, Any] | None = None) -> tuple[Path, Record]:
    """Local path of an artifact, verified against what was recorded of it.

    Parameters
    ----------
    uid : str
        Full uid.
    expected : mapping, optional
        ``sha256`` and ``size`` as recorded in a Dagster materialization.

    Returns
    -------
    tuple of (pathlib.Path, Record)
        A file or folder on this machine, and what is known of the artifact.

    Raises
    ------
    IntegrityError
        If the artifact or its file is gone or changed.
    """
    path, record, verify = locate(uid, expected)
    verify()
    return path, record


def locate(
    uid: str, expected: Mapping[str, Any] | None = None
) -> tuple[Path, Record, Callable[[], None]]:
    """Local path of an artifact that is yet to be verified.

    Parameters
    ----------
    uid : str
        Full uid.
    expected : mapping, optional
        ``sha256`` as recorded in a Dagster materialization.

    Returns
    -------
    tuple of (pathlib.Path, Record, callable)
        The last one verifies the file, and raises :class:`IntegrityError` where it is gone or
        changed. Nothing that was read may be used before it has been called.

    Raises
    ------
    IntegrityError
        If the artifact is gone, or recorded differently by Dagster.
    """
    artifact = retried(lambda: find(uid))
    record = describe(artifact)
    what = f"{record.key} ({uid})"
    if expected and record.sha256 and expected["sha256"] != record.sha256:
        raise IntegrityError(
            f"{what}: Dagster and LaminDB recorded different hashes; run 'autophagy reconcile'."
        )
    if record.sha256:
        path = storage.local_path(artifact)
        verify = partial(storage.verify, path, record.sha256, what)
        if not storage.in_bucket(artifact):
            return path, record, verify
        verify()  # at once, as it may have to be fetched
        return path, record, lambda: None
    # Not written by this platform: LaminDB's own cache, LaminDB's own hash.
    path = Path(str(artifact.cache(is_run_input=False)))
    return path, record, partial(verify_lamin_hash, artifact, path, what)


def verify_lamin_hash(artifact: Any, path: Path, what: str) -> None:
    """Refuse a file that this platform has not written and that is not what LaminDB recorded.

    Parameters
    ----------
    artifact : lamindb.Artifact
    path : pathlib.Path
        Where it is on this machine.
    what : str
        How to call it in the message.

    Raises
    ------
    IntegrityError
        If its content has changed.
    """
    if artifact.hash is not None and content_hash(path) != artifact.hash:
        raise IntegrityError(
            f"{what}: the downloaded file is not the one that LaminDB recorded; delete it from "
            "the LaminDB cache and refresh again."
        )
