"""Cross-validation: who scores whom, and what the stored model takes from it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from autophagy_assets.analysis.classifier.estimators import estimator_of
from autophagy_assets.analysis.evidence import out_of_fold
from autophagy_assets.analysis.evidence.calibrator import fit_calibrator
from autophagy_assets.analysis.evidence.cross_validation import (
    COLUMNS,
    cross_validate,
    refusals,
)
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, RANDOM, SCHEMES
from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

pytestmark = pytest.mark.slow

STUDY = Study.load()


CELLS = measured_cells(STUDY, biology=1.5)


@cache
def validated() -> pd.DataFrame:
    return cross_validate(CELLS, forest(), STUDY)


def test_every_control_cell_is_scored_once_in_each_scheme():
    assert list(validated().columns) == COLUMNS
    assert list(validated()["scheme"].unique()) == list(SCHEMES)
    for _, rows in validated().groupby("scheme"):
        assert sorted(map(tuple, rows[IDENTITY].values)) == sorted(
            map(tuple, CELLS[IDENTITY].values)
        )
    assert not validated().isna().any().any()


def test_scores_are_those_of_a_forest_fitted_on_the_other_clone():
    ordered = CELLS.sort_values(IDENTITY)
    other, own = (ordered[ordered["clone"] == clone] for clone in ("clone 1", "clone 2"))
    plain = RandomForestClassifier(n_estimators=20, max_depth=10, random_state=42)
    plain.fit(other[["marker_spots_contrast"]], other[CLASS])
    rows = validated()[(validated()["scheme"] == CLONE) & (validated()["fold"] == "clone 2")]
    expected = plain.predict_proba(own[["marker_spots_contrast"]])[:, 1]
    np.testing.assert_allclose(rows["score"], expected, rtol=0, atol=1e-12)


def test_probabilities_of_a_fold_come_from_the_scores_of_the_other_folds():
    rows = validated()[validated()["scheme"] == FIELD]
    own = rows["fold"] == "clone 1, FOV2"
    expected = fit_calibrator(rows.loc[~own, "score"], rows.loc[~own, CLASS])
    np.testing.assert_allclose(
        rows.loc[own, "prob_class1"], expected.calibrate(rows.loc[own, "score"])
    )


def test_without_calibration_the_score_is_the_probability():
    found = cross_validate(CELLS, forest(calibrated=False), STUDY)
    assert (found["score"] == found["prob_class1"]).all()


@pytest.mark.parametrize("estimator", ["logistic_regression", "histogram_gradient_boosting"])
def test_every_estimator_can_be_cross_validated(estimator):
    found = cross_validate(CELLS, forest(estimator=estimator, parameters={}), STUDY)
    assert set(found["scheme"]) == set(SCHEMES)
    assert found["score"].between(0, 1).all()


def test_neither_the_order_of_rows_nor_other_genotypes_change_a_score():
    other = measured_cells(STUDY, genotype="KO", seed=5)
    mixed = np.random.default_rng(0).permutation(len(CELLS) + len(other))
    table = pd.concat([CELLS, other]).iloc[mixed]
    assert cross_validate(table, forest(), STUDY).equals(validated())


def test_one_clone_leaves_out_its_strictest_scheme_and_says_so():
    cells = CELLS[CELLS["clone"] == "clone 1"]
    assert list(cross_validate(cells, forest(), STUDY)["scheme"].unique()) == [RANDOM, FIELD]
    assert list(refusals(cells, STUDY)) == [CLONE]
    assert "clone 1" in refusals(cells, STUDY)[CLONE]


def test_one_class_cannot_be_cross_validated():
    with pytest.raises(InputError, match=r"cannot be cross-validated.*none of 14h Torin-1"):
        cross_validate(CELLS[CELLS[CLASS] == 0], forest(), STUDY)


def test_a_table_without_control_cells_is_refused():
    with pytest.raises(InputError, match="None of 4 cells is of the control 'WT'"):
        cross_validate(CELLS.head(4).assign(genotype="KO"), forest(), STUDY)


def test_it_fits_as_many_models_as_there_are_folds(monkeypatch):
    fits = []
    monkeypatch.setattr(
        out_of_fold, "estimator_of", lambda *given: fits.append(1) or estimator_of(*given)
    )
    cross_validate(CELLS, forest(), STUDY)
    assert len(fits) == 5 + 4 + 2
