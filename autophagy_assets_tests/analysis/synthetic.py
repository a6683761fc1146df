"""Tables and files with the layout of the real ones, small, and with identity in the pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zarr

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.study import Study

MASKS = ("seg_all_nucleus", "seg_all_cytosol")
STATISTICS = ("mean", "median", "quant75", "summed_intensity")


def feature_names(study: Study) -> list[str]:
    parts = ("nucleus", "cytosol", "cytosol_only")
    intensities = [f"{c}_{s}_{p}" for c in study.channels for s in STATISTICS for p in parts]
    return ["nucleus_area", "cytosol_area", "cytosol_only_area", *intensities]


def raw_features(
    seed: int, study: Study, genotype: str, cells: int = 40, datasets: int = 4, levels: int = 0
) -> pd.DataFrame:
    """Cells of several datasets whose ids repeat; ``levels`` > 0 makes equal rows, so ties."""
    random = np.random.default_rng(seed)
    names, parts = feature_names(study), []
    for number in range(datasets):
        label = number % 2
        n = int(random.integers(cells // 2, cells + 1))
        values = random.normal(size=(n, len(names))) + 0.4 * label * random.normal(size=len(names))
        if levels:
            values = np.repeat(np.round(values[:, :1] * levels) / levels, len(names), axis=1)
        part = pd.DataFrame(values, columns=names)
        part.insert(0, DATASET, f"{genotype}{number:04d}uid")
        part.insert(1, CELL_ID, random.choice(np.arange(1, 2 * cells), n, replace=False))
        part.insert(2, CLASS, label)
        parts.append(part)
    return pd.concat(parts)  # the index repeats too, as it does after any concatenation


def six_cells() -> pd.DataFrame:
    """A feature table that is small enough to look at; ids repeat in its two datasets."""
    return pd.DataFrame(
        {
            DATASET: ["a"] * 3 + ["b"] * 3,
            CELL_ID: [0, 1, 2] * 2,
            CLASS: [0] * 3 + [1] * 3,
            "area": np.arange(6, dtype=float),
            "DAPI_mean": np.ones(6),
        }
    )


def described(raw: pd.DataFrame, study: Study, genotype: str) -> pd.DataFrame:
    """What is known of each dataset, in an order that is not the order of the cells."""
    first = raw.groupby(DATASET)[CLASS].first()
    rows = [
        {
            DATASET: dataset,
            "genotype": genotype,
            "stimulation": study.classes[int(number)],
            "clone": f"clone {1 + index // 2}",
            "fov": "FOV1",
        }
        for index, (dataset, number) in enumerate(first.items())
    ]
    return pd.DataFrame(rows[::-1])


def encoded(code: int, cell: int, channel: int, side: int = 8) -> np.ndarray:
    """A crop that says which cell it is."""
    crop = np.zeros((side, side), dtype=np.float16)
    crop[0, :3] = code, cell, channel
    return crop


def decoded(crop: np.ndarray) -> tuple[int, int, int]:
    return int(crop[0, 0]), int(crop[0, 1]), int(crop[0, 2])


def write_h5sc(
    path: Path, code: int, ids: Sequence[int], channels: Iterable[str], side: int = 8
) -> Path:
    names = [*MASKS, *channels]
    crops = [[encoded(code, int(i), c, side) for c in range(len(names))] for i in ids]
    images = np.array(crops, dtype=np.float16).reshape(len(ids), len(names), side, side)
    return write_images(path, ids, images, names)


def write_images(path: Path, ids: Sequence[int], images: np.ndarray, names: Sequence[str]) -> Path:
    """Crops (cell, channel, row, column) as scPortrait stores them."""
    side = images.shape[-1]
    with h5py.File(path, "w") as file:
        file["obs/scportrait_cell_id"] = np.asarray(ids, dtype=np.uint64)
        file.create_dataset(
            "obsm/single_cell_images",
            data=images.astype(np.float16),
            chunks=(1, 1, side, side),
            compression="gzip",  # lzf gives other bytes in another process
        )
        text = h5py.string_dtype()
        group = file.create_group("uns/single_cell_images")
        group.create_dataset("channel_names", data=np.array(names, dtype=object), dtype=text)
    return path


def write_crops(tables: Iterable[pd.DataFrame], folder: Path, study: Study) -> dict[str, Path]:
    """One file per dataset; cells are stored by id, which is not their order in the tables."""
    cells = pd.concat([table[[DATASET, CELL_ID]] for table in tables])
    paths = {}
    for code, (dataset, part) in enumerate(cells.groupby(DATASET)):
        ids = sorted({*part[CELL_ID], *range(1, 6)})
        paths[str(dataset)] = write_h5sc(folder / f"{dataset}.h5ad", code, ids, study.channels)
    return paths


def codes(paths: dict[str, Path]) -> dict[int, str]:
    return dict(enumerate(sorted(paths)))


def write_store(
    path: Path, nuclei: dict[int, tuple[int, int]], shape: tuple[int, int], study: Study
) -> Path:
    """A SpatialData store whose cells sit at (row, column); the image holds 1000 row + column."""
    rows, columns = np.indices(shape)
    image = np.stack([rows * 1000 + columns] * len(study.channels)).astype(np.uint32)
    masks = [np.zeros(shape, dtype=np.uint64) for _ in MASKS]
    for mask, radius in zip(masks, (3, 7), strict=True):
        for cell, (row, column) in nuclei.items():
            mask[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = cell
    write_field(path, image, masks, study)
    centres = pd.DataFrame(
        {"x": [float(c) for _, c in nuclei.values()], "y": [float(r) for r, _ in nuclei.values()]},
        index=pd.Index(list(nuclei), name="__null_dask_index__"),
    )
    folder = path / "points/centers_seg_all_nucleus/points.parquet"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(centres), folder / "part.0.parquet")
    return path


def write_field(path: Path, image: np.ndarray, masks: Sequence[np.ndarray], study: Study) -> Path:
    """The image (channel, row, column) of a store, and its masks: nuclei and cells."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    ome = {"omero": {"channels": [{"label": name} for name in study.channels]}}
    _write_levels(root, "images/input_image", image, ome)
    for name, mask in zip(MASKS, masks, strict=True):
        _write_levels(root, f"labels/{name}", mask, {})
    return path


def _write_levels(root: zarr.Group, name: str, array: np.ndarray, ome: dict) -> None:
    group = root.require_group(name)
    group.create_array("s0", data=array)
    group.create_array("s1", data=np.ascontiguousarray(array[..., ::2, ::2]))
    levels = [{"path": "s0"}, {"path": "s1"}]
    group.attrs["ome"] = {**ome, "multiscales": [{"datasets": levels}]}
