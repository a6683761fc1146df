"""Tables of cells with a known structure: clones, fields of view, stimulations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.study import NO_CLASS, Study


def cells_of(
    study: Study,
    labels: Mapping[str, tuple[list[str], list[str]]],
    cells: int = 12,
    genotype: str = "WT",
) -> pd.DataFrame:
    """Cells of some clones; for each its fields untreated and its fields stimulated."""
    fields = [
        (f"{genotype}{clone}{number}{fov}", number, clone, fov)
        for clone, by_class in labels.items()
        for number, fovs in enumerate(by_class)
        for fov in fovs
    ]
    datasets, classes, clones, fovs = (np.repeat(v, cells) for v in zip(*fields, strict=True))
    return pd.DataFrame(
        {
            DATASET: datasets,
            CELL_ID: np.tile(np.arange(1, cells + 1), len(fields)),
            CLASS: classes.astype("int64"),
            "genotype": genotype,
            "stimulation": pd.Series(classes).map(study.classes),
            "clone": clones,
            "fov": fovs,
        }
    )


def measured_cells(
    study: Study,
    clones: int = 2,
    fields: int = 2,
    cells: int = 30,
    genotype: str = "WT",
    seed: int = 0,
    biology: float = 3.0,
    staining: float = 0.0,
    response: float = 1.0,
) -> pd.DataFrame:
    """Cells with features of both sets.

    ``biology`` moves the marker of stimulated cells, times ``response``; ``staining`` moves the
    nucleus channel and the units of the marker of whole images of the stimulated class.
    """
    fovs = [f"FOV{n + 1}" for n in range(fields)]
    labels = {f"clone {n + 1}": (fovs, fovs) for n in range(clones)}
    table = cells_of(study, labels, cells, genotype)
    random = np.random.default_rng(seed)
    stimulated = table[CLASS].to_numpy()
    noise = random.normal(size=(len(table), 6))
    table["nucleus_area"], table["cytosol_area"] = noise[:, 0], noise[:, 1]
    table[f"{study.nucleus_channel}_mean_nucleus"] = noise[:, 2] + staining * stimulated
    table[f"{study.cytosol_channel}_mean_cytosol"] = noise[:, 3] + 0.8 * stimulated
    table["marker_spots_contrast"] = noise[:, 4] + biology * response * stimulated
    table["marker_spots_units"] = noise[:, 5] + (biology * response + staining) * stimulated
    return table


def of_condition(cells: pd.DataFrame, stimulation: str, share: float) -> pd.DataFrame:
    """As cells of a condition that is no class: other datasets, and ``share`` of the response.

    Cells of class 1 and of class 0 are taken in the ratio of ``share``, so the truth is known.
    """
    kept = [
        part.head(round(len(part) * (share if number else 1 - share)))
        for (number, _, _), part in cells.groupby([CLASS, "clone", "fov"])
    ]
    taken = pd.concat(kept, ignore_index=True)
    datasets = taken["genotype"] + taken["clone"] + taken["fov"] + stimulation
    taken[CELL_ID] = taken.groupby(datasets).cumcount() + 1
    return taken.assign(**{DATASET: datasets, CLASS: NO_CLASS, "stimulation": stimulation})
