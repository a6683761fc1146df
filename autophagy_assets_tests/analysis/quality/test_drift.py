"""Samples of one condition are compared with each other, and with nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.quality.drift import differences, drift
from autophagy_assets.config.sections import Checks

CHECKS = Checks()


def cells(n: int = 60, clones: int = 2, conditions: int = 2, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    parts = []
    for condition in range(conditions):
        for clone in range(clones):
            part = pd.DataFrame(random.normal(size=(n, 5)), columns=[f"f{i}" for i in range(5)])
            part = part + 10 * condition  # conditions may differ as they like
            part["stimulation"], part["clone"] = f"condition {condition}", f"clone {clone}"
            part["dataset"], part["fov"] = f"data{condition}{clone}", "FOV1"
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def shifted(by: float, **kwargs: int) -> pd.DataFrame:
    table = cells(**kwargs)
    table.loc[table["dataset"] == "data11", "f3"] += by
    return table


def test_samples_alike_pass_though_conditions_differ():
    found = drift(cells(), "clean_features[WT]", CHECKS)
    assert found.passed and found.numbers["samples compared"] == 4
    assert "5 features were compared between 4 samples of clean_features[WT]" in found.sentence
    assert found.sentence.endswith("up to 1 is taken as usual.")


def test_the_worst_feature_is_named_with_its_sample():
    found = drift(shifted(3), "T", CHECKS)
    assert not found.passed and found.numbers["feature"] == "f3"
    assert found.numbers["largest difference"] == pytest.approx(3, rel=0.25)
    assert "condition 1" in str(found.numbers["sample"])
    assert (
        "f3 differs most, by" in found.sentence and "(n = 60 cells, against 60)" in found.sentence
    )
    assert "compare staining, exposure and focus" in found.sentence


def test_a_shift_that_may_be_chance_in_few_cells_passes():
    table = shifted(1.2, n=4, seed=3)
    found = drift(table, "T", Checks(drift_min_cells=2))
    assert found.passed and float(found.numbers["largest difference"]) > 1
    assert found.sentence.endswith("with so few cells it may be chance.")


def test_small_samples_are_left_out():
    found = drift(cells(n=10), "T", CHECKS)
    assert found.passed and found.numbers == {"samples compared": 0}
    assert "no condition with two samples of 20 or more cells" in found.sentence


def test_fields_are_compared_where_there_is_a_single_clone():
    table = shifted(5).assign(clone="unknown")
    table["dataset"] += (np.arange(len(table)) % 2).astype(str)
    found = drift(table, "T", Checks(drift_min_cells=5))
    assert str(found.numbers["sample"]).startswith("field data") and not found.passed
    assert found.numbers["samples compared"] == 8


def test_a_feature_without_any_spread_is_judged_all_the_same():
    constant = cells().assign(f0=1.0)
    assert drift(constant, "T", CHECKS).passed
    constant.loc[constant["clone"] == "clone 1", "f0"] = 2.0
    found = drift(constant, "T", CHECKS)
    assert not found.passed and found.numbers["feature"] == "f0"
    assert np.isfinite(float(found.numbers["largest difference"]))


@settings(max_examples=25)
@given(
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
    seed=st.integers(0, 5),
)
def test_units_and_the_order_of_cells_do_not_matter(scale, offset, seed):
    table = shifted(1, n=30, seed=seed)
    other = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    other[["f1", "f3"]] = other[["f1", "f3"]] * scale + offset
    first, second = (differences(t, 20).set_index(["sample", "feature"]) for t in (table, other))
    first, second = (
        d.set_index("stimulation", append=True)["difference"].sort_index() for d in (first, second)
    )
    np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), rtol=1e-4, atol=1e-6)
