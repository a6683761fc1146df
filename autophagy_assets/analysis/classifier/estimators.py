"""Estimators that a study file can name: scikit-learn's, and networks with its interface."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.estimator import CropClassifier
from autophagy_assets.config.estimators import CNN, RANDOM_FOREST
from autophagy_assets.config.models import Model


def estimator_of(model: Model, crops: Crops | None = None) -> ClassifierMixin:
    """An estimator that is not fitted yet.

    Parameters
    ----------
    crops : Crops, optional
        Where a network reads the crops of cells; others do not look at it.

    Returns
    -------
    sklearn.base.ClassifierMixin
        Has ``predict_proba``.
    """
    parameters = model.parameters.model_dump()
    if model.estimator == CNN:
        return CropClassifier(model.name, parameters, crops)
    if model.estimator == RANDOM_FOREST:
        return RandomForestClassifier(**parameters)
    if model.estimator == "histogram_gradient_boosting":
        return HistGradientBoostingClassifier(**parameters)
    return make_pipeline(StandardScaler(), LogisticRegression(**parameters))


def libraries_of(estimator: ClassifierMixin) -> tuple[str, ...]:
    """Libraries that compute for an estimator, besides those that compute for every one."""
    return ("torch",) if isinstance(estimator, CropClassifier) else ()


def with_crops(estimator: ClassifierMixin, crops: Crops | None) -> ClassifierMixin:
    """A fitted estimator that knows where crops are, where it needs them.

    Parameters
    ----------
    crops : Crops or None
        A stored network does not hold them.
    """
    return estimator.with_crops(crops) if isinstance(estimator, CropClassifier) else estimator
