"""Made-up cells of two datasets, and the page that shows all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.galleries.cell_gallery import CellGallery, cell_gallery
from autophagy_assets.analysis.galleries.gallery_cells import SOURCE, scores_of, shown_cells
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    MODEL,
    OUTCOME,
    SCORE,
)
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.synthetic import MASKS, write_images, write_store

STUDY = Study.load()
SIDE, EACH = 16, 40  # px; cells of each dataset, with the same ids in both
HOSTILE = """</script><script>alert("1")</script>'"""
PUNCTA = "marker_puncta_number_contrast"
MODELS = ("as_published", "puncta")


def level(code: int, cell: int, channel: int) -> float:
    """Brightness of a crop, another one for each cell and channel."""
    return (3 * (code * EACH + cell) + channel) / 255


def crops(code: int, side: int = SIDE) -> np.ndarray:
    stack = np.zeros((EACH, 5, side, side), dtype=np.float32)
    stack[:, 1, 2:-2, 2:-2] = stack[:, 0, 6:-6, 6:-6] = 1
    for cell in range(EACH):
        for channel in range(3):
            stack[cell, 2 + channel] = level(code, cell, channel)
    return stack


def cells() -> pd.DataFrame:
    parts = []
    for code, (dataset, genotype, clone) in enumerate(
        [("uidA", "WT", "clone 1"), ("uidB", "KO & co", HOSTILE)]
    ):
        labels = {"genotype": genotype, "stimulation": STUDY.classes[code], "clone": clone}
        numbers = {DATASET: dataset, CELL_ID: range(EACH), CLASS: code, "fov": "FOV1"}
        part = pd.DataFrame({**numbers, **labels, SOURCE: f"model_features[{genotype}]"})
        parts.append(part.assign(nucleus_area=np.arange(EACH) * 1.23456, **{PUNCTA: 5.0}))
    table = pd.concat(parts, ignore_index=True)
    table[PUNCTA] = [float((7 * i) % 80) for i in range(len(table))]
    return table


def score(model: str, code: int, cell: int) -> float:
    return (MODELS.index(model) * 500 + code * EACH + cell) / 1000


def predictions() -> list[pd.DataFrame]:
    """In an order that is not that of the cells; one cell has no score of one model."""
    tables = []
    for model in MODELS:
        table = cells()[IDENTITY].sample(frac=1, random_state=3)
        codes = (table[DATASET] == "uidB").astype(int)
        scores = [score(model, *cell) for cell in zip(codes, table[CELL_ID], strict=True)]
        outcome = np.where(np.array(scores) > 0.54, "TP", "FP")
        table = table.assign(**{MODEL: model, SCORE: scores, OUTCOME: outcome, SOURCE: "scores"})
        tables.append(table if model == "puncta" else table[table[CELL_ID] != 3])
    return tables


def made(folder: Path, side: int = SIDE, noise: bool = False, **changes: Any) -> CellGallery:
    """The page of all cells; the field of view of the second dataset is not there."""
    paths, names = {}, [*MASKS, *STUDY.channels]
    for code, dataset in enumerate(("uidA", "uidB")):
        images = crops(code, side)
        if noise:
            images[:, 2:] = np.random.default_rng(code).random((EACH, 3, side, side))
        # Stored in another order than they are shown in.
        order = np.random.default_rng(code).permutation(EACH)
        paths[dataset] = write_images(folder / f"{dataset}.h5ad", order, images[order], names)
    nuclei = {cell: (5 + 2 * cell, 10 + 3 * cell) for cell in range(EACH)}
    store = write_store(folder / "field.zarr", nuclei, (120, 160), STUDY)
    shown = shown_cells(cells(), 2 * EACH, STUDY)
    origins = {
        ("uidA", "FOV1"): FieldOrigin(
            "crops/A.h5ad", "fieldA", store, ("raw/A1.tif", "raw/A2.tif")
        ),
        ("uidB", "FOV1"): FieldOrigin("crops/B.h5ad"),
    }
    given: dict[str, Any] = {"available": 2 * EACH, "study": STUDY, "pixel_um": 0.5} | changes
    return cell_gallery(
        shown,
        scores=scores_of(shown, predictions()),
        paths=paths,
        origins=origins,
        tables={"model_features[WT]": "uidF", "scores": "uidS"},
        **given,
    )
