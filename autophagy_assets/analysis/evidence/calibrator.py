"""Calibrator: turns scores of a model into probabilities.

It is fitted on scores of cells that the model had not seen; on its own training cells a forest is
nearly always sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from autophagy_assets.errors import InputError

_NEAREST = 0.001  # to 0 and to 1: a forest of trees says 0 and 1, which have no logit


@dataclass(frozen=True)
class Calibrator:
    """A sigmoid that turns a score into a probability.

    Attributes
    ----------
    slope, intercept : float
        The log-odds of class 1 are ``slope * logit(score) + intercept``. The slope is not
        negative: cells keep their order.
    """

    slope: float
    intercept: float

    def calibrate(self, scores: ArrayLike) -> np.ndarray:
        """Probabilities of class 1.

        Parameters
        ----------
        scores : array-like of float, shape (n_cells,)
            Between 0 and 1, as ``predict_proba`` gives them.

        Returns
        -------
        numpy.ndarray of float, shape (n_cells,)
        """
        return expit(self.slope * _log_odds(scores) + self.intercept)


def fit_calibrator(scores: ArrayLike, classes: ArrayLike) -> Calibrator:
    """Fit a calibrator.

    Parameters
    ----------
    scores : array-like of float, shape (n_cells,)
        Out-of-fold scores.
    classes : array-like of int, shape (n_cells,)
        0 or 1.

    Raises
    ------
    InputError
        If a class is absent.

    Notes
    -----
    The method of Platt [1]_: a logistic regression on the log-odds of the score, towards targets a
    little inside 0 and 1, so that classes that never overlap give no infinite slope. Where the
    scores rank the classes the wrong way round the slope is 0, and every cell gets the share of
    class 1. Isotonic regression is not offered: its steps follow single clones where there are
    few, and it makes ties, at which no false-positive rate can be set.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines, in: Advances in Large
       Margin Classifiers, MIT Press.
    """
    positive = np.asarray(classes) == 1
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        raise InputError(
            f"Scores of {n1 + n0} cells of one class cannot be calibrated; both classes are needed."
        )
    target = np.where(positive, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    x = _log_odds(scores)
    # Each cell is there as both classes, weighted: a target between 0 and 1 for scikit-learn.
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(
        np.concatenate([x, x])[:, None],
        np.repeat([1, 0], len(x)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope < 0:
        return Calibrator(0.0, float(logit(target.mean())))
    return Calibrator(slope, intercept)


def _log_odds(scores: ArrayLike) -> np.ndarray:
    return logit(np.clip(np.asarray(scores, dtype=float), _NEAREST, 1 - _NEAREST))
