"""Files in the store that no record is about.

Nothing that a record needs is deleted: a file goes only while the registry is locked, has no
record, is not needed by Dagster either, and belongs to nobody who is at work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autophagy_assets.home import Home
from autophagy_assets.registry import files
from autophagy_assets.registry.consistency import ASIDE, EVERYWHERE, Finding
from autophagy_assets.registry.instance import storage_root, writing
from autophagy_assets.registry.presence import others_at_work

GRACE_S = 3600.0


def check_loose(fix: bool, needed: set[str], grace_s: float = GRACE_S) -> Iterator[Finding]:
    """Find temporary files that nobody writes any more, and files without a record.

    Parameters
    ----------
    fix : bool
        Delete them.
    needed : set of str
        Hashes that Dagster's materializations name; their files stay.
    grace_s : float
        Age in s below which a file may belong to somebody who is at work.

    Yields
    ------
    Finding
    """
    with writing() as ln:  # nobody registers a file meanwhile
        recorded = _recorded_places(ln)
        shared = storage_root().resolve() != Home.locate().store.resolve()
        youngest = time.time() - grace_s if shared or others_at_work() else float("inf")
        for path in _loose(storage_root(), recorded):
            name = str(path.relative_to(storage_root()))
            if path.name.startswith(files.TEMPORARY):
                problem, remedy = "left by a step that was killed", "delete it"
            elif files.recorded_hash(path) in needed:
                continue  # told with its materialization
            elif files.recorded_hash(path):
                problem, remedy = "a file without a record", "delete it; a step makes it again"
            else:
                problem = "a file without a record, not written by this platform"
                yield Finding("file", name, problem, "register it, or move it out of the store")
                continue
            if _changed(path) < youngest:
                if fix:
                    files.remove(path)
                yield Finding("file", name, problem, remedy, fix)


def _recorded_places(ln: Any) -> set[Path]:
    places = set()
    for artifact in ln.Artifact.filter(branch_id__in=EVERYWHERE):
        places.add(Path(str(artifact.path)))
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


def _changed(path: Path) -> float:
    members = [path, *path.rglob("*")] if path.is_dir() else [path]
    return max(max(m.lstat().st_mtime, m.lstat().st_ctime) for m in members)
