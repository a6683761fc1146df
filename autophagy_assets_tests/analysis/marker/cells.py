"""A made-up cell of which it is known where its puncta are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from scipy import ndimage as ndi

SIDE = 96
RADIUS, NUCLEUS = 36, 12


def masks(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Nucleus and cell: two discs around the middle."""
    rows, columns = np.indices((side, side)) - side // 2
    away = np.hypot(rows, columns)
    return away < NUCLEUS, away < RADIUS


def marker(
    places: Iterable[tuple[int, int]] = (), noise: float = 2.0, seed: int = 0, height: float = 100
) -> np.ndarray:
    """Diffuse marker, brighter over the nucleus, with a spot at each place; 100 outside."""
    nucleus, cell = masks()
    image = 100 + 100 * ndi.gaussian_filter(cell + 0.5 * nucleus, 3.0)
    spots = np.zeros((SIDE, SIDE))
    for row, column in places:
        spots[row, column] += 1
    image += height * ndi.gaussian_filter(spots, 1.0) * 2 * np.pi
    return image + np.random.default_rng(seed).normal(0, noise, image.shape)


def places(n: int, seed: int = 0, apart: float = 5.0) -> list[tuple[int, int]]:
    """Places within the cell that the optics tell apart."""
    random, found = np.random.default_rng(seed), []
    while len(found) < n:
        row, column = random.integers(0, SIDE, 2)
        inside = np.hypot(row - SIDE // 2, column - SIDE // 2) < RADIUS - 6
        if inside and all(np.hypot(row - r, column - c) >= apart for r, c in found):
            found.append((int(row), int(column)))
    return found


def as_crop(image: np.ndarray) -> np.ndarray:
    """Masks and marker as scPortrait stores them: blurred, masked, scaled to 0-1."""
    nucleus, cell = (ndi.gaussian_filter(mask.astype(float), 1.0) for mask in masks())
    masked = image * cell
    low, high = np.quantile(masked, [0.001, 0.999])
    scaled = np.clip((masked - low) / max(high - low, 1e-9), 0, 1)
    return np.stack([nucleus, cell, scaled]).astype(np.float16)


def write_crops(path: Path, crops: Iterable[np.ndarray], channel: str = "mCherry") -> Path:
    """A file of such crops, whose ids start at 1."""
    stack = np.stack(list(crops))
    with h5py.File(path, "w") as file:
        file["obs/scportrait_cell_id"] = np.arange(1, len(stack) + 1, dtype=np.uint64)
        file["obsm/single_cell_images"] = stack
        names = np.array(["seg_all_nucleus", "seg_all_cytosol", channel], dtype=object)
        group = file.create_group("uns/single_cell_images")
        group.create_dataset("channel_names", data=names, dtype=h5py.string_dtype())
    return path
