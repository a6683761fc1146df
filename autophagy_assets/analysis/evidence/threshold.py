"""Threshold: from which score on a cell is called positive."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from autophagy_assets.errors import InputError


def threshold_at(scores: ArrayLike, rate: float | None) -> float | None:
    """Smallest threshold that at most a share of the cells exceeds.

    Parameters
    ----------
    scores : array-like of float, shape (n_cells,)
        Out-of-fold scores of untreated cells of the control.
    rate : float or None
        The share of them that may be positive, between 0 and 1.

    Returns
    -------
    float or None
        The smallest threshold such that the share of scores above it is at most `rate`; a cell is
        positive if its score is above it. None for None.

    Raises
    ------
    InputError
        If there are no scores.

    Examples
    --------
    >>> threshold_at([0.1, 0.2, 0.3, 0.9], 0.25)
    0.3
    """
    if rate is None:
        return None
    falling = np.sort(np.asarray(scores, dtype=float))[::-1]
    n = len(falling)
    if not n:
        raise InputError(
            f"A threshold for a false-positive rate of {rate:g} needs untreated cells of the "
            "control, and there are none: add fields of view of them."
        )
    # In whole cells, and by the same division as whoever counts them: 0.35 of 20 cells is 7.
    allowed = max(k for k in range(min(int(rate * n) + 2, n)) if k / n <= rate)
    return float(falling[allowed])
