"""Fields of view: where a microscope image was taken, and the images of all its channels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.changes import state_of_records
from autophagy_assets.registry.store.identifiers import derived, slug
from autophagy_assets.registry.store.instance import source
from autophagy_assets.registry.store.labels import labels_by_slug, labels_of

RAW_IMAGE = "raw image"
_ORDER = ("genotype", "clone", "stimulation", "fov")
_PLACE = (lab.GENOTYPE, lab.CLONE, lab.STIMULATION, lab.FOV)


@dataclass(frozen=True, order=True)
class Field:
    """One field of view: where it was taken, and its images.

    Parameters
    ----------
    genotype, clone, stimulation, fov : str
        Labels.
    images : tuple of (str, str)
        Channel and uid of the raw image, in the study's channel order.
    labels : tuple of (str, str)
        Every label that all its images share, such as microscope and magnification.
    label_hash : str
        Hash of every label (kind and name) of every image, channel by channel: it changes as
        soon as one of them is corrected, added or taken off.
    """

    genotype: str
    clone: str
    stimulation: str
    fov: str
    images: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...] = ()
    label_hash: str = ""

    @cached_property
    def sample(self) -> str:
        """Partition key of its sample."""
        return sample_key(self.genotype, self.clone, self.stimulation)

    @cached_property
    def place(self) -> str:
        """Sample and field, as its manifest and the keys of its files name it."""
        return f"{self.sample}/{slug(self.fov)}"

    @property
    def name(self) -> str:
        """Name of the field of view in messages."""
        return f"{self.genotype}, {self.clone}, {self.stimulation}, {self.fov}"


@dataclass(frozen=True)
class RawImage:
    """One channel of a field of view as it is registered.

    Parameters
    ----------
    uid, key : str
        Of the latest version.
    labels : mapping
        Kind of label to name.
    """

    uid: str
    key: str
    labels: Mapping[str, str]

    @cached_property
    def place(self) -> tuple[str, ...]:
        """Genotype, clone, stimulation and field of view; empty where a label is lacking."""
        return tuple([self.labels.get(kind, "") for kind in _PLACE])

    @property
    def channel(self) -> str:
        """Label of its channel."""
        return self.labels.get(lab.CHANNEL, "")

    @property
    def field(self) -> str:
        """Name of its field of view in messages."""
        return ", ".join(self.place)


def sample_key(genotype: str, clone: str, stimulation: str) -> str:
    """Name of a sample, clone x stimulation, as partitions and keys carry it.

    Parameters
    ----------
    genotype, clone, stimulation : str
        Labels.

    Returns
    -------
    str
        The genotype's slug comes first, so that samples sort by genotype.
    """
    return "__".join(slug(label) for label in (genotype, clone, stimulation))


def study_slug(study: Study) -> str:
    """First part of every key of a study."""
    return slug(study.name)


def raw_images(study: Study, sample: str | None = None) -> list[RawImage]:
    """Every registered image of a study that says where it was taken.

    Parameters
    ----------
    sample : str, optional
        Partition key; leave out the images of other samples.

    Returns
    -------
    list of RawImage
        Of channels of the study, by uid.
    """
    found = source().Artifact.filter(
        ulabels__name=study.name,
        is_latest=True,
        description__icontains=RAW_IMAGE,
        suffix__in=[".tif", ".tiff"],
    )
    if sample is not None:
        # By its labels: with many samples each step would else look through all of their images.
        for names in labels_by_slug(found.db, sample.split("__")):
            found = found.filter(ulabels__name__in=names)
    keys = dict(found.values_list("uid", "key"))
    images = (RawImage(uid, keys[uid] or "", known) for uid, known in labels_of(found).items())
    return [image for image in images if all(image.place) and image.channel in study.channels]


def raw_fields(study: Study, sample: str | None = None) -> list[Field]:
    """Fields of view of a study that have every channel.

    Parameters
    ----------
    sample : str, optional
        Partition key; leave out the fields of other samples.

    Returns
    -------
    list of Field
        Sorted by their labels.

    Raises
    ------
    InputError
        If two images are registered for one channel of a field: which of them was meant
        nobody can know.
    """
    if sample is not None:
        return [field for field in _read_fields(study, sample) if field.sample == sample]
    artifacts = source().Artifact.filter()
    asked, state = (artifacts.db, study.name, study.channels), state_of_records(artifacts)
    if asked not in _known or _known[asked][0] != state:
        _known[asked] = state, _read_fields(study)
    return list(_known[asked][1])


# What was found last. With 100,000 fields reading them takes far longer than seeing whether
# anything has changed, and whoever watches a study asks again and again.
_known: dict[tuple[Any, ...], tuple[tuple[Any, ...], list[Field]]] = {}


def _read_fields(study: Study, sample: str | None = None) -> list[Field]:
    fields: dict[tuple[str, ...], dict[str, RawImage]] = {}
    for image in raw_images(study, sample):
        other = fields.setdefault(image.place, {}).setdefault(image.channel, image)
        if other is not image:
            raise InputError(
                f"Field {image.field} has two registered images for channel {image.channel} "
                f"({other.uid} and {image.uid}): run autophagy withdraw {image.field!r}, then "
                "ingest its images again."
            )
    whole = [
        _field(place, by_channel, study)
        for place, by_channel in fields.items()
        if len(by_channel) == len(study.channels)
    ]
    return sorted(whole, key=attrgetter(*_ORDER))


def _field(place: tuple[str, ...], by_channel: dict[str, RawImage], study: Study) -> Field:
    genotype, clone, stimulation, fov = place
    images = [by_channel[channel] for channel in study.channels]
    uids = tuple((image.channel, image.uid) for image in images)
    known = [image.labels for image in images]
    return Field(genotype, clone, stimulation, fov, uids, _shared(known), _label_hash(known))


def _label_hash(known: list[Mapping[str, str]]) -> str:
    # Not what people have attached without a kind: nothing is made of it. As JSON: it quotes, so
    # that no label can pass for two.
    content = [
        sorted((kind, name) for kind, name in labels.items() if not kind.startswith(lab.PLAIN))
        for labels in known
    ]
    return derived(16, "labels", json.dumps(content))


def _shared(known: list[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    common = set(known[0].items()).intersection(*(set(one.items()) for one in known[1:]))
    kinds = (k for k, _ in common if k != lab.KIND and not k.startswith(lab.PLAIN))
    return tuple((kind, known[0][kind]) for kind in sorted(kinds))
