"""A trained model: what it is made of, and its bytes.

Here: the type that is stored, and why its bytes are the same for the same model. Not here:
training and predicting (``classification``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Protocol

import joblib
import numpy as np
from sklearn.base import ClassifierMixin

from autophagy_assets.analysis.classifier.estimators import last_step


class Calibrator(Protocol):
    """Turns scores of an estimator into probabilities."""

    def calibrate(self, scores: np.ndarray) -> np.ndarray:
        """Probability of class 1 for each score."""


@dataclass(frozen=True)
class TrainedClassifier:
    """A fitted model with what is needed to apply and to explain it.

    Attributes
    ----------
    name : str
        Of the model, in the study file.
    estimator : sklearn.base.ClassifierMixin
        The fitted model; has ``predict_proba``.
    feature_names : tuple of str
        Features in the order in which the model expects them.
    classes : tuple of int
        Class numbers in the order of the columns of ``predict_proba``.
    parameters : dict
        Parameters of the model.
    versions : dict of str to str
        Versions of Python, scikit-learn and numpy at training, and of torch where it was used.
    training_data : str
        Version of the training table.
    n_training_cells : dict of int to int
        Number of training cells by class.
    calibrator : Calibrator or None
        Fitted on scores of cells that the estimator had not seen; None for scores as they are.
    threshold : float or None
        A cell is positive if its probability of class 1 is above; None if class 1 is the more
        probable one.
    """

    name: str
    estimator: ClassifierMixin
    feature_names: tuple[str, ...]
    classes: tuple[int, ...]
    parameters: dict[str, Any]
    versions: dict[str, str]
    training_data: str
    n_training_cells: dict[int, int]
    calibrator: Calibrator | None = None
    threshold: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        """State for pickling, without what is left over in memory."""
        _zero_padding(self.estimator)
        return self.__dict__


def dumps(model: TrainedClassifier) -> bytes:
    """Bytes of a model, as ``joblib.dump`` writes them.

    Returns
    -------
    bytes
        Equal for equal models made by ``classification.train``, in this and in another process.
    """
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _zero_padding(estimator: ClassifierMixin) -> None:
    """Set the unused bytes of every tree node to zero, in place; of a model that has trees.

    A node is 57 bytes in a record of 64; scikit-learn stores the other 7 as they happen to be
    in memory, so equal forests would have different bytes. The array is a view of the tree.
    """
    for tree in np.ravel(getattr(last_step(estimator), "estimators_", [])):
        if not hasattr(tree, "tree_"):
            continue
        nodes = tree.tree_.__getstate__()["nodes"]
        used = np.zeros(nodes.dtype.itemsize, dtype=bool)
        for dtype, offset, *_ in (nodes.dtype.fields or {}).values():
            used[offset : offset + dtype.itemsize] = True
        nodes.view(np.uint8).reshape(len(nodes), -1)[:, ~used] = 0
