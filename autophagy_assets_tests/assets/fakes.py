"""In place of scPortrait, which takes 20 s to import: the same files and columns, made up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from autophagy_assets.analysis.imaging.images import check_field
from autophagy_assets.analysis.imaging.segmentation import SINGLE_CELLS, SPATIALDATA, FieldResult
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import feature_names, write_h5sc, write_store

CELLS = 5
broken = {13}  # grey value of a nucleus image on which the fake segmentation fails


def fake_process_field(images: Mapping[str, Path], study: Study, out: Path) -> FieldResult:
    """As many cells as always, other ids for other images; a black field has none."""
    import tifffile

    check_field(images)
    assert study.segmentation.method == "classical"
    nucleus = tifffile.imread(images[study.nucleus_channel])
    sign = nucleus.ravel()[1:]  # the corner distinguishes images of one sign
    if not sign.any():
        raise InputError(f"There are no cells in the field of view of {images['DAPI']}: look.")
    if sign.min() == sign.max() and int(sign.max()) in broken:
        raise RuntimeError("segmentation went wrong")
    if (sign == 28).all():
        raise OSError(28, "No space left on device")
    out.mkdir(parents=True)
    first = int(nucleus.sum()) % 50 + 1
    ids = tuple(range(first, first + CELLS))
    write_h5sc(out / SINGLE_CELLS, first, ids, study.channels)
    nuclei = {i: (20 + 10 * n, 20 + 10 * n) for n, i in enumerate(ids)}
    write_store(out / SPATIALDATA, nuclei, (120, 120), study)
    return FieldResult(CELLS, ids, out / SINGLE_CELLS, out / SPATIALDATA)


def fake_featurize(h5ad: Path, study: Study) -> pd.DataFrame:
    with h5py.File(h5ad) as file:
        ids = file["obs/scportrait_cell_id"][:].astype("int64")
    names = feature_names(study)
    random = np.random.default_rng(int(ids.sum()))
    table = pd.DataFrame(random.normal(size=(len(ids), len(names))), columns=names)
    table.insert(0, "scportrait_cell_id", ids)
    return table


def one_by_one(
    function: Callable[[Any], Any], jobs: Iterable[Any], *_: Any, **__: Any
) -> Iterator[tuple[Any, Any]]:
    """Takes the place of the processes of ``map_fields``, where a fake could not reach."""
    for job in jobs:
        try:
            yield job, function(job)
        except Exception as error:
            yield job, error
