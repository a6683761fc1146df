"""What the stored model takes from out-of-fold scores."""

from __future__ import annotations

import numpy as np
import pytest

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, RANDOM
from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()
CELLS = measured_cells(STUDY, biology=1.5)


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_stored_threshold_keeps_the_rate_among_untreated_cells_of_the_strictest_scheme(
    calibrated,
):
    model = forest(calibrated=calibrated, false_positive_rate=0.05)
    found = cross_validate(CELLS, model, STUDY)
    scoring = scoring_of(found, model)
    rows = found[(found["scheme"] == CLONE) & (found[CLASS] == 0)]
    probability = rows["score"]
    if calibrated:
        probability = scoring.calibrator.calibrate(probability)
    assert scoring.scheme == CLONE
    assert 0 < np.mean(probability > scoring.threshold) <= 0.05


def test_a_model_without_a_rate_has_no_threshold():
    model = forest(calibrated=False, false_positive_rate=None)
    scoring = scoring_of(cross_validate(CELLS, model, STUDY), model)
    assert scoring.threshold is None and scoring.calibrator is None
    assert scoring.positive_above == 0.5


def test_cells_are_scored_as_the_stored_model_would():
    model = forest()
    found = cross_validate(CELLS, model, STUDY)
    rows = scored_as_stored(found, model, RANDOM)
    assert sorted(map(tuple, rows[IDENTITY].values)) == sorted(map(tuple, CELLS[IDENTITY].values))
    expected = scoring_of(found, model).calibrator.calibrate(rows["score"])
    np.testing.assert_array_equal(rows["prob_class1"], expected)


def test_a_model_that_was_not_cross_validated_is_named():
    with pytest.raises(InputError, match="'other' has not been"):
        scoring_of(cross_validate(CELLS, forest(), STUDY), forest(name="other"))
