"""Artifacts, content and studies that runs have stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autophagy_assets.registry.provenance.runs import KEPT, transform_key
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.lamin_internals import label_links, registered_at

_AT_ONCE = 500  # names in one query


def artifacts_of_runs(runs: Iterable[str]) -> dict[str, set[str]]:
    """Find the artifacts of runs: made, made again with equal content, or kept.

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
    for some in batches(held):
        for how in ("run", "recreating_runs"):
            found = registries.Artifact.filter(**{f"{how}__uid__in": some})
            for run, uid in found.values_list(f"{how}__uid", "uid"):
                if run in held:  # another run may have made it again too
                    held[run].add(uid)
        noted = registries.Run.filter(uid__in=some).values_list("uid", "extra_data")
        for run, notes in noted:
            held[run].update((notes or {}).get(KEPT, []))
    return held


def sizes_of_runs(runs: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Size and number of files of the artifacts of runs, also of content that was stored before.

    Parameters
    ----------
    runs : iterable of str
        LaminDB uids.

    Returns
    -------
    dict
        Bytes and number of files, by run. What a run has kept of an earlier one does not count.
    """
    registries, found = connect(), {run: (0, 0) for run in runs}
    for some in batches(found):
        for how in ("run", "recreating_runs"):
            artifacts = registries.Artifact.filter(**{f"{how}__uid__in": some})
            for run, size, files in artifacts.values_list(f"{how}__uid", "size", "n_files"):
                if run in found:
                    before = found[run]
                    found[run] = (before[0] + (size or 0), before[1] + (files or 1))
    return found


def has_content(sha256: str) -> bool:
    """Whether the store has or had a file of some content."""
    return registered_at(connect(), sha256).exists()


def registered_studies() -> list[str]:
    """Studies of which this platform has registered something in the store, if only to withdraw it.

    Returns
    -------
    list of str
        Names, sorted.
    """
    connect()
    links = label_links().objects.filter(
        feature__name=lab.STUDY, artifact__run__transform__key__startswith=transform_key("")
    )
    return sorted(set(links.values_list("ulabel__name", flat=True)))


def batches(names: Iterable[str]) -> Iterator[list[str]]:
    """Names in lists that a database takes in one query."""
    every = sorted(names)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]
