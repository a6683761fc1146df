"""Scoring: what the stored model takes from out-of-fold scores, its calibrator and threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from autophagy_assets.analysis.evidence.calibrator import Calibrator, fit_calibrator
from autophagy_assets.analysis.evidence.cross_validation import MODEL, RAW, SCHEME
from autophagy_assets.analysis.evidence.folds import strictest
from autophagy_assets.analysis.evidence.threshold import threshold_at
from autophagy_assets.analysis.identity import CLASS, SCORE
from autophagy_assets.config.models import Model
from autophagy_assets.errors import InputError


@dataclass(frozen=True)
class Scoring:
    """Calibrator and threshold of a stored model.

    Attributes
    ----------
    scheme : str
        The scheme whose out-of-fold scores it is from: the strictest one.
    calibrator : Calibrator or None
        None: the score is the probability.
    threshold : float or None
        A cell is positive if its probability (calibrated, if there is a calibrator) is above it.
        None: if class 1 is the more probable one.
    """

    scheme: str
    calibrator: Calibrator | None
    threshold: float | None

    @property
    def positive_above(self) -> float:
        """Probability above which a cell is positive, also where there is no threshold."""
        return 0.5 if self.threshold is None else self.threshold

    def probabilities(self, scores: ArrayLike) -> np.ndarray:
        """Probabilities of class 1.

        Parameters
        ----------
        scores : array-like of float, shape (n_cells,)
            As the estimator gives them.

        Returns
        -------
        numpy.ndarray of float, shape (n_cells,)
        """
        if self.calibrator is None:
            return np.asarray(scores, dtype=float)
        return self.calibrator.calibrate(scores)


def scoring_of(cross_validation: pd.DataFrame, model: Model) -> Scoring:
    """Calibrator and threshold of the stored model, from the strictest scheme there is.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        As `cross_validate` gives it; rows of other models are left out.

    Returns
    -------
    Scoring
        Of all out-of-fold scores of that scheme.

    Raises
    ------
    InputError
        If there are no rows of the model.
    """
    rows = cross_validation[cross_validation[MODEL] == model.name]
    if rows.empty:
        raise InputError(f"Model {model.name!r} has not been cross-validated; materialize that.")
    scheme = strictest(rows[SCHEME].unique())
    rows = rows[rows[SCHEME] == scheme]
    calibrator = fit_calibrator(rows[RAW], rows[CLASS]) if model.calibrated else None
    scoring = Scoring(scheme, calibrator, None)
    untreated = scoring.probabilities(rows.loc[rows[CLASS] == 0, RAW])
    return replace(scoring, threshold=threshold_at(untreated, model.false_positive_rate))


def scored_as_stored(cross_validation: pd.DataFrame, model: Model, scheme: str) -> pd.DataFrame:
    """Cells of the control with their out-of-fold scores on the scale of the stored model.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        As `cross_validate` gives it.
    scheme : str
        Which out-of-fold scores.

    Returns
    -------
    pandas.DataFrame
        Columns as given; ``prob_class1`` can be held against the stored model's threshold, and
        against its probabilities of other cells.
    """
    scoring = scoring_of(cross_validation, model)
    kept = (cross_validation[MODEL] == model.name) & (cross_validation[SCHEME] == scheme)
    rows = cross_validation[kept]
    return rows.assign(**{SCORE: scoring.probabilities(rows[RAW])}).reset_index(drop=True)
