"""Scored cells of studies whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.tables import cells_of


def scored_study(
    study: Study,
    seed: int,
    clones: int,
    effect: float,
    between: float = 0.1,
    cells: int = 15,
    fields: float = 0.02,
) -> pd.DataFrame:
    """Cells of a control and a knockout whose response differs by ``effect`` in the mean.

    Clones differ in their level and in their response by ``between``, fields of view by ``fields``
    (standard deviations).
    """
    random = np.random.default_rng(seed)
    parts = []
    for genotype, response in (("WT", 0.5), ("KO", 0.5 + effect)):
        labels = {f"clone {n + 1}": (["FOV1", "FOV2"], ["FOV1", "FOV2"]) for n in range(clones)}
        table = cells_of(study, labels, cells, genotype)
        level = dict(zip(labels, random.normal(0.2, between, clones), strict=True))
        responds = dict(zip(labels, random.normal(response, between, clones), strict=True))
        datasets = table["dataset"].unique()
        field = dict(zip(datasets, random.normal(0, fields, len(datasets)), strict=True))
        table["prob_class1"] = (
            table["clone"].map(level)
            + table["class"] * table["clone"].map(responds)
            + table["dataset"].map(field)
            + random.normal(0, 0.15, len(table))
        )
        table["marker_spots_contrast"] = 10 * table["prob_class1"]
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
