"""Labels by which people find things: study, genotype, stimulation, clone, FOV, channel.

A label is a LaminDB ``ULabel`` linked to an artifact through the ``Feature`` that says
what kind of label it is, as in the columns of a study's metadata file, so both
``ulabels__name="WT"`` and ``features.get_values()["genotype"]`` find it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.identifiers import derived, slug
from autophagy_assets.registry.store.lamin_internals import (
    label_links,
    label_registries,
    number_links,
)

STUDY = "study"
GENOTYPE = "genotype"
STIMULATION = "stimulation"
CLONE = "cell_line_clone"
FOV = "FOV"
CHANNEL = "channel"
KIND = "artifact type"
# Stands before the name of a label that was attached without saying of which kind it is.
PLAIN = "label "

_AT_ONCE = 20_000  # rows that are fetched at a time
_FEW = 5_000  # artifacts that are named one by one in a query

Labels = Mapping[str, str | Iterable[str]]

_DESCRIPTIONS = {
    STUDY: "Screen that the artifact belongs to",
    GENOTYPE: "Genotype of the cells",
    STIMULATION: "Treatment of the cells",
    CLONE: "Clonal cell line, the biological replicate",
    FOV: "Field of view, the microscope image",
    CHANNEL: "Fluorescence channel",
    KIND: "What the artifact is",
}
# Numbers by which artifacts are found.
NUMBERS = {"auc": "Area under the ROC curve on the test cells"}


def find_label(ln: Any, name: str) -> Any:
    """Find or create the label of that name.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.

    Returns
    -------
    lamindb.ULabel
    """
    found = ln.ULabel.filter(name=name).order_by("id").first()
    if found is not None:
        return found
    uid = derived(8, "label", name)
    there = ln.ULabel.objects.filter(uid=uid).first()  # in the trash, or somebody renamed it
    if there is not None and there.name == name:
        there.restore()
        return there
    new = ln.ULabel(name=name)
    if there is None:
        new.uid = uid
    return new.save()


def find_feature(ln: Any, kind: str) -> Any:
    """Find or create the feature of a kind of label.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    kind : str
        Such as ``genotype``.

    Returns
    -------
    lamindb.Feature
    """
    found = ln.Feature.filter(name=kind).order_by("id").first()
    if found is not None:
        return found
    description = _DESCRIPTIONS.get(kind, "Column of the study's metadata file")
    new = ln.Feature(name=kind, dtype=ln.ULabel, description=description)
    new.uid = category_uid(kind)
    return new.save()


def own_kinds(ln: Any, kinds: Iterable[str]) -> set[str]:
    """Which kinds of label this platform has made, and people have not.

    Parameters
    ----------
    ln : module
        ``lamindb``.
    """
    found = ln.Feature.filter(name__in=list(kinds)).values_list("name", "uid")
    return {name for name, uid in found if uid == category_uid(name)}


def category_uid(kind: str) -> str:
    """Uid of the feature that this platform makes for a kind of label."""
    return derived(12, "category", kind)


def annotate(ln: Any, artifact: Any, numbers: Mapping[str, float]) -> None:
    """Attach numbers to an artifact, by which it can be found; earlier values are replaced.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    artifact : lamindb.Artifact
        A saved artifact.
    numbers : mapping
        Name to number; names get registered as features, numbers that are NaN are not.
    """
    link_of, number_of = number_links()
    # The links directly: ``artifact.features.add_values`` takes ten times as long.
    for name, number in numbers.items():
        if math.isnan(number):
            continue
        feature = ln.Feature.filter(name=name).order_by("id").first()
        if feature is None:
            feature = ln.Feature(name=name, dtype=float, description=NUMBERS.get(name, name))
            feature.uid = derived(12, "number", name)
            feature.save()
        value, _ = number_of.get_or_create(feature, float(number))
        links = link_of.objects.filter(artifact=artifact, jsonvalue__feature=feature)
        links.exclude(jsonvalue=value).delete()
        link_of.objects.get_or_create(artifact=artifact, jsonvalue=value)


def labels_by_slug(database: str, slugs: Iterable[str]) -> list[list[str]]:
    """Names of labels as they stand in keys and partitions.

    Parameters
    ----------
    database : str
        Its alias.

    Returns
    -------
    list of list of str
        Of each slug the names that it may stand for.
    """
    labels = label_registries()[0].objects.using(database)
    names = [name for name in labels.values_list("name", flat=True) if name]
    return [[name for name in names if may_be(name, wanted)] for wanted in slugs]


def may_be(name: str, wanted: str) -> bool:
    """Whether a slug is that of a label; of a label that has none, never."""
    try:
        return slug(name) == wanted
    except InputError:
        return False


def labels_of(artifacts: Any) -> dict[str, dict[str, str]]:
    """Labels of many artifacts in one query.

    Parameters
    ----------
    artifacts : lamindb query set
        Of the store or of a source.

    Returns
    -------
    dict
        Artifact uid to kind of label to name; of several names of one kind, the first in
        order. A label that was attached without a kind stands under ``PLAIN`` and its name.
    """
    uids = dict(artifacts.values_list("id", "uid").distinct())
    # Not through the query set itself: its own label filter would hide the other labels. Nor by a
    # list of ids where there are many: a database takes some ten thousand in one query.
    few = len(uids) <= _FEW
    links = label_links().objects.using(artifacts.db)
    links = links.filter(artifact_id__in=[*uids] if few else artifacts.order_by().values("id"))
    rows = links.values_list("artifact_id", "feature__name", "ulabel__name")
    found: dict[int, dict[str, str]] = {number: {} for number in uids}
    for number, kind, name in rows.iterator(_AT_ONCE):
        known, kind = found[number], kind or PLAIN + name
        if kind not in known or name < known[kind]:
            known[kind] = name
    in_order = sorted(uids.items(), key=itemgetter(1))
    return {uid: dict(sorted(found[number].items())) for number, uid in in_order}
