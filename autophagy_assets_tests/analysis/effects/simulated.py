"""Responses of many studies at once, of known variance between clones, fields and cells."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as t_distribution


def mean_responses(
    random: np.random.Generator,
    studies: int,
    clones: int,
    fields: int,
    cells: int,
    sds: tuple[float, float, float],
) -> np.ndarray:
    """Responses of clones, shape (studies, clones): stimulated minus untreated.

    ``sds`` of the responses of clones, of fields of one stimulation, and of cells.
    """
    of_clones, of_fields, of_cells = sds
    # Cells of a field are only looked at through their mean.
    by_field = np.hypot(of_fields, of_cells / np.sqrt(cells))
    means = random.normal(0, by_field, (studies, clones, 2, fields)).mean(axis=-1)
    return random.normal(0, of_clones, (studies, clones)) + means[..., 1] - means[..., 0]


def share_seen(first: np.ndarray, second: np.ndarray, confidence: float = 0.95) -> float:
    """Share of studies whose interval of Welch leaves out 0; arms of shape (studies, clones)."""
    arms = [
        (arm.mean(1), arm.var(1, ddof=1) / arm.shape[1], arm.shape[1]) for arm in (first, second)
    ]
    (mean1, part1, n1), (mean2, part2, n2) = arms
    degrees = (part1 + part2) ** 2 / (part1**2 / (n1 - 1) + part2**2 / (n2 - 1))
    half = t_distribution.ppf((1 + confidence) / 2, degrees) * np.sqrt(part1 + part2)
    return float((np.abs(mean1 - mean2) > half).mean())
