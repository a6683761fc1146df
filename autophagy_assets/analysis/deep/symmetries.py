"""Symmetries of a square: a cell has no up and no left."""

from __future__ import annotations

import numpy as np

SYMMETRIES = 8


def turned(crops: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Turn and mirror each crop by one of the eight symmetries of a square.

    Parameters
    ----------
    crops : numpy.ndarray, shape (n, channels, size, size)

    Returns
    -------
    numpy.ndarray, shape (n, channels, size, size)
        No pixel is interpolated.
    """
    found = np.empty_like(crops)
    for place, symmetry in enumerate(random.integers(SYMMETRIES, size=len(crops))):
        found[place] = symmetric(crops[place], int(symmetry))
    return found


def symmetric(crop: np.ndarray, symmetry: int) -> np.ndarray:
    """One of the eight symmetries of a square.

    Parameters
    ----------
    crop : numpy.ndarray, shape (..., size, size)
    symmetry : int
        From 0, which leaves the crop as it is, to 7; from 4 on it is mirrored.
    """
    quarter = np.rot90(crop, symmetry % 4, axes=(-2, -1))
    return np.flip(quarter, -1) if symmetry >= SYMMETRIES // 2 else quarter
