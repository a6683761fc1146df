"""Keys of artifacts: building and parsing.

Keys of other installations and of people may have any form; they are not parsed, only compared.
"""

from __future__ import annotations

from dataclasses import dataclass

RAW_IMAGES = "raw_images"


@dataclass(frozen=True)
class ArtifactKey:
    """The key of an artifact of this platform, in one of four forms.

    ::

        <study>/<group>/<asset>.<suffix>
        <study>/<group>/<asset>/<partition>.<suffix>
        <study>/<group>/<asset>/<partition>/<field>/<file>.<suffix>
        <study>/raw_images/<partition>/<field>/<file>.<suffix>

    Parameters
    ----------
    study : str
        Slug of the study's name.
    group : str or None
        Group of the asset; None for ``raw_images``, which come from outside.
    suffix : str
        With its dot.
    field : str, optional
        Slug of a field of view of a sample.
    file : str, optional
        Name of a file of a field, without suffix.
    """

    study: str
    group: str | None
    asset: str
    suffix: str
    partition: str | None = None
    field: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        return self.stem + self.suffix

    @classmethod
    def parse(cls, text: str) -> ArtifactKey | None:
        """Read a key.

        Returns
        -------
        ArtifactKey or None
            None where it has none of the forms.
        """
        stem, _, ending = text.rpartition(".")
        parts = stem.split("/")
        if not all(parts) or not ending or "/" in ending:
            return None
        suffix = f".{ending}"
        match parts:
            case [study, group, asset]:
                return cls(study, group, asset, suffix)
            case [study, group, asset, partition]:
                return cls(study, group, asset, suffix, partition)
            case [study, group, asset, partition, field, file]:
                return cls(study, group, asset, suffix, partition, field, file)
            case [study, asset, partition, field, file] if asset == RAW_IMAGES:
                return cls(study, None, asset, suffix, partition, field, file)
        return None

    @property
    def stem(self) -> str:
        """The key without its suffix, as a figure and the table beside it share it."""
        parts = (self.study, self.group, self.asset, *self.within)
        return "/".join(part for part in parts if part is not None)

    @property
    def within(self) -> tuple[str, ...]:
        """Partition, field and file, as far as there are any."""
        parts = (self.partition, self.field, self.file)
        return tuple(part for part in parts if part is not None)

    @property
    def name(self) -> str:
        """Name after the last slash."""
        return str(self).rpartition("/")[2]


def beside(key: str, name: str) -> str:
    """Key of a file in the same folder as another one, whoever has chosen that one's key.

    Parameters
    ----------
    name : str
        With its suffix.
    """
    return key.rpartition("/")[0] + "/" + name
