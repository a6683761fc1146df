"""Fields of view: where a microscope image was taken, and the images of all its channels."""

from __future__ import annotations

import json
from dataclasses import dataclass

from autophagy_assets.registry import labels as lab
from autophagy_assets.registry.instance import source
from autophagy_assets.registry.labels import labels_of
from autophagy_assets.registry.uids import derived, slug
from autophagy_assets.study import Study

RAW_IMAGE = "raw image"


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
        Hash of every label of every image, channel by channel: it changes as soon as one of
        them is corrected, added or taken off.
    """

    genotype: str
    clone: str
    stimulation: str
    fov: str
    images: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...] = ()
    label_hash: str = ""

    @property
    def sample(self) -> str:
        """Partition key of its sample."""
        return sample_key(self.genotype, self.clone, self.stimulation)

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.genotype}, {self.clone}, {self.stimulation}, {self.fov}"


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
    """First part of every key of a study.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
    """
    return slug(study.name)


def raw_fields(study: Study) -> list[Field]:
    """Fields of view of a study that have every channel.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of Field
        Sorted by their labels.
    """
    images = source().Artifact.filter(
        ulabels__name=study.name,
        is_latest=True,
        description__icontains=RAW_IMAGE,
        suffix__in=[".tif", ".tiff"],
    )
    fields: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    for uid, known in labels_of(images).items():
        place = tuple(known.get(k, "") for k in (lab.GENOTYPE, lab.CLONE, lab.STIMULATION, lab.FOV))
        channel = known.get(lab.CHANNEL, "")
        if all(place) and channel in study.channels:
            fields.setdefault(place, {})[channel] = {**known, "uid": uid}
    return sorted(
        _field(place, by_channel, study)
        for place, by_channel in fields.items()
        if len(by_channel) == len(study.channels)
    )


def _field(place: tuple[str, ...], by_channel: dict[str, dict[str, str]], study: Study) -> Field:
    genotype, clone, stimulation, fov = place
    images = tuple((channel, by_channel[channel]["uid"]) for channel in study.channels)
    known = [by_channel[channel] for channel in study.channels]
    return Field(genotype, clone, stimulation, fov, images, _shared(known), _label_hash(known))


def _label_hash(known: list[dict[str, str]]) -> str:
    # As JSON: it quotes, so that no label can pass for two.
    told = [sorted((kind, name) for kind, name in one.items() if kind != "uid") for one in known]
    return derived(16, "labels", json.dumps(told))


def _shared(known: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    common = set(known[0].items()).intersection(*(set(one.items()) for one in known[1:]))
    kinds = (k for k, _ in common if k not in ("uid", lab.KIND) and not k.startswith(lab.PLAIN))
    return tuple((kind, known[0][kind]) for kind in sorted(kinds))
