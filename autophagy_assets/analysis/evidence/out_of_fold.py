"""Out-of-fold scores: of each cell by a model that was fitted without it.

Here: fitting and scoring. Not here: which cells are left out together (``folds``), and which of the
others a model learns from (``labels.training``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from threadpoolctl import threadpool_limits

from autophagy_assets.analysis.classifier.estimators import estimator_of, last_step
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.folds import Fold
from autophagy_assets.compute.limits import granted_processors
from autophagy_assets.config.estimators import RANDOM_FOREST
from autophagy_assets.config.models import Model

LearnedFrom = Callable[[Fold], tuple[np.ndarray, np.ndarray]]


def out_of_fold(
    model: Model,
    features: pd.DataFrame,
    classes: np.ndarray,
    parted: Sequence[Fold],
    tested: pd.DataFrame | None = None,
    learned_from: LearnedFrom | None = None,
    crops: Crops | None = None,
) -> np.ndarray:
    """Score cells by models that were fitted without them.

    Parameters
    ----------
    features : pandas.DataFrame, shape (n_cells, n_features)
        Only features that the model uses.
    classes : numpy.ndarray of int, shape (n_cells,)
    parted : sequence of Fold
        Positions in `features`; each training part holds both classes.
    tested : pandas.DataFrame, shape (n_cells, n_features), optional
        The same cells measured in another way, to be scored in place of `features`.
    learned_from : callable, optional
        Gives of a fold the positions of the cells that its model is fitted on, and their classes;
        default its training part with `classes`.
    crops : Crops, optional
        Of the cells, for a network.

    Returns
    -------
    numpy.ndarray of float, shape (n_cells,)
        Score of class 1; NaN for a cell that no fold leaves out.
    """
    scored = features if tested is None else tested
    scores = np.full(len(features), np.nan)
    # Threads that wait for each other cost more than they save on tables of this size.
    with threadpool_limits(1):
        for fold in parted:
            at, learned = learned_from(fold) if learned_from else (fold.train, classes[fold.train])
            fitted = _fitted(model, features.iloc[at], learned, crops)
            scores[fold.test] = fitted.predict_proba(scored.iloc[fold.test])[:, 1]
    return scores


def _fitted(
    model: Model, features: pd.DataFrame, classes: np.ndarray, crops: Crops | None
) -> ClassifierMixin:
    """Fit a model on all processors; the same model as on one."""
    estimator: Any = estimator_of(model, crops)
    if model.estimator != RANDOM_FOREST:
        return estimator.fit(features, classes)
    forest = last_step(estimator)
    forest.set_params(n_jobs=max(1, int(granted_processors())))
    estimator.fit(features, classes)
    # Trees are added up in the order in which threads come, which changes the last digits.
    forest.set_params(n_jobs=None)
    return estimator
