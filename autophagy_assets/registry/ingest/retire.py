"""Retiring results that no longer follow from the registered images; can be undone.

A partition whose last field was withdrawn is not made again, so its last tables and figures
would be found for ever. They go to LaminDB's trash, files and lineage stay, and they come back
when their step makes or keeps the same content again.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import Field, study_slug
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step, transform_key
from autophagy_assets.registry.shared_datasets import dataset_places
from autophagy_assets.registry.store.instance import connect, writing
from autophagy_assets.registry.store.keys import RAW_IMAGES, ArtifactKey
from autophagy_assets.registry.store.lamin_internals import TRASH

RETIRE = "retire"
_AT_ONCE = 500  # rows in one statement


@dataclass(frozen=True)
class Stale:
    """Versions of one key that no longer follow from the registered images."""

    key: str
    ids: tuple[int, ...]


def field_keys(study: Study, fields: Collection[Field]) -> set[str]:
    """Fields of view as the keys of their files name them.

    Returns
    -------
    set of str
        ``sample/field``, or ``sample/fields-1`` and so on of fields that share datasets.
    """
    return set(dataset_places(study, fields).values())


def stale(
    study: Study, partitions: Mapping[str, Collection[str]], fields: Collection[str]
) -> list[Stale]:
    """Find artifacts of partitions and fields of view that there are no longer.

    Parameters
    ----------
    partitions : mapping
        Partitioned asset to the partitions that there are; other assets are left alone.
    fields : collection of str
        Fields of view that there are, from :func:`field_keys`.

    Returns
    -------
    list of Stale
        Sorted by key.
    """
    found: dict[str, list[int]] = {}
    own = f"{study_slug(study)}/"
    made_here = connect().Artifact.filter(
        key__startswith=own, run__transform__key__startswith=transform_key("")
    )
    # Images are withdrawn by people, and there are many.
    made_here = made_here.exclude(key__startswith=f"{own}{RAW_IMAGES}/")
    for number, key in made_here.values_list("id", "key"):
        # SQLite does not distinguish "screen" from "Screen" in the beginning of a text.
        if key.startswith(own) and not _follows(ArtifactKey.parse(key), partitions, fields):
            found.setdefault(key, []).append(number)
    return [Stale(key, tuple(ids)) for key, ids in sorted(found.items())]


def _follows(
    key: ArtifactKey | None,
    partitions: Mapping[str, Collection[str]],
    fields: Collection[str],
) -> bool:
    if key is None or key.partition is None or key.asset not in partitions:
        return True
    if key.group is None:
        return True  # images are withdrawn by people
    if key.field is not None:
        return f"{key.partition}/{key.field}" in fields
    return key.partition in partitions[key.asset]


def retire(
    study: Study, partitions: Mapping[str, Collection[str]], fields: Collection[str]
) -> list[str]:
    """Move all versions of what is stale to LaminDB's trash; none of them is the latest then.

    Parameters
    ----------
    study, partitions, fields
        As for :func:`stale`.

    Returns
    -------
    list of str
        Keys that were retired; empty where nothing was stale, and then nothing is recorded.
    """
    if not (found := stale(study, partitions, fields)):
        return []
    keys = [one.key for one in found]
    recorder = Recorder(
        Step(RETIRE, None, None, inspect.getsource(retire), "1", {"study": study.name})
    )
    recorder.notes["retired"] = keys
    recorder.start()
    with writing() as ln:
        ids = [number for one in found for number in one.ids]
        for start in range(0, len(ids), _AT_ONCE):
            # Not by LaminDB's delete(): it would make an earlier version the latest.
            some = ln.Artifact.filter(id__in=ids[start : start + _AT_ONCE])
            some.update(branch_id=TRASH, is_latest=False)
    recorder.finish()
    return keys
