"""Embeddings of a network as features, for another estimator to learn from.

Not here: the network, how it learns and what it reads (``estimator``).
"""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.estimator import CropClassifier
from autophagy_assets.analysis.identity import feature_columns
from autophagy_assets.config.models import EMBEDDING


class CropEmbedding(TransformerMixin, BaseEstimator):
    """Input of the last layer of a network, as the first step of a pipeline.

    The network is trained on the cells that the pipeline is fitted on, and on no others. So in
    cross-validation it is a new one in each fold, and no cell that is tested had a say in it.

    Parameters
    ----------
    network : CropClassifier
        As it is before it has learned; stays so.

    Attributes
    ----------
    network_ : CropClassifier
        That has learned, or has the weights that were brought.
    """

    def __init__(self, network: CropClassifier) -> None:
        self.network = network

    def fit(self, cells: pd.DataFrame, classes: Any) -> CropEmbedding:
        """Train the network, or take the weights that its parameters name.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Identity and metadata; features may be beside them.
        classes : array-like of int, shape (n_cells,)
            0 or 1.

        Raises
        ------
        InputError
            As ``CropClassifier.fit``.
        """
        self.network_ = self.network.with_crops(self.network.crops).fit(cells, classes)
        return self

    def transform(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Embeddings of cells, and their other features as they are.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Identity of the cells; metadata and features may be beside it.

        Returns
        -------
        pandas.DataFrame, shape (n_cells, n_dimensions + n_features)
            ``cnn_0``, ``cnn_1`` and so on, then the features of `cells`; neither identity nor
            metadata, so what comes next does not learn from labels of images.
        """
        seen = self.network_.embed(cells)
        names = [f"{EMBEDDING}_{number}" for number in range(seen.shape[1])]
        embedded = pd.DataFrame(seen, columns=names, index=cells.index)
        return pd.concat([embedded, cells[feature_columns(cells)]], axis=1)

    def with_crops(self, crops: Crops | None) -> CropEmbedding:
        """The same step, which reads other crops."""
        found = copy.copy(self)
        found.network_ = self.network_.with_crops(crops)
        return found
