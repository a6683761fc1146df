"""Damage: stored files that are not what was recorded, found quickly among many.

A file that was changed after it was registered has a later time of change, whatever its size. Only
such a file is hashed. A file that was changed and then dated back is found by a thorough check,
which hashes everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.consistency.file_state import (
    SLACK_NS,
    FileState,
    date_now,
    nanoseconds,
    state_of,
)
from autophagy_assets.registry.consistency.run_outputs import batches
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.artifacts import verify_lamin_hash
from autophagy_assets.registry.store.bucket import Entry
from autophagy_assets.registry.store.changes import state_of_records
from autophagy_assets.registry.store.instance import connect, source_name
from autophagy_assets.registry.store.lamin_internals import (
    files_in_place,
    is_in_trash,
    registered_path,
)
from autophagy_assets.registry.store.objects import content_hash, find, grouped
from autophagy_assets.registry.store.storage import bucket, in_bucket, local_path

GONE, EMPTY = "its file is gone", "its file is empty"
INCOMPLETE, CHANGED = "its file is incomplete", "its file has changed"
UNREADABLE, IN_TRASH = "its file cannot be read", "it was withdrawn meanwhile"
UNKNOWN = "it is not in LaminDB any more"

# Of more artifacts in a bucket than that, all objects are listed at once.
_FEW = 20
# Of more artifacts than that, the files of all are read.
_FEW_FILES = 5_000

Listed = Mapping[str, Mapping[str, Entry]]
_Files = dict[str, tuple[str, int, int]]


def damaged(uids: Iterable[str], thorough: bool = False) -> dict[str, str]:
    """Artifacts whose file is not what was recorded.

    Parameters
    ----------
    thorough : bool
        Read and hash every file. Default: look at size and time of change, and hash only what
        was changed after it was registered.

    Returns
    -------
    dict
        What is wrong, by uid; without those that are as recorded, and those that are kept
        elsewhere.
    """
    wanted, known = set(uids), set[str]()
    found: dict[str, str] = {}
    there = bucket()
    listed = grouped(there.list()) if there is not None and len(wanted) > _FEW else None
    whole = set() if thorough else _plainly_whole(wanted)
    known |= whole
    for some in batches(wanted - whole):
        for artifact in connect().Artifact.filter(uid__in=some).select_related("storage"):
            known.add(artifact.uid)
            if (fault := _fault(artifact, thorough, listed)) is not None:
                found[artifact.uid] = fault
    if source_name() is None:
        found |= dict.fromkeys(wanted - known, UNKNOWN)
    return found


def _plainly_whole(uids: set[str]) -> set[str]:
    """Files of ours that are whole by size and time of change; each takes a single `os.stat`."""
    found = set[str]()
    for uid, (path, size, registered) in _files_of(uids).items():
        try:
            stat = os.stat(path)
        except OSError:  # gone, or kept elsewhere
            continue
        unchanged = stat.st_mtime_ns <= registered + SLACK_NS
        if size and stat.st_size == size and unchanged and not S_ISDIR(stat.st_mode):
            found.add(uid)
    return found


def _files_of(uids: set[str]) -> _Files:
    """Path, size and time of registration in ns of each file; of many, as they were found last."""
    if len(uids) <= _FEW_FILES:
        return _find_files(sorted(uids))
    state = state_of_records(connect().Artifact.filter())
    if _last.get("state") != state:
        _last.update(state=state, files=_find_files(None))
    files: _Files = _last["files"]
    return {uid: files[uid] for uid in uids if uid in files}


def _find_files(uids: list[str] | None) -> _Files:
    return {
        uid: (path, size, nanoseconds(registered))
        for uid, path, size, registered in files_in_place(connect(), uids)
    }


_last: dict[str, Any] = {}  # files as they were found last, and the state of LaminDB's records then


def _fault(artifact: Any, thorough: bool, listed: Listed | None) -> str | None:
    if is_in_trash(artifact):
        return IN_TRASH
    if in_bucket(artifact):
        return fault_in_bucket(artifact, thorough, listed)
    path = local_path(artifact)
    try:
        if files.recorded_hash(path):
            return _fault_of_ours(artifact, path, thorough)
        if thorough and path.exists():
            verify_lamin_hash(artifact, path, artifact.uid)
    except FileNotFoundError:
        return GONE
    except IntegrityError:
        return CHANGED
    except OSError:
        return UNREADABLE
    return None


def _fault_of_ours(artifact: Any, path: Path, thorough: bool) -> str | None:
    state = state_of(path)
    if (fault := _wrong_size(artifact, state)) is not None:
        return fault
    registered = nanoseconds(artifact.created_at)
    late = state.later_than(registered)
    if late or thorough:
        try:
            files.verify(path, files.recorded_hash(path), artifact.uid)
        except IntegrityError:
            date_now(path)
            raise
    # Content that is made again replaces its equal, and a backup that is put back is new, too.
    # The file is as recorded then, and is dated back so that it need not be hashed every time;
    # unless something was changed while it was hashed.
    if late and state_of(path) == state:
        with suppress(OSError):  # not ours to date: it is hashed again the next time
            for one in late:
                os.utime(one, ns=(registered, registered))
    return None


def fault_in_bucket(artifact: Any, thorough: bool, listed: Listed | None) -> str | None:
    """What is wrong with the objects of an artifact, if anything.

    Parameters
    ----------
    thorough : bool
        Ask for the hash of each object. Default: only where it was put after the registration,
        which a server says in whole seconds and by its own clock.
    listed : mapping, optional
        What the bucket has, from :func:`~autophagy_assets.registry.store.objects.grouped`.
    """
    there, name = bucket(), registered_path(artifact)
    assert there is not None, f"{name} is in a bucket"
    found = find(there, name) if listed is None else listed.get(name, {})
    if not found:
        return GONE
    times = {key: int(entry.modified.timestamp() * 1e9) for key, entry in found.items()}
    state = FileState(sum(entry.size for entry in found.values()), len(found), times)
    if (fault := _wrong_size(artifact, state)) is not None:
        return fault
    if not thorough and not state.later_than(nanoseconds(artifact.created_at)):
        return None
    recorded = files.recorded_hash(Path(name))
    return None if content_hash(there, name, found) == recorded else CHANGED


def mark_damaged(uid: str) -> None:
    """Set the time of change of a damaged file to now, so that the quick check finds it as well."""
    for artifact in connect().Artifact.filter(uid=uid).select_related("storage"):
        if not in_bucket(artifact) and (path := local_path(artifact)).exists():
            date_now(path)


def _wrong_size(artifact: Any, state: FileState) -> str | None:
    members = state.members if artifact.n_files is None else artifact.n_files
    if (state.size, state.members) == (artifact.size, members):
        return None
    if not state.size:
        return EMPTY
    return INCOMPLETE if state.size < artifact.size or state.members < members else CHANGED
