"""Estimators that a study file can name: scikit-learn's, and networks with its interface.

Where an estimator learns from what a network sees, both are the steps of one pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.embedding import CropEmbedding
from autophagy_assets.analysis.deep.estimator import CropClassifier
from autophagy_assets.config.estimators import CNN, RANDOM_FOREST
from autophagy_assets.config.models import Model


def estimator_of(model: Model, crops: Crops | None = None) -> ClassifierMixin:
    """Create an unfitted estimator.

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
    steps: list[Any]
    if model.estimator == RANDOM_FOREST:
        steps = [RandomForestClassifier(**parameters)]
    elif model.estimator == "histogram_gradient_boosting":
        steps = [HistGradientBoostingClassifier(**parameters)]
    else:
        steps = [StandardScaler(), LogisticRegression(**parameters)]
    if model.network is not None:
        network = CropClassifier(model.name, model.network.model_dump(), crops)
        steps = [CropEmbedding(network), *steps]
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def features_for(
    estimator: ClassifierMixin, cells: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """Lay out features in memory as an estimator reads them fastest; its scores stay the same.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Fits the contract of feature tables.
    names : sequence of str
        Features that the estimator was fitted with.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, n_features)
        For a forest, numbers of the width that it works with, cell after cell.
    """
    if not isinstance(estimator, RandomForestClassifier):
        return cells[list(names)]
    # A table holds feature after feature in memory, and a tree looks at all of one cell.
    rows = np.empty((len(cells), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        rows[:, place] = cells[name]
    return pd.DataFrame(rows, columns=list(names), copy=False)


def embedding_of(estimator: ClassifierMixin) -> CropEmbedding | None:
    """Step of a pipeline that computes the embedding of a network; None where there is none."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else None
    return first if isinstance(first, CropEmbedding) else None


def last_step(estimator: ClassifierMixin) -> Any:
    """Last step of a pipeline, which tells the classes apart, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def libraries_of(estimator: ClassifierMixin) -> tuple[str, ...]:
    """Libraries that an estimator computes with, besides those that all estimators use."""
    network = isinstance(estimator, CropClassifier) or embedding_of(estimator) is not None
    return ("torch",) if network else ()


def with_crops(estimator: ClassifierMixin, crops: Crops | None) -> ClassifierMixin:
    """Give a fitted estimator access to crops, if it needs them.

    Parameters
    ----------
    crops : Crops or None
        A stored network does not hold them.
    """
    if isinstance(estimator, CropClassifier):
        return estimator.with_crops(crops)
    if (embedding := embedding_of(estimator)) is None:
        return estimator
    (name, _), *rest = estimator.steps
    return Pipeline([(name, embedding.with_crops(crops)), *rest])
