"""Objects in the bucket that no record is about.

Who writes to a bucket may be on any machine and cannot be asked, so age alone says that a step has
been given up. A step that comes back to its files puts what has gone in the meantime again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from autophagy_assets.registry.consistency.records import Disagreement
from autophagy_assets.registry.store.files import recorded_hash
from autophagy_assets.registry.store.instance import writing
from autophagy_assets.registry.store.lamin_internals import registered_paths
from autophagy_assets.registry.store.objects import grouped
from autophagy_assets.registry.store.storage import bucket


def check_loose_objects(fix: bool, needed: set[str], grace_s: float) -> Iterator[Disagreement]:
    """Find files and folders in the bucket, if there is one, that have no record.

    Parameters
    ----------
    fix : bool
        Delete them.
    needed : set of str
        Hashes that Dagster's materializations name; what has one of them stays.
    grace_s : float
        Age in s below which a step may be about to register one.
    """
    if (there := bucket()) is None:
        return
    with writing() as ln:  # nobody registers one meanwhile
        recorded = registered_paths(ln)
        for name, found in grouped(there.list()).items():
            youngest = max(entry.modified.timestamp() for entry in found.values())
            sha256 = recorded_hash(Path(name))
            if name in recorded or sha256 in needed or youngest >= time.time() - grace_s:
                continue
            if fix:
                for key in found:
                    there.delete(key)
            problem = "in the bucket, without a record"
            yield Disagreement("file", name, problem, "delete it; a step makes it again", fix)
