"""Fetching 36 crops from 1,000 and from 20,000 cells: the ratio, in one run.

Run with ``python benchmarks/galleries.py``. The files have the layout of scPortrait's h5sc: five
channels of 128 x 128 px in half precision, one chunk per image, lzf.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from autophagy_assets.analysis.galleries.crops import fetch_crops
from autophagy_assets.analysis.identity import CELL_ID, DATASET

CHANNELS = ["seg_all_nucleus", "seg_all_cytosol", "DAPI", "Alexa488", "mCherry"]
SIDE, KINDS = 128, 40


def make_file(path: Path, cells: int) -> Path:
    chunks = compressed_cells(path.with_suffix(".pool"))
    with h5py.File(path, "w") as file:
        file["obs/scportrait_cell_id"] = np.arange(1, 2 * cells, 2, dtype=np.uint64)
        images = file.create_dataset(
            "obsm/single_cell_images",
            (cells, len(CHANNELS), SIDE, SIDE),
            dtype=np.float16,
            chunks=(1, 1, SIDE, SIDE),
            compression="lzf",
        )
        for cell in range(cells):
            for channel in range(len(CHANNELS)):
                chunk = chunks[(cell * 7 + channel) % KINDS]
                images.id.write_direct_chunk((cell, channel, 0, 0), chunk)
        group = file.create_group("uns/single_cell_images")
        names = np.array(CHANNELS, dtype=object)
        group.create_dataset("channel_names", data=names, dtype=h5py.string_dtype())
    return path


def compressed_cells(path: Path) -> list[bytes]:
    """Bytes of a few images as the file format stores them: noise inside of a round cell."""
    random = np.random.default_rng(0)
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    with h5py.File(path, "w") as file:
        pool = file.create_dataset(
            "pool", (KINDS, SIDE, SIDE), np.float16, chunks=(1, SIDE, SIDE), compression="lzf"
        )
        for kind in range(KINDS):
            inside = rows**2 + columns**2 < random.integers(20, 45) ** 2
            pool[kind] = inside * random.random((SIDE, SIDE))
        file.flush()
        return [pool.id.read_direct_chunk((kind, 0, 0))[1] for kind in range(KINDS)]


def seconds(path: Path, cells: int, n: int, random: np.random.Generator) -> float:
    wanted = pd.DataFrame({DATASET: "d", CELL_ID: 1 + 2 * random.choice(cells, n, replace=False)})
    start = time.perf_counter()
    fetch_crops(wanted, {"d": path}, CHANNELS[-1])
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs=2, default=[1_000, 20_000])
    parser.add_argument("--crops", type=int, default=36)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--at-most", type=float, default=1.3)
    chosen = parser.parse_args()
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = {n: make_file(Path(folder) / f"{n}.h5ad", n) for n in chosen.cells}
        times: dict[int, list[float]] = {n: [] for n in chosen.cells}
        for repeat in range(chosen.repeats + 3):  # alternating, so that load hits both alike
            for n, path in paths.items():
                taken = seconds(path, n, chosen.crops, random)
                if repeat >= 3:
                    times[n].append(taken)
    small, large = chosen.cells
    medians = {n: statistics.median(values) for n, values in times.items()}
    ratio = medians[large] / medians[small]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    for n, median in medians.items():
        low, high = np.quantile(times[n], [0.25, 0.75])
        print(
            f"{chosen.crops} crops from {n:>6,} cells: median {1000 * median:.1f} ms "
            f"(quartiles {1000 * low:.1f}-{1000 * high:.1f}, n = {chosen.repeats})"
        )
    print(f"ratio {ratio:.2f}, at most {chosen.at_most} wanted")
    return int(ratio > chosen.at_most)


if __name__ == "__main__":
    sys.exit(main())
