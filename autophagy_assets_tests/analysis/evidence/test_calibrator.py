"""Calibrators: scores become probabilities, in the same order."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from autophagy_assets.analysis.evidence.calibrator import fit_calibrator
from autophagy_assets.errors import InputError

lists = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=4, max_size=60).filter(
    lambda cells: len({c for _, c in cells}) == 2
)


def _overconfident(n: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores whose log-odds are twice the true ones, with truth."""
    random = np.random.default_rng(1)
    log_odds = random.normal(size=n)
    true = expit(log_odds)
    return expit(2 * log_odds), (random.random(n) < true).astype(int), true


def test_probabilities_are_the_true_ones():
    scores, classes, true = _overconfident()
    found = fit_calibrator(scores, classes).calibrate(scores)
    assert np.abs(found - true).mean() < 0.01
    assert np.abs(scores - true).mean() > 0.1


@settings(max_examples=30, deadline=None)
@given(lists)
def test_order_is_kept_and_probabilities_lie_between_0_and_1(cells):
    scores, classes = map(np.array, zip(*cells, strict=True))
    found = fit_calibrator(scores, classes).calibrate(np.sort(scores))
    assert (np.diff(found) >= 0).all()
    assert (found > 0).all() and (found < 1).all()


def test_classes_that_never_overlap_give_no_certainty():
    found = fit_calibrator([0.0] * 10 + [1.0] * 10, [0] * 10 + [1] * 10)
    assert found.calibrate([0.0, 1.0]) == pytest.approx([1 / 12, 11 / 12], abs=0.001)


def test_scores_the_wrong_way_round_become_the_share_of_class_1():
    found = fit_calibrator([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1])
    assert found.calibrate([0.1, 0.9]) == pytest.approx([0.5, 0.5])


def test_equal_scores_give_equal_bytes():
    scores, classes, _ = _overconfident(500)
    assert pickle.dumps(fit_calibrator(scores, classes)) == pickle.dumps(
        fit_calibrator(scores.copy(), classes.copy())
    )


def test_one_class_cannot_be_calibrated():
    with pytest.raises(InputError, match="one class"):
        fit_calibrator([0.1, 0.2], [0, 0])
