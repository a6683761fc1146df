"""Predictions for cells that a model has not seen, from its cross-validation."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.classifier.predictions import called, predictions
from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
from autophagy_assets.analysis.identity import SCORE
from autophagy_assets.config.models import Model


def unseen_predictions(cross_validation: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Predictions for the cells of a cross-validation, by the strictest scheme there is.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        As ``cross_validate`` gives it.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 11)
        As ``classification.predict`` gives it, with the calibrator and the threshold of the stored
        model; rows in the order of the cross-validation.
    """
    scoring = scoring_of(cross_validation, model)
    rows = scored_as_stored(cross_validation, model, scoring.scheme)
    scores = rows[SCORE].to_numpy()
    return predictions(rows, model.name, scores, called(scores, scoring.threshold))
