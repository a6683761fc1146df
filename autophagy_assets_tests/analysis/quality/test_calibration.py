"""How far an AUC and scores can be trusted, held by laws and by a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from autophagy_assets.analysis.quality import calibration
from autophagy_assets.analysis.quality.calibration import Accepted, auc_error, calibrated, not_below
from autophagy_assets.config.sections import Checks

CHECKS = Checks()


def predictions(n: int = 400, shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Cells whose scores are right as often as they say, unless shifted."""
    random = np.random.default_rng(seed)
    score = random.uniform(size=n)
    true = (random.uniform(size=n) < score).astype(int)
    return pd.DataFrame({"class": true, "prob_class1": np.clip(score + shift, 0, 1)})


def test_the_standard_error_is_the_spread_of_the_auc_over_repeated_samples():
    aucs, errors = [], []
    for seed in range(300):
        cells = predictions(100, seed=seed)
        aucs.append(roc_auc_score(cells["class"], cells["prob_class1"]))
        errors.append(auc_error(cells["class"].to_numpy(), cells["prob_class1"].to_numpy()))
    assert np.mean(errors) == pytest.approx(np.std(aucs), rel=0.15)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=1, max_size=40),
    st.integers(0, 9),
)
def test_the_standard_error_follows_ranks_alone(cells, seed):
    true, scores = (np.array(values) for values in zip(*cells, strict=True))
    error = auc_error(true, scores)
    order = np.random.default_rng(seed).permutation(len(true))
    other = auc_error(true[order], np.exp(scores[order] / 3))
    if min(true.sum(), len(true) - true.sum()) < 2:
        assert np.isnan(error) and np.isnan(other)
    else:
        assert 0 <= error <= 0.75
        assert other == pytest.approx(error)
        assert auc_error(1 - true, -scores) == pytest.approx(error)


def test_better_than_guessing_is_reported_with_the_auc():
    good = calibration.above_chance(0.8, 109, CHECKS)
    assert good.passed
    assert good.sentence == "The AUC on 109 test cells is 0.800, and more than 0.5 is asked."
    for bad in (0.5, 0.31, float("nan")):
        found = calibration.above_chance(bad, 109, CHECKS)
        assert not found.passed and "look at the error galleries" in found.sentence


def compared(last: Accepted | None):
    cells = predictions()
    auc = roc_auc_score(cells["class"], cells["prob_class1"])
    return auc, not_below(cells, auc, last, CHECKS)


def test_the_first_model_is_accepted_and_says_so():
    auc, found = compared(None)
    assert found.passed and found.numbers["auc"] == auc
    assert 0 < float(found.numbers["standard error"]) < 0.05
    assert "no earlier model was accepted" in found.sentence


def test_a_model_a_little_worse_is_accepted_and_one_much_worse_is_not():
    auc, _ = compared(None)
    _, little = compared(Accepted(auc + 0.01, 0.02, "2026-01-01"))
    assert little.passed and "last accepted model (2026-01-01)" in little.sentence
    _, much = compared(Accepted(auc + 0.15, 0.02, "2026-01-01"))
    assert not much.passed and "but it dropped by 0.150: find out" in much.sentence
    assert much.numbers["change since the last accepted"] == pytest.approx(-0.15)


def test_a_better_model_is_always_accepted():
    _, found = compared(Accepted(0.6, 0.001, "2026-01-01"))
    assert found.passed and float(found.numbers["change since the last accepted"]) > 0


def test_an_auc_that_is_not_defined_is_not_accepted():
    cells = predictions().query("`class` == 1")
    found = not_below(cells, float("nan"), None, CHECKS)
    assert not found.passed and "until both classes have test cells" in found.sentence


@pytest.mark.parametrize("n", [30, 100, 1000])
def test_scores_that_are_right_pass_however_few_the_cells(n):
    found = [calibrated(predictions(n, seed=seed), CHECKS) for seed in range(40)]
    assert sum(f.passed for f in found) >= 38
    beyond = [
        float(f.numbers["calibration error"]) - float(f.numbers["calibration error by chance"])
        for f in found
    ]
    assert np.mean(beyond) == pytest.approx(0, abs=0.03)


def test_scores_that_are_too_high_are_reported():
    found = calibrated(predictions(shift=0.3), CHECKS)
    assert not found.passed and "read a score as a rank" in found.sentence
    assert "of 400 test cells" in found.sentence
    assert found.table is not None and found.table["cells"].sum() == 400


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60),
    st.integers(2, 10),
)
def test_every_cell_is_in_one_bin(cells, bins):
    table = calibration.reliability(pd.DataFrame(cells, columns=["class", "prob_class1"]), bins)
    assert table["cells"].sum() == len(cells) and (table["cells"] > 0).all()
    np.testing.assert_allclose(
        (table["share"] * table["cells"]).sum(), sum(true for true, _ in cells), atol=1e-9
    )
