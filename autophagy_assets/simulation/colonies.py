"""Where the cells of a field lie: U2OS cells grow in colonies of a few to a few dozen cells."""

from __future__ import annotations

import numpy as np

SPACING_PX = (41.0, 7.0)  # mean and sd of the distance between neighbouring nuclei
CLOSEST_PX = 31.0
OUTSIDE_PX = 45.0  # cells just outside reach into the field, as in any real image
COLONY_CELLS = 7.0  # mean
FIRST_COLONY = 5  # fewest cells of the first colony


def place(rng: np.random.Generator, size: int, n_cells: int) -> np.ndarray:
    """Draw nucleus centres.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Side of the field in px.
    n_cells : int
        Cells whose nucleus centre lies in the field.

    Returns
    -------
    numpy.ndarray of shape (n, 2)
        x and y in px; n >= ``n_cells`` because cells around the field are drawn too. Fewer lie
        in the field only when no more fit.

    Notes
    -----
    A colony grows by adding cells beside a random member, so its outline is irregular. The
    first colony starts in the middle half, so that small fields too hold whole cells.
    """
    centres: list[np.ndarray] = []
    inside = failures = 0
    while inside < n_cells and failures < 200:
        low, high = (size * 0.3, size * 0.7) if not centres else (-OUTSIDE_PX, size + OUTSIDE_PX)
        wanted = max(int(rng.geometric(1 / COLONY_CELLS)), 1 if centres else FIRST_COLONY)
        colony = _grow(rng, rng.uniform(low, high, 2), wanted, centres)
        failures += not colony
        for centre in colony:
            if np.all((centre > -OUTSIDE_PX) & (centre < size + OUTSIDE_PX)):
                centres.append(centre)
                inside += bool(np.all((centre >= 0) & (centre < size)))
            if inside == n_cells:
                break
    return np.array(centres).reshape(-1, 2)


def _grow(
    rng: np.random.Generator, start: np.ndarray, wanted: int, others: list[np.ndarray]
) -> list[np.ndarray]:
    """Grow one colony from a start that keeps its distance from all other cells."""
    if not _is_free(start, others):
        return []
    colony = [start]
    axis = rng.uniform(0, np.pi)
    for _ in range(wanted * 6):
        if len(colony) >= wanted:
            break
        # Half of the divisions follow the colony's axis: strands as well as round sheets.
        angle = axis + rng.normal(0, 0.5) + np.pi * rng.integers(2)
        if rng.random() < 0.5:
            angle = rng.uniform(0, 2 * np.pi)
        step = max(rng.normal(*SPACING_PX), CLOSEST_PX)
        mother = colony[rng.integers(len(colony))]
        daughter = mother + step * np.array([np.cos(angle), np.sin(angle)])
        if _is_free(daughter, [*others, *colony]):
            colony.append(daughter)
    return colony


def _is_free(centre: np.ndarray, others: list[np.ndarray]) -> bool:
    """Whether no other nucleus is closer than nuclei come."""
    if not others:
        return True
    return bool(np.min(np.sum((np.array(others) - centre) ** 2, axis=1)) > CLOSEST_PX**2)
