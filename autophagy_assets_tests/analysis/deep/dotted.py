"""Cells that differ in what a network can see: dots in the marker of stimulated ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.estimator import CropClassifier
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.estimators import ConvolutionalNetwork
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.tables import cells_of
from autophagy_assets_tests.analysis.synthetic import MASKS, write_images

SIDE, DOTS = 32, 6
_STUDY = Study.load()
STUDY = _STUDY.model_copy(
    update={"cross_validation": _STUDY.cross_validation.model_copy(update={"folds": 2})}
)
QUICK = {"architecture": "small", "epochs": 6, "batch_size": 8, "learning_rate": 0.005}


def parameters(**changes: Any) -> dict[str, Any]:
    return ConvolutionalNetwork.model_validate(QUICK | changes).model_dump()


def network(**changes: Any) -> Model:
    return Model.model_validate(
        {"name": "pixels", "primary": True, "feature_sets": ["crops"], "estimator": "cnn"}
        | {"parameters": QUICK | changes}
    )


def dotted(folder: Path, fields: int = 2, cells: int = 6) -> tuple[pd.DataFrame, Crops]:
    """Cells of two clones, and their crops; ids repeat, and are not stored in their order."""
    fovs = [f"FOV{number + 1}" for number in range(fields)]
    table = cells_of(STUDY, {"clone 1": (fovs, fovs), "clone 2": (fovs, fovs)}, cells)
    random, paths = np.random.default_rng(0), {}
    table["nucleus_area"] = random.normal(size=len(table))  # no table is without a feature
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    outline = (rows**2 + columns**2 < (SIDE / 2 - 2) ** 2).astype(float)
    for dataset, part in table.groupby(DATASET):
        ids = part[CELL_ID].to_numpy()[::-1]
        crops = np.repeat(outline[None, None], len(ids), 0).repeat(len(MASKS) + 3, 1)
        crops[:, len(MASKS) :] *= 0.3 + 0.05 * random.normal(size=(len(ids), 3, SIDE, SIDE))
        if part[CLASS].iloc[0] == 1:
            for crop in crops:
                crop[-1][tuple(random.integers(8, SIDE - 8, (2, DOTS)))] = 1.0
        names = [*MASKS, *STUDY.channels]
        paths[str(dataset)] = write_images(folder / f"{dataset}.h5ad", ids, crops, names)
    return table, Crops(paths, {}, STUDY)


def classifier(crops: Crops | None, **changes: Any) -> CropClassifier:
    return CropClassifier("pixels", parameters(**changes), crops)
