"""Comparison of a folder of images with the registered ones; refuses what would overwrite them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autophagy_assets.analysis.imaging.images import pixel_hash, read_image
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.fields import RawImage, raw_images
from autophagy_assets.registry.ingest.incoming import NewField, NewImage
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.artifacts import describe, locate
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.instance import connect, retried, writing

PIXELS = "pixels"  # in an artifact's extra_data: the hash of the pixels of the image
_KINDS = (lab.GENOTYPE, lab.CLONE, lab.STIMULATION, lab.FOV, lab.CHANNEL)
_NAMED = 3  # fields that a message names; it counts the rest


class Registered:
    """The images of a study as they are registered when an ingest begins."""

    def __init__(self, study: Study) -> None:
        self.images = raw_images(study)
        self._by_key = {image.key: image for image in self.images}
        self._pixels: dict[str, str] = {}
        self._sha256: dict[str, str] = {}
        for artifact in connect().Artifact.filter(uid__in=[image.uid for image in self.images]):
            self._pixels[artifact.uid] = (artifact.extra_data or {}).get(PIXELS, "")
            self._sha256[artifact.uid] = describe(artifact).sha256
        self._hash_pixels()

    def _hash_pixels(self) -> None:
        """Read, once, the images that were registered without a hash of their pixels."""
        found = {}
        for uid in (uid for uid, pixels in self._pixels.items() if not pixels):
            try:
                path, _, verify = locate(uid)
                verify()
                found[uid] = pixel_hash(read_image(path))
            except (InputError, IntegrityError, OSError):
                continue  # damaged: it is still known by the hash of its file

        def note() -> None:
            with writing() as ln:
                for artifact in ln.Artifact.filter(uid__in=list(found)):
                    notes = {**(artifact.extra_data or {}), PIXELS: found[artifact.uid]}
                    ln.Artifact.filter(uid=artifact.uid).update(extra_data=notes)

        if found:
            retried(note)
        self._pixels |= found

    def at(self, image: NewImage) -> RawImage | None:
        """Image that is registered in the place of another."""
        return self._by_key.get(image.key)

    def marks(self, image: RawImage) -> Iterator[str]:
        """Hashes of a registered image's file and pixels, those that are known."""
        yield from filter(None, (self._sha256.get(image.uid), self._pixels.get(image.uid)))

    def has(self, image: NewImage) -> bool:
        """Whether the image in its place has the same pixels."""
        there = self.at(image)
        return there is not None and not set(image.marks).isdisjoint(self.marks(there))

    def has_all(self, field: NewField) -> bool:
        """Whether every image of a field is there with the same pixels."""
        return all(self.has(image) for image in field.images)

    def besides(self, fields: Iterable[NewField]) -> list[RawImage]:
        """Images that stay as they are when some fields have been ingested."""
        taken = {image.key for field in fields for image in field.images}
        return [image for image in self.images if image.key not in taken]

    def unchanged(self, study: Study) -> None:
        """Refuse to go on where somebody else has changed the images of the study meanwhile."""
        if raw_images(study) != self.images:
            raise InputError(
                f"The registered images of study {study.name!r} were changed by somebody else "
                "meanwhile: ingest again."
            )


def refuse_foreign(field: NewField, registered: Registered) -> None:
    """Refuse a field that has images under keys that are not an ingest's.

    Raises
    ------
    InputError
        Its channels would have two images each.
    """
    keys = {image.key for image in field.images}
    for image in registered.images:
        if image.field == field.name and image.key not in keys:
            raise InputError(
                f"Field {field.name} has an image that was not registered by an ingest, "
                f"{image.key!r}: run autophagy withdraw {field.name!r} and ingest again."
            )


def duplicates(fields: Sequence[NewField], registered: Registered) -> dict[str, str]:
    """Fields that have an image with the pixels of another image.

    Their cells would be there twice: on both sides of the split, or in two classes; or a channel
    would show what another shows.

    Returns
    -------
    dict
        Name of a field to the reason why it cannot be taken.
    """
    reasons: dict[str, str] = {}
    # What is registered already comes first: then the copy is refused, and not the original.
    left = sorted(fields, key=lambda field: not registered.has_all(field))
    while (found := _first_duplicate(left, registered)) is not None:
        field, reason = found
        reasons[field.name] = reason
        left.remove(field)  # so the images that are registered in its place stay
    return reasons


def _first_duplicate(
    fields: Sequence[NewField], registered: Registered
) -> tuple[NewField, str] | None:
    owners = {
        mark: (image.field, image.channel)
        for image in registered.besides(fields)
        for mark in registered.marks(image)
    }
    for field in fields:
        for image in field.images:
            for mark in image.marks:
                owner, channel = owners.setdefault(mark, (field.name, image.channel))
                if owner != field.name:
                    return field, (
                        f"Field {field.name} has in {image.channel} the same pixels as {owner} in "
                        f"{channel}. Give it its own images; or, if that was a wrong name, run "
                        f"autophagy withdraw {owner!r} and ingest again."
                    )
                if channel != image.channel:
                    return field, (
                        f"Field {field.name} has the same pixels in {channel} and in "
                        f"{image.channel}: give each channel its own image."
                    )
    return None


def refuse_twin_labels(fields: Sequence[NewField], registered: Registered) -> None:
    """Refuse labels that share a name of files and partitions with another label of the study.

    A label may be corrected to one that shares that name, for all images that have it at once.

    Raises
    ------
    InputError
        Names both.
    """
    corrected = [field for field in fields if registered.has_all(field)]
    known: dict[tuple[str, str], str] = {}
    for image in registered.besides(corrected):
        for kind in _KINDS:
            known[kind, slug(image.labels[kind]).casefold()] = image.labels[kind]
    for labels in (image.labels for field in fields for image in field.images):
        for kind in _KINDS:
            mine = labels[kind]
            other = known.setdefault((kind, slug(mine).casefold()), mine)
            if other != mine:
                raise InputError(
                    f"{kind} {mine!r} cannot be told apart in file names from {other!r}, which "
                    "the study has: name it as there or otherwise; to correct the name, name all "
                    "fields that have it in one folder."
                )


def refuse_replacement(fields: Sequence[NewField], registered: Registered, folder: Path) -> None:
    """Refuse to replace images that are registered, or to mix those of two ingests in a field.

    Parameters
    ----------
    folder : pathlib.Path
        Is named.

    Raises
    ------
    InputError
        Names the fields, their channels, and how to confirm it.
    """
    replacements = [text for field in fields if (text := _replacement(field, registered))]
    if replacements:
        more = f"; and {len(replacements) - _NAMED} more" if len(replacements) > _NAMED else ""
        named = "; ".join(replacements[:_NAMED]) + more
        raise InputError(
            f"{folder} has other images than are registered, of {named}. Give new fields names of "
            "their own; to replace the images, run autophagy ingest --replace."
        )


def _replacement(field: NewField, registered: Registered) -> str:
    there = [image for image in field.images if registered.at(image) is not None]
    stays = [image.channel for image in there if registered.has(image)]
    replaced = [image.channel for image in there if not registered.has(image)]
    added = [image.channel for image in field.images if image not in there]
    if not there or not (replaced or added):
        return ""
    parts = [f"{', '.join(replaced)} would be replaced"] if replaced else []
    parts += [f"{', '.join(added)} would be added"] if added else []
    parts += [f"{', '.join(stays)} would stay of an earlier ingest"] if stays else []
    return f"{field.name} ({', '.join(parts)})"
