"""Classifier of crops with the interface of scikit-learn: fit, predict_proba, and embed.

In place of features it takes who the cells are, and reads their crops a batch at a time.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from autophagy_assets.analysis.deep.applying import Read, applied
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.deep.early_stopping import set_aside
from autophagy_assets.analysis.deep.training import train
from autophagy_assets.analysis.deep.weights import read_weights
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.config.estimators import ConvolutionalNetwork
from autophagy_assets.errors import InputError


class CropClassifier(ClassifierMixin, BaseEstimator):
    """A convolutional network on crops of cells.

    Parameters
    ----------
    name : str
        Of the model, for messages.
    parameters : dict
        As of ``ConvolutionalNetwork``.
    crops : Crops, optional
        Where crops are read; not pickled (see `with_crops`).

    Attributes
    ----------
    classes_ : numpy.ndarray of int
        0 and 1.
    channels_ : tuple of str
        That it was trained on.
    size_ : int
        Side of the crops, px.
    weights_ : bytes
        As safetensors; numbers, which nothing has to be unpickled for.
    epochs_ : int
        After so many the weights were best; 0 for weights that were brought.
    n_aside_ : int
        Training cells that said when to stop, and were not learned from.
    """

    def __init__(self, name: str, parameters: dict[str, Any], crops: Crops | None = None) -> None:
        self.name = name
        self.parameters = parameters
        self.crops = crops

    def fit(self, cells: pd.DataFrame, classes: Any) -> CropClassifier:
        """Train the network, or take the weights that the parameters name.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Identity and metadata, rows in any order. The network sees pixels; clone, field of view
            and stimulation say which cells can be set aside (see ``early_stopping``).
        classes : array-like of int, shape (n_cells,)
            0 or 1.

        Raises
        ------
        InputError
            If crops are missing or too small, the training diverges, or weights that are brought
            are not those that the parameters name.

        Notes
        -----
        Weights that are brought are applied as they are, in every fold. What a fold leaves out is
        then unseen only if the weights come from other cells: of weights that were trained on cells
        of this study the schemes say nothing about new cells, and are equal but for the cells that
        they pool. Calibration and threshold are still from other cells than those they score.
        """
        given, crops = ConvolutionalNetwork.model_validate(self.parameters), self._crops()
        numbers = np.asarray(classes, dtype="int64")
        order = _by_identity(cells)
        cells, numbers = cells.iloc[order].reset_index(drop=True), numbers[order]
        self.classes_ = np.array([0, 1])
        self.channels_ = crops.channels(given.channels)
        self.size_ = crops.read(cells.head(1), self.channels_, given.masked).shape[-1]
        if given.weights is not None:
            self.weights_, self.epochs_ = read_weights(given.weights, self.name), 0
            self.n_aside_ = 0
            self.predict_proba(cells.head(1))  # of another architecture: said before it is stored
            return self
        aside = set_aside(cells, numbers, given.random_state)
        trained = train(self._read(cells), numbers, aside, given, self._shape, self.name)
        self.weights_, self.epochs_ = trained
        self.n_aside_ = int(aside.sum())
        return self

    def predict_proba(self, cells: pd.DataFrame) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Identity of the cells.

        Returns
        -------
        numpy.ndarray of float, shape (n_cells, 2)
            In the order of `cells`; the same whatever that order is.
        """
        return self._applied(cells, embedded=False)

    def embed(self, cells: pd.DataFrame) -> np.ndarray:
        """Embeddings of cells: the input of the last layer.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n_cells, n_columns)
            Identity of the cells.

        Returns
        -------
        numpy.ndarray of float, shape (n_cells, n_dimensions)
            256 of ``vgg2``, 128 of ``small``.
        """
        return self._applied(cells, embedded=True)

    def with_crops(self, crops: Crops | None) -> CropClassifier:
        """The same classifier, which reads other crops."""
        found = copy.copy(self)
        found.crops = crops
        return found

    def __getstate__(self) -> dict[str, Any]:
        """State for pickling: where crops lie is not part of a model."""
        return super().__getstate__() | {"crops": None}

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.channels_), self.size_

    def _applied(self, cells: pd.DataFrame, embedded: bool) -> np.ndarray:
        given = ConvolutionalNetwork.model_validate(self.parameters)
        order = _by_identity(cells)
        read, name = self._read(cells.iloc[order]), f"The weights of model {self.name!r}"
        found = applied(
            self.weights_, read, len(cells), given, self._shape, name, embedded=embedded
        )
        placed = np.empty_like(found)
        placed[order] = found
        return placed

    def _read(self, cells: pd.DataFrame) -> Read:
        crops, masked = self._crops(), bool(self.parameters.get("masked", True))
        channels, size = self.channels_, self.size_

        def read(places: np.ndarray) -> np.ndarray:
            part = cells.iloc[places]
            found = crops.read(part, channels, masked)
            if found.shape[2:] != (size, size):
                raise InputError(
                    f"Crops of dataset {part[DATASET].iloc[0]!r} are {found.shape[2:]} px, and "
                    f"model {self.name!r} was trained on {size} px: extract all fields with the "
                    "same image_size."
                )
            return found

        return read

    def _crops(self) -> Crops:
        if self.crops is None:
            raise InputError(
                f"Model {self.name!r} learns from the crops of cells and was given none: where it "
                "is used, crops have to be passed on."
            )
        return self.crops


def _by_identity(cells: pd.DataFrame) -> np.ndarray:
    """Positions of cells in the order of their identities."""
    return np.lexsort([cells[CELL_ID].to_numpy(), cells[DATASET].to_numpy(dtype=str)])
