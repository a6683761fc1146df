"""Power of Welch's interval: that of simulated studies, of two clones as of twelve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nct
from scipy.stats import t as t_distribution

from autophagy_assets.analysis.effects.clone_statistics import welch_interval
from autophagy_assets.analysis.effects.power import (
    MOST_CLONES,
    clones_for,
    upper_variance,
    welch_power,
)
from autophagy_assets_tests.analysis.effects.simulated import share_seen


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [(2, 2, 0.0), (2, 2, 3.0), (2, 2, 10.0), (2, 5, 3.0), (3, 3, 2.0), (8, 3, 1.5), (12, 12, 1.0)],
)
def test_the_power_is_that_of_simulated_studies(first: int, second: int, difference: float) -> None:
    random = np.random.default_rng(first)
    arms = random.normal(difference, 1, (10_000, first)), random.normal(0, 1, (10_000, second))
    seen = share_seen(*arms)
    assert welch_power(difference, 1.0, first, second, 0.95) == pytest.approx(seen, abs=0.02)


def test_it_is_what_sas_gives_for_satterthwaites_test_of_unequal_variances() -> None:
    """Its manual: means 132 and 120, sd 12 and 15, 25 each, one-sided at 0.05: 0.924."""
    of_first = 12**2 / (12**2 + 15**2)
    power = welch_power(12.0, (12**2 + 15**2) / 2, 25, 25, 0.9, of_first)
    assert power == pytest.approx(0.924, abs=0.0006)


@pytest.mark.parametrize(("n", "share"), [(2, 1.0), (3, 0.9), (5, 0.0)])
def test_arms_that_scatter_unlike_have_the_power_of_simulated_studies(n: int, share: float) -> None:
    random = np.random.default_rng(n)
    first = random.normal(3, math.sqrt(2 * share), (10_000, n))
    second = random.normal(0, math.sqrt(2 * (1 - share)), (10_000, n))
    power = welch_power(3.0, 1.0, n, n, 0.95, share)
    assert power == pytest.approx(share_seen(first, second), abs=0.02)
    assert power <= welch_power(3.0, 1.0, n, n, 0.95) + 1e-6


def test_the_simulated_test_is_that_of_the_effect() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(2, 1, (100, 3)), random.normal(0, 1, (100, 4))
    intervals = [welch_interval(*arms, 0.95) for arms in zip(first, second, strict=True)]
    assert np.mean([low > 0 or high < 0 for low, high in intervals]) == share_seen(first, second)


def test_a_noncentral_t_alone_would_promise_too_much_of_two_clones() -> None:
    alone = float(nct.sf(t_distribution.ppf(0.975, 2), 2, 3.0))
    assert alone > welch_power(3.0, 1.0, 2, 2, 0.95) + 0.15


def test_of_many_clones_it_is_the_noncentral_t() -> None:
    alone = float(nct.sf(t_distribution.ppf(0.975, 58), 58, 0.6 * math.sqrt(15)))
    assert welch_power(0.6, 1.0, 30, 30, 0.95) == pytest.approx(alone, abs=0.002)


@given(st.floats(0.05, 20), st.floats(0.01, 4), st.integers(2, 20))
def test_power_rises_with_clones_and_effect_and_falls_with_the_variance(
    difference: float, variance: float, n: int
) -> None:
    power = welch_power(difference, variance, n, n, 0.95)
    assert 0 <= power <= 1
    assert welch_power(difference, variance, n + 1, n + 1, 0.95) >= power - 1e-6
    assert welch_power(1.5 * difference, variance, n, n, 0.95) >= power - 1e-6
    assert welch_power(difference, 2 * variance, n, n, 0.95) <= power + 1e-6
    assert welch_power(-difference, variance, n, n, 0.95) == pytest.approx(power)


@given(st.floats(0.2, 5), st.floats(0.05, 2))
def test_as_many_clones_are_enough_and_one_less_is_not(difference: float, variance: float) -> None:
    needed = clones_for(difference, variance, 0.8, 0.95)
    if needed is None:
        assert welch_power(difference, variance, MOST_CLONES, MOST_CLONES, 0.95) < 0.8
        return
    assert welch_power(difference, variance, needed, needed, 0.95) >= 0.8
    assert needed == 2 or welch_power(difference, variance, needed - 1, needed - 1, 0.95) < 0.8


def test_one_clone_has_no_power_and_no_variance_needs_two() -> None:
    assert welch_power(5.0, 1.0, 1, 8, 0.95) == 0
    assert clones_for(0.1, 0.0, 0.8, 0.95) == 2
    assert clones_for(0.001, 1.0, 0.8, 0.95) is None
    assert welch_power(1.0, 1e-9, 2, 2, 0.95) == 1


@pytest.mark.parametrize("degrees", [1, 2, 6])
def test_four_of_five_studies_have_their_variance_below_the_bound(degrees: int) -> None:
    estimates = np.random.default_rng(0).chisquare(degrees, 20_000) / degrees
    below = np.mean([upper_variance(one, degrees, 0.8) > 1 for one in estimates[:4000]])
    assert below == pytest.approx(0.8, abs=0.02)
