"""Estimators of scikit-learn that a study file can name."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autophagy_assets.config.models import RANDOM_FOREST, Model


def estimator_of(model: Model) -> ClassifierMixin:
    """An estimator that is not fitted yet.

    Returns
    -------
    sklearn.base.ClassifierMixin
        Has ``predict_proba``.
    """
    parameters = model.parameters.model_dump()
    if model.estimator == RANDOM_FOREST:
        return RandomForestClassifier(**parameters)
    if model.estimator == "histogram_gradient_boosting":
        return HistGradientBoostingClassifier(**parameters)
    return make_pipeline(StandardScaler(), LogisticRegression(**parameters))
