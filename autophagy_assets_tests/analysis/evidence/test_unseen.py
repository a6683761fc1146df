"""Predictions out of a cross-validation are those of the stored model for cells left out."""

from __future__ import annotations

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE
from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.identity import IDENTITY, SCORE
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()


def test_every_cell_is_predicted_once_by_the_strictest_scheme_and_its_threshold():
    cells, model = measured_cells(STUDY, cells=20, biology=1.5), forest()
    scores = cross_validate(cells, model, STUDY)
    found = unseen_predictions(scores, model)
    stored = scored_as_stored(scores, model, CLONE)
    assert found[IDENTITY].equals(stored[IDENTITY]) and found[SCORE].equals(stored[SCORE])
    assert len(found) == len(cells) and not found.duplicated(IDENTITY).any()
    untreated = found[found["class"] == 0]
    assert (untreated["predicted_class"] == 1).mean() <= model.false_positive_rate
    above = found[SCORE] > scoring_of(scores, model).threshold
    assert found["predicted_class"].tolist() == above.astype(int).tolist()


def test_without_a_rate_the_more_probable_class_is_taken():
    cells = measured_cells(STUDY, cells=10)
    model = forest(false_positive_rate=None, calibrated=False)
    found = unseen_predictions(cross_validate(cells, model, STUDY), model)
    assert found["predicted_class"].tolist() == (found[SCORE] > 0.5).astype(int).tolist()
