"""Predictions for cells that a model has not seen, out of its cross-validation."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.classifier.predictions import called, predictions
from autophagy_assets.analysis.evidence.folds import strictest
from autophagy_assets.analysis.identity import MODEL, SCORE


def unseen_predictions(
    cross_validation: pd.DataFrame, model: str, threshold: float | None
) -> pd.DataFrame:
    """Predictions for the cells of a cross-validation, by the strictest scheme there is.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        As ``cross_validate`` gives it.
    model : str
        Name of the model.
    threshold : float or None
        From which probability on a cell is positive; None for the more probable class.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 11)
        As ``classification.predict`` gives it.
    """
    rows = cross_validation[cross_validation[MODEL] == model]
    rows = rows[rows["scheme"] == strictest(rows["scheme"].unique())]
    scores = rows[SCORE].to_numpy()
    return predictions(rows, model, scores, called(scores, threshold))
