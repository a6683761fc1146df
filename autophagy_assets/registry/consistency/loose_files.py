"""Files in the store that no record is about.

Nothing that a record needs is deleted, nor anything that a living process may be writing: a
file goes only while the registry is locked, has no record, is not needed by Dagster either, and
is older than every process at work but its writer, which has ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autophagy_assets.config.home import Home
from autophagy_assets.registry.consistency.records import ASIDE, Disagreement
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.instance import storage_root, writing
from autophagy_assets.registry.store.lamin_internals import every_artifact
from autophagy_assets.registry.store.processes import at_work, began, others_at_work
from autophagy_assets.registry.store.storage import local_path

# Who works on another machine cannot be asked. Longer than anything that is written takes.
GRACE_S = 86_400.0
# A file's time of change may come from the clock of a file server.
_CLOCKS_S = 60.0
_LEFT = "left by a step that was killed", "delete it"


def free_space() -> list[Disagreement]:
    """Delete half-written files of processes that have ended, without asking any database.

    A full disk may be why they died, and databases need some of it to be opened.
    """
    store, disagreements = Home.locate().store, []
    for path in _loose(store, set()) if store.is_dir() else []:
        if files.writer_of(path) and at_work(files.writer_of(path)) is False:
            files.remove(path)
            disagreements.append(Disagreement("file", str(path.relative_to(store)), *_LEFT, True))
    return disagreements


def check_loose(fix: bool, needed: set[str], grace_s: float = GRACE_S) -> Iterator[Disagreement]:
    """Find temporary files that nobody writes any more, and files without a record.

    Parameters
    ----------
    fix : bool
        Delete them.
    needed : set of str
        Hashes that Dagster's materializations name; their files stay.
    grace_s : float
        In a store that other machines may write to: age in s below which a file may belong to
        one of them.
    """
    with writing() as ln:  # nobody registers a file meanwhile
        recorded = _recorded_places(ln)
        for path in _loose(storage_root(), recorded):
            name = str(path.relative_to(storage_root()))
            if path.name.startswith(files.TEMPORARY):
                problem, remedy = _LEFT
            elif files.recorded_hash(path) in needed:
                continue  # reported with its materialization
            elif files.recorded_hash(path):
                problem, remedy = "a file without a record", "delete it; a step makes it again"
            else:
                problem = "a file without a record, not written by this platform"
                yield Disagreement(
                    "file", name, problem, "register it, or move it out of the store"
                )
                continue
            if _is_left(path, grace_s):
                if fix:
                    files.remove(path)
                yield Disagreement("file", name, problem, remedy, fix)


def _is_left(path: Path, grace_s: float) -> bool:
    """Whether nobody can be writing a file any more."""
    writer = files.writer_of(path)
    if writer and (alive := at_work(writer)) is not None:
        return not alive
    changed = _changed(path)  # looked at before the processes: who changes it later is among them
    if changed is None:
        return False  # its writer has moved it to its place
    if not writer and any(began(other) <= changed + _CLOCKS_S for other in others_at_work()):
        return False
    shared = storage_root().resolve() != Home.locate().store.resolve()
    return not shared or changed < time.time() - grace_s


def _recorded_places(ln: Any) -> set[Path]:
    places = set()
    for artifact in every_artifact(ln).select_related("storage"):
        places.add(local_path(artifact))
    return places


def _loose(root: Path, recorded: set[Path]) -> list[Path]:
    """Files and folders that no record is about; a recorded folder is one thing."""
    found: list[Path] = []
    for path in sorted(root.iterdir()):
        if path in recorded or path.name == ".lamindb" or path.name.startswith(ASIDE):
            continue
        whole = path.name.startswith(files.TEMPORARY) or files.recorded_hash(path)
        if path.is_dir() and not whole:
            found += _loose(path, recorded)
        else:
            found.append(path)
    return found


def _changed(path: Path) -> float | None:
    """When a file, or anything in a folder, was changed last; None if it has gone meanwhile."""
    try:
        members = [path, *path.rglob("*")] if path.is_dir() else [path]
        return max(max(m.lstat().st_mtime, m.lstat().st_ctime) for m in members)
    except FileNotFoundError:
        return None
