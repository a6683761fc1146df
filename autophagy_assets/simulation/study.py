"""The simulated study: a folder as the real study's, plus the truth about every cell."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.simulation.field import simulate_field
from autophagy_assets.simulation.treatments import Condition, conditions

METADATA_FILE = "metadata_files.csv"
TRUTH_FILE = "ground_truth.csv"
PUNCTA_FILE = "ground_truth_puncta.csv"
SMALLEST_PX = 256
STRONGEST = 1.5  # beyond, the shifts of a cell in full autophagy would leave no contacts


@dataclass(frozen=True)
class SimulatedStudy:
    """A simulated study on disk.

    Attributes
    ----------
    folder : pathlib.Path
        Holds ``metadata_files.csv``, ``ground_truth.csv``, ``ground_truth_puncta.csv`` and
        ``images/``.
    metadata : pandas.DataFrame
        One row per image, as in ``metadata_files.csv``.
    ground_truth : pandas.DataFrame
        One row per cell, as in ``ground_truth.csv``.
    puncta : pandas.DataFrame
        One row per punctum, as in ``ground_truth_puncta.csv``.
    """

    folder: Path
    metadata: pd.DataFrame
    ground_truth: pd.DataFrame
    puncta: pd.DataFrame


def simulate(
    out: Path,
    *,
    seed: int = 0,
    size: int = 1080,
    fields_per_sample: int = 2,
    clones: int = 2,
    cells_per_field: int = 90,
    effect: float = 1.0,
    knockout: float = 1.0,
    staining: float = 0.0,
    halfway: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> SimulatedStudy:
    """Simulate a study: the same files and metadata as the real one, with ground truth.

    Parameters
    ----------
    out : path-like
        Folder to make; it may exist if it is empty.
    seed : int, default 0
        Same seed and options, same files.
    size : int, default 1080
        Side of a field in px of 0.598 um, at least 256. Crops are 128 px wide and cells whose
        crop leaves the field are dropped, so small fields yield few of their cells.
    fields_per_sample : int, default 2
        Fields of view per clone and stimulation.
    clones : int, default 2
        Clones per genotype.
    cells_per_field : int, default 90
        Cells of an untreated field on average; treated fields hold about a third fewer.
    effect : float, default 1
        Strength of the treatment, from 0 to 1.5. Up to 1 it is the share of the full response:
        how many more cells enter autophagy, how many fewer there are; at 0 treated fields are
        drawn as untreated ones. Above 1 it multiplies what autophagy does to a treated cell.
    knockout : float, default 1
        How much of the response the knockout lacks, from 0 (it responds as the control does) to 1.
    staining : float, default 0
        By which part of itself the background of the marker is raised in treated fields, from 0
        to 10. With ``effect`` 0 treated fields differ in their staining alone.
    halfway : bool, default False
        Add fields under 6h Torin-1, where half of the effect is seen. It is no class of the default
        study: a study file has to name it in ``conditions``.
    progress : callable, optional
        Called after each field with the fields done, all fields and the field's name.

    Raises
    ------
    InputError
        If ``out`` holds files or an option is out of range.

    Notes
    -----
    What is simulated, and how strong, stands in ``cells.draw``. Ground truth: ``field`` (file
    name up to the channel), ``cell`` (number within the field), ``x`` and ``y`` of the nucleus
    centre and areas in px, ``n_puncta``, the labels, and flags: ``autophagic`` (truly, whatever
    the label), ``spontaneous`` (autophagic and untreated), ``mitotic``, ``dying``,
    ``touches_border``. Puncta: ``field``, ``cell`` (0: its nucleus is out of the field), ``x``
    and ``y`` in px, ``photons`` at the peak before the optics.

    Everything is written to a temporary folder beside ``out`` that is renamed at the end.
    """
    out = Path(out)
    _check(out, seed, size, fields_per_sample, clones, cells_per_field, effect, knockout, staining)
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        (building / "images").mkdir()
        fields = conditions(clones, fields_per_sample, halfway)
        truths, puncta = [], []
        for done, condition in enumerate(fields, start=1):
            images, truth, spots = simulate_field(
                condition,
                seed=seed,
                size=size,
                n_cells=cells_per_field,
                effect=effect,
                knockout=knockout,
                staining=staining,
            )
            for channel, image in images.items():
                tifffile.imwrite(building / condition.image_path(channel), image)
            truths.append(truth)
            puncta.append(spots)
            if progress:
                progress(done, len(fields), condition.field)
        metadata, truth = _tables(fields, truths)
        metadata.to_csv(building / METADATA_FILE, index=False)
        truth.to_csv(building / TRUTH_FILE, index=False)
        placed = pd.concat(puncta, ignore_index=True)
        placed.to_csv(building / PUNCTA_FILE, index=False)
        building.chmod(0o755)  # mkdtemp makes it private
        building.replace(out)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return SimulatedStudy(out, metadata, truth, placed)


def _tables(
    fields: list[Condition], truths: list[pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metadata in the order of the real file, and the ground truth of all fields."""
    rows = [row for condition in fields for row in condition.metadata()]
    metadata = pd.DataFrame(rows).sort_values("image_path", ignore_index=True)
    return metadata, pd.concat(truths, ignore_index=True)


def _check(
    out: Path,
    seed: int,
    size: int,
    fields_per_sample: int,
    clones: int,
    cells_per_field: int,
    effect: float,
    knockout: float,
    staining: float,
) -> None:
    """Refuse what cannot be simulated before anything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty folder: choose another one or empty it first.")
    for name, value, low, high in (
        ("seed", seed, 0, 2**32 - 1),
        ("size", size, SMALLEST_PX, 8192),
        ("fields_per_sample", fields_per_sample, 1, 1000),
        ("clones", clones, 1, 1000),
        ("cells_per_field", cells_per_field, 1, 10000),
        ("effect", effect, 0, STRONGEST),
        ("knockout", knockout, 0, 1),
        ("staining", staining, 0, 10),
    ):
        if not low <= value <= high:
            raise InputError(
                f"Option {name} of the simulated study is {value}: "
                f"give a value from {low} to {high}."
            )
