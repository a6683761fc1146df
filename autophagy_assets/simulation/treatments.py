"""Fields of view of a simulated study, and their labels.

The labels are those of the real study; file names and metadata follow it exactly, so that
whatever reads the one reads the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Genotype = Literal["WT", "EI24KO"]
Stimulation = Literal["untreated", "6h Torin-1", "14h Torin-1"]

GENOTYPES: tuple[Genotype, ...] = ("WT", "EI24KO")
STIMULATIONS: tuple[Stimulation, ...] = ("untreated", "14h Torin-1")
HALFWAY: Stimulation = "6h Torin-1"  # no class of the default study
# Which part of the effect each has, and its number among the seeds.
_PARTS: dict[Stimulation, float] = {"untreated": 0.0, HALFWAY: 0.5, "14h Torin-1": 1.0}
_NUMBERS: dict[Stimulation, int] = {"untreated": 0, "14h Torin-1": 1, HALFWAY: 2}
STRUCTURES = {"DAPI": "DNA", "Alexa488": "LckLip-mNeon", "mCherry": "mCherry-LC3B"}
CHANNELS = tuple(STRUCTURES)
PIXEL_SIZE_UM = 0.597976081

_LINES: dict[Genotype, str] = {
    "WT": "U2OS lcklip-mNeon mCherryLC3B",
    "EI24KO": "U2OS lcklip-mNeon mCherryLC3B EI24 KO",
}


@dataclass(frozen=True)
class Condition:
    """One field of view of one clone under one stimulation.

    Parameters
    ----------
    genotype : {"WT", "EI24KO"}
        Genotype of the cells.
    clone : int
        Number of the clone within its genotype, from 1.
    stimulation : {"untreated", "6h Torin-1", "14h Torin-1"}
        Treatment of the cells.
    fov : int
        Number of the field of view within its sample, from 1.
    """

    genotype: Genotype
    clone: int
    stimulation: Stimulation
    fov: int

    @property
    def field(self) -> str:
        """File name of the field of view, up to the channel."""
        slug = self.stimulation.replace(" ", "-")
        return f"{self.genotype}_clone{self.clone}_{slug}_FOV{self.fov}"

    @property
    def line(self) -> str:
        """Name of the clonal cell line."""
        return f"{_LINES[self.genotype]} clone {self.clone}"

    @property
    def is_stimulated(self) -> bool:
        """Whether the cells were treated."""
        return self.part > 0

    @property
    def part(self) -> float:
        """Which part of the effect of the treatment the cells show, from 0 to 1."""
        return _PARTS[self.stimulation]

    @property
    def seed(self) -> tuple[int, int, int, int]:
        """Numbers that name this field among all fields; other fields do not change them."""
        genotype = GENOTYPES.index(self.genotype)
        return genotype, self.clone, _NUMBERS[self.stimulation], self.fov

    def image_path(self, channel: str) -> str:
        """Path of one channel's image, relative to the study's folder.

        Parameters
        ----------
        channel : str
            One of ``CHANNELS``.
        """
        return f"images/{self.field}_{channel}.tif"

    def metadata(self) -> list[dict[str, str | float]]:
        """Metadata of the field's images, one row per channel.

        Returns
        -------
        list of dict
            Column name -> value, columns as in the real study's ``metadata_files.csv``.
        """
        return [
            {
                "image_path": self.image_path(channel),
                "genotype": self.genotype,
                "stimulation": self.stimulation,
                "cell_line": "U2OS",
                "cell_line_clone": self.line,
                "channel": channel,
                "FOV": f"FOV{self.fov}",
                "magnification": "20X",
                "microscope": "Opera Phenix",
                "imaged structure": structure,
                "resolution": PIXEL_SIZE_UM,
            }
            for channel, structure in STRUCTURES.items()
        ]


def conditions(clones: int, fields_per_sample: int, halfway: bool = False) -> list[Condition]:
    """All fields of view of a study.

    Parameters
    ----------
    clones : int
        Clones per genotype.
    fields_per_sample : int
        Fields of view per clone and stimulation.
    halfway : bool
        Add a stimulation that has half of the effect.

    Returns
    -------
    list of Condition
        ``4 * clones * fields_per_sample`` fields, or half as many more.
    """
    stimulations = (*STIMULATIONS, HALFWAY) if halfway else STIMULATIONS
    return [
        Condition(genotype, clone, stimulation, fov)
        for genotype in GENOTYPES
        for clone in range(1, clones + 1)
        for stimulation in stimulations
        for fov in range(1, fields_per_sample + 1)
    ]
