"""Fields of view of a folder: read and hashed, before they are compared and registered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autophagy_assets.analysis.imaging.images import check_field
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.datasets import RESOLUTION
from autophagy_assets.registry.fields import RAW_IMAGE, sample_key, study_slug
from autophagy_assets.registry.ingest.metadata import FieldRows
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.files import measure
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.keys import RAW_IMAGES, ArtifactKey


@dataclass(frozen=True)
class NewImage:
    """One image of a folder.

    Parameters
    ----------
    key : str
        Under which it is registered.
    labels : dict
        Kind to name: all that the image shall have.
    sha256, pixels : str
        Hash of the file, and of the pixels in it.
    """

    key: str
    channel: str
    path: Path
    labels: dict[str, str]
    sha256: str
    pixels: str

    @property
    def marks(self) -> tuple[str, str]:
        """Hashes of file and pixels; two images are the same if they share one."""
        return self.sha256, self.pixels


@dataclass(frozen=True)
class NewField:
    """One field of view of a folder, whole and readable.

    Parameters
    ----------
    name : str
        How messages call it.
    images : tuple of NewImage
        One for each channel of the study.
    """

    name: str
    images: tuple[NewImage, ...]


def read_field(rows: FieldRows, study: Study) -> NewField:
    """Read the images of a field of view of a folder.

    Parameters
    ----------
    rows : FieldRows
        What the metadata file says of it.

    Raises
    ------
    InputError
        If it lacks a channel, has one twice, has a broken image, or its rows differ in the size of
        a pixel: it would count as not known, and the field be measured with that of the study file.
    """
    channels = [channel for channel, _, _ in rows.images]
    for channel in study.channels:
        if (count := channels.count(channel)) != 1:
            what = "no image" if count == 0 else f"{count} images"
            raise InputError(f"Field {rows.name} has {what} for channel {channel}; give it one.")
    sizes = {labels.get(RESOLUTION, "") for *_, labels in rows.images}
    if len(sizes) > 1:
        said = " and ".join(repr(size) if size else "none" for size in sorted(sizes, reverse=True))
        raise InputError(
            f"Field {rows.name} has {said} as {RESOLUTION} of its channels: write the same in each "
            "of its rows."
        )
    found = check_field({channel: path for channel, path, _ in rows.images})
    place = rows.labels
    sample = sample_key(place["genotype"], place["cell_line_clone"], place["stimulation"])

    def key(channel: str) -> str:
        place_in_study = (sample, slug(place["FOV"]), slug(channel))
        return str(ArtifactKey(study_slug(study), None, RAW_IMAGES, ".tif", *place_in_study))

    return NewField(
        rows.name,
        tuple(
            NewImage(
                key(channel),
                channel,
                path,
                {lab.STUDY: study.name, lab.KIND: RAW_IMAGE, **labels},
                measure(path)[0],
                pixels,
            )
            for (channel, path, labels), pixels in zip(rows.images, found.hashes, strict=True)
        ),
    )
