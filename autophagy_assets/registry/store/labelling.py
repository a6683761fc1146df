"""Attaching labels to many artifacts, and creating labels, in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.labels import (
    Labels,
    category_uid,
    find_feature,
    find_label,
)
from autophagy_assets.registry.store.lamin_internals import label_links

_AT_ONCE = 2_000  # rows in one statement
_MOST_NAMED = 500  # names or ids in one query
_MANY = 10  # so many new labels are made together


def attach(ln: Any, labelled: Sequence[tuple[Any, Labels]]) -> None:
    """Label artifacts; labels and their kinds are created when they are new.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside :func:`~autophagy_assets.registry.store.instance.writing`.
    labelled : sequence of (lamindb.Artifact, mapping)
        Saved artifacts, each once, and of each kind of label one or several names: all that the
        artifact has. A label that is there already stays once; one that is not named is taken
        off, as it has been corrected or its column removed. What people have attached by hand
        stays, whether plain or of a kind of their own.
    """
    named = {
        artifact.id: [
            (kind, name)
            for kind, names in labels.items()
            for name in ([names] if isinstance(names, str) else names)
        ]
        for artifact, labels in labelled
    }
    pairs = {pair for some in named.values() for pair in some}
    kinds = _by_name(ln.Feature, {kind for kind, _ in pairs})
    for kind in sorted({kind for kind, _ in pairs} - kinds.keys()):
        kinds[kind] = find_feature(ln, kind)
    known = _by_name(ln.ULabel, {name for _, name in pairs})
    known |= _create(ln, sorted({name for _, name in pairs} - known.keys()))
    wanted = {
        number: {(kinds[kind].id, known[name].id) for kind, name in some}
        for number, some in named.items()
        if some  # of an artifact of which nothing is said all labels stay
    }
    _take_off(wanted, {artifact.id: labels for artifact, labels in labelled})
    link_of = label_links()
    links = [
        link_of(artifact_id=number, feature_id=feature, ulabel_id=label)
        for number, some in wanted.items()
        for feature, label in sorted(some)
    ]
    link_of.objects.bulk_create(links, batch_size=_AT_ONCE, ignore_conflicts=True)


def _take_off(wanted: Mapping[int, set[tuple[int, int]]], labels: Mapping[int, Labels]) -> None:
    """Take labels off that are not wanted any more; by id of artifact, feature and label."""
    stale, every = [], list(wanted)
    links = label_links().objects
    for start in range(0, len(every), _MOST_NAMED):
        there = links.filter(
            artifact_id__in=every[start : start + _MOST_NAMED], feature__isnull=False
        )
        stale += [
            link
            for link, number, feature, ulabel, kind, uid in there.values_list(
                "id", "artifact_id", "feature_id", "ulabel_id", "feature__name", "feature__uid"
            )
            if (feature, ulabel) not in wanted[number]
            and (kind in labels[number] or uid == category_uid(kind))
        ]
    for start in range(0, len(stale), _MOST_NAMED):
        links.filter(id__in=stale[start : start + _MOST_NAMED]).delete()


def _by_name(registry: Any, names: Iterable[str]) -> dict[str, Any]:
    """Find records in few queries, as one for each takes longer than all else; oldest by name."""
    every, found = sorted(names), dict[str, Any]()
    for start in range(0, len(every), _MOST_NAMED):
        some = registry.filter(name__in=every[start : start + _MOST_NAMED]).order_by("-id")
        found |= {record.name: record for record in some}
    return found


def _create(ln: Any, names: Sequence[str]) -> dict[str, Any]:
    """Create labels of which there are none; many at once, as a study has many fields of view."""
    if len(names) < _MANY:
        return {name: find_label(ln, name) for name in names}
    creation = ln.settings.creation
    searched, creation.search_names = creation.search_names, False  # they are known to be new
    try:
        new = [ln.ULabel(name=name) for name in names]
    finally:
        creation.search_names = searched
    for label in new:
        label.uid = derived(8, "label", label.name)
    # One that is in the trash has the uid already: it is left, and brought back one by one.
    ln.ULabel.objects.bulk_create(new, batch_size=_AT_ONCE, ignore_conflicts=True)
    known = _by_name(ln.ULabel, names)
    return {name: known.get(name) or find_label(ln, name) for name in names}
