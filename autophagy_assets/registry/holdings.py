"""What runs have left in the store, and whether it is there: asked of many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autophagy_assets.registry import files
from autophagy_assets.registry import labels as lab
from autophagy_assets.registry.instance import connect, source_name
from autophagy_assets.registry.runs import KEPT, transform_key

TRASH = -1  # LaminDB's branch for what was deleted and can be restored
_AT_ONCE = 500  # names in one query


def held_by(runs: Iterable[str]) -> dict[str, set[str]]:
    """Artifacts that runs made, made again with the same content, or kept of an earlier run.

    Parameters
    ----------
    runs : iterable of str
        LaminDB uids.

    Returns
    -------
    dict
        Uids of artifacts by run.
    """
    registries, held = connect(), {run: set[str]() for run in runs}
    for some in _pieces(held):
        for how in ("run", "recreating_runs"):
            found = registries.Artifact.filter(**{f"{how}__uid__in": some})
            for run, uid in found.values_list(f"{how}__uid", "uid"):
                if run in held:  # another run may have made it again too
                    held[run].add(uid)
        noted = registries.Run.filter(uid__in=some).values_list("uid", "extra_data")
        for run, notes in noted:
            held[run].update((notes or {}).get(KEPT, []))
    return held


def missing(uids: Iterable[str]) -> set[str]:
    """Artifacts that the store should have and has not; a look at each file, without reading it.

    What is in the trash is missing: it comes back when it is made, or kept, again.

    Parameters
    ----------
    uids : iterable of str

    Returns
    -------
    set of str
        Not among them is what is kept elsewhere.
    """
    wanted, there = sorted(set(uids)), set()
    gone: set[str] = set()
    for some in _pieces(wanted):
        for artifact in connect().Artifact.filter(uid__in=some).select_related("storage"):
            there.add(artifact.uid)
            if artifact.branch_id == TRASH or not _has_file(artifact):
                gone.add(artifact.uid)
    return gone if source_name() is not None else gone | (set(wanted) - there)


def hashes_of(uids: Iterable[str]) -> dict[str, str]:
    """Hashes of the contents of artifacts, without reading them.

    Parameters
    ----------
    uids : iterable of str

    Returns
    -------
    dict
        SHA-256 by uid, of those whose file this platform has written.
    """
    hashes = {}
    for some in _pieces(uids):
        for artifact in connect().Artifact.filter(uid__in=some).select_related("storage"):
            hashes[artifact.uid] = files.recorded_hash(Path(str(artifact.path)))
    return hashes


def has_content(sha256: str) -> bool:
    """Whether the store has or had a file of some content.

    Parameters
    ----------
    sha256 : str

    Returns
    -------
    bool
    """
    return connect().Artifact.objects.filter(_real_key__contains=sha256).exists()


def studies_held() -> list[str]:
    """Studies of which this platform has registered something in the store, if only to withdraw it.

    Returns
    -------
    list of str
        Names, sorted.
    """
    connect()
    from lamindb.models import ArtifactULabel

    links = ArtifactULabel.objects.filter(
        feature__name=lab.STUDY, artifact__run__transform__key__startswith=transform_key("")
    )
    return sorted(set(links.values_list("ulabel__name", flat=True)))


def _has_file(artifact: Any) -> bool:
    path = Path(str(artifact.path))
    if not files.recorded_hash(path):
        return True  # not written by this platform
    return path.is_dir() or (path.is_file() and path.stat().st_size == artifact.size)


def _pieces(names: Iterable[str]) -> Iterator[list[str]]:
    every = sorted(names)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]
