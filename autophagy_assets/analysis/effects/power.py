"""Power of the interval that judges an effect: Welch's t on two arms of a few clones.

Here: how often an interval leaves out 0. Not here: how much clones scatter (``components``), and
what to do next (``replicates``).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.stats import beta, chi2, nct
from scipy.stats import t as t_distribution

MOST_CLONES = 200  # an arm; who would need more needs another experiment
# At which the ratio of the two variances is looked at; of 20,000, power differs by less than 0.001.
_NODES = 100
_CERTAIN = 35.0  # standard errors; beyond that the noncentral t cannot be computed, nor need be


@lru_cache(maxsize=4096)  # a figure asks for what the search for the number of clones has asked
def welch_power(
    difference: float,
    variance: float,
    first: int,
    second: int,
    confidence: float,
    share_of_first: float = 0.5,
) -> float:
    """Chance that Welch's interval leaves out 0.

    Parameters
    ----------
    difference : float
        True difference of the means of the two arms.
    variance : float
        True variance between clones of an arm, the mean of both arms; above 0.
    first, second : int
        Clones of the two arms.
    confidence : float
        Of the interval, between 0 and 1.
    share_of_first : float
        Of the variance of both arms, from 0 to 1; at 0.5 they scatter alike.

    Returns
    -------
    float
        0 where an arm has fewer than two clones: there is no interval then.

    Notes
    -----
    Exact for normal responses. Let u be the share of the first arm in the sum of squares, each
    over its true variance. It is distributed as Beta and independent of the difference and of the
    sum. Given u, Welch's t is a noncentral t with ``first + second - 2`` degrees of freedom times a
    constant, and its critical value, with the degrees of freedom of Satterthwaite, is a constant
    too. So the power is a mean over u, taken at the midpoints of equal parts of its distribution.
    Without u, a noncentral t of all degrees of freedom promises too much of two or three clones.
    """
    if min(first, second) < 2:
        return 0.0
    degrees = first + second - 2
    of_first, of_second = 2 * variance * share_of_first, 2 * variance * (1 - share_of_first)
    error = math.sqrt(of_first / first + of_second / second)
    away = abs(difference) / error
    if away > _CERTAIN:
        return 1.0
    middles = (np.arange(_NODES) + 0.5) / _NODES
    share = beta.ppf(middles, (first - 1) / 2, (second - 1) / 2)
    parts = [
        of_first * share / (first - 1) / first,
        of_second * (1 - share) / (second - 1) / second,
    ]
    spread = parts[0] + parts[1]
    estimated = spread**2 / (parts[0] ** 2 / (first - 1) + parts[1] ** 2 / (second - 1))
    critical = t_distribution.ppf((1 + confidence) / 2, estimated)
    scale = error / np.sqrt(degrees * spread)
    found = nct.sf(critical / scale, degrees, away) + nct.sf(critical / scale, degrees, -away)
    return float(np.clip(found.mean(), 0, 1))


def clones_for(
    difference: float,
    variance: float,
    power: float,
    confidence: float,
    share_of_first: float = 0.5,
) -> int | None:
    """Clones that each of two arms needs for an effect to be seen.

    Parameters
    ----------
    difference : float
        True difference of the means of the two arms; not 0.
    variance, share_of_first : float
        As for `welch_power`; a variance of 0 needs two clones.
    power : float
        Chance that the interval leaves out 0, between 0 and 1.
    confidence : float
        Of the interval.

    Returns
    -------
    int or None
        At least 2; None if 200 are too few.
    """
    if not variance:
        return 2

    def enough(n: int) -> bool:
        return welch_power(difference, variance, n, n, confidence, share_of_first) >= power

    few, many = 1, 2
    while not enough(many):
        few, many = many, 2 * many
        if few >= MOST_CLONES:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many if many <= MOST_CLONES else None


def upper_variance(variance: float, degrees: int, confidence: float) -> float:
    """Upper bound of a variance that was estimated from few clones.

    Parameters
    ----------
    variance : float
        As estimated.
    degrees : int
        Of freedom, at least 1.
    confidence : float
        One-sided: in so many of all studies the true variance lies below the bound.

    Examples
    --------
    >>> round(upper_variance(1.0, 2, 0.8), 2)
    4.48
    """
    return float(variance * degrees / chi2.ppf(1 - confidence, degrees))
