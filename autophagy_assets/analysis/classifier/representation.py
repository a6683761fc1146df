"""Representation of cells by a model: its features, or the embedding of its network."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.classifier.classification import require_features
from autophagy_assets.analysis.classifier.estimators import embedding_of, with_crops
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.estimator import CropClassifier
from autophagy_assets.analysis.identity import is_feature


def represent(
    model: TrainedClassifier, cells: pd.DataFrame, name: str = "cells", crops: Crops | None = None
) -> np.ndarray:
    """Represent cells by the values that the last step of a model uses.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells with the features of the model.
    name : str
        What the reader calls the table.
    crops : Crops, optional
        Of the cells, for a network.

    Returns
    -------
    numpy.ndarray of float, shape (n_cells, n_dimensions)
        Its features as they are; of a network, what goes into its last layer. Of an estimator that
        learns from that, the same and its other features.

    Raises
    ------
    InputError
        If the table lacks features of the model.
    """
    require_features(model, cells, name)
    used = cells[list(model.feature_names)]
    estimator = with_crops(model.estimator, crops)
    if isinstance(estimator, CropClassifier):
        return estimator.embed(used)
    if (embedding := embedding_of(estimator)) is not None:
        used = embedding.transform(used)
    return used.to_numpy(dtype=float)


def describe_representation(model: TrainedClassifier, dimensions: int) -> str:
    """Describe in words what `represent` returns for a model.

    Parameters
    ----------
    dimensions : int
        How many values it has of a cell.
    """
    if isinstance(model.estimator, CropClassifier):
        return f"the {dimensions} values of a cell that go into its last layer"
    if embedding_of(model.estimator) is not None:
        others = sum(map(is_feature, model.feature_names))
        said = f"the {dimensions - others} values of a cell that go into its network's last layer"
        beside = f"{others} features" if others > 1 else "a feature"
        return f"{said}, and {beside}" if others else said
    return f"its {dimensions} features" if dimensions > 1 else "its only feature"
