"""Statistics of two arms of a few clones, each clone one number."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy.stats import t as t_distribution

_COUNTED = 20_000  # so many arrangements of clones are gone through


def welch_interval(first: np.ndarray, second: np.ndarray, confidence: float) -> tuple[float, float]:
    """Interval of the difference of two means whose spreads may differ.

    Parameters
    ----------
    first, second : numpy.ndarray of float, shape (n_clones,)

    Returns
    -------
    low, high : float
        Of the mean of `first` minus that of `second`; NaN where one of them has one value, or
        neither has any spread: that of two clones that agree by chance is no certainty.
    """
    if min(len(first), len(second)) < 2 or not (np.ptp(first) or np.ptp(second)):
        return float("nan"), float("nan")
    difference = float(first.mean() - second.mean())
    parts = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    degrees = parts.sum() ** 2 / (parts**2 / [len(first) - 1, len(second) - 1]).sum()
    half = float(t_distribution.ppf((1 + confidence) / 2, degrees) * np.sqrt(parts.sum()))
    return difference - half, difference + half


def exact_p(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the ways to deal clones to two arms whose means lie at least as far apart.

    Parameters
    ----------
    first, second : numpy.ndarray of float, shape (n_clones,)

    Returns
    -------
    float
        NaN where there are more than 20,000 ways.
    """
    n, values = len(first), np.concatenate([first, second])
    ways = math.comb(len(values), n)
    if ways > _COUNTED:
        return float("nan")
    chosen = np.array(list(combinations(range(len(values)), n)))
    sums = values[chosen].sum(axis=1)
    distance = np.abs(sums / n - (values.sum() - sums) / len(second))
    seen = abs(first.mean() - second.mean())
    return float((distance >= seen * (1 - 1e-9) - 1e-12).mean())


def smallest_p(first: int, second: int) -> float:
    """Smallest two-sided p of an exact permutation test.

    Parameters
    ----------
    first, second : int
        Clones of the two arms.

    Examples
    --------
    >>> [round(smallest_p(n, n), 3) for n in (2, 3, 4)]
    [0.333, 0.1, 0.029]
    """
    # Arms of one size can be exchanged as a whole, which lies as far apart.
    return min(1.0, (2 if first == second else 1) / math.comb(first + second, first))


def clones_needed(alpha: float) -> int:
    """Clones that each of two arms needs for an exact two-sided p of at most `alpha`.

    Parameters
    ----------
    alpha : float
        Above 0.
    """
    n = 1
    while smallest_p(n, n) > alpha:
        n += 1
    return n
