"""The classifier: split, train, predict.

Here: all that turns clean features into predictions. Not here: what a stored model is
(``model``) and how good its predictions are (``evaluation``).
"""

from __future__ import annotations

import io
import platform
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from autophagy_assets.analysis.classifier.model import TrainedClassifier, dumps
from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.identity import (
    CLASS,
    IDENTITY,
    METADATA,
    OUTCOME,
    PREDICTED,
    SCORE,
    feature_columns,
)
from autophagy_assets.config.study import ClassifierParameters, Split
from autophagy_assets.errors import InputError

POSITIVE = 1
_NAMED = 5


def split_cells(clean: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide cells at random into training and test cells.

    Parameters
    ----------
    clean : pandas.DataFrame, shape (n_cells, n_columns)
        Clean features of the control.
    split : Split
        Fraction of test cells and random state.

    Returns
    -------
    training, test : pandas.DataFrame
        Every cell is in one of them; rows in the order scikit-learn draws them.

    Raises
    ------
    InputError
        If there is a single class, or too few cells to have some on both sides.

    Notes
    -----
    The split is over cells, as in the reference notebook: cells of one image fall on both
    sides, so the scores say how well other cells of *these* images are told apart.
    """
    _require_both_classes(clean, "The control's cells")
    try:
        training, test = train_test_split(
            clean, test_size=split.test_size, random_state=split.random_state
        )
    except ValueError as error:
        raise InputError(
            f"{len(clean)} cells are too few for test_size {split.test_size}: add fields of view "
            "or change test_size of the study."
        ) from error
    return training.reset_index(drop=True), test.reset_index(drop=True)


def train(
    training: pd.DataFrame, parameters: ClassifierParameters, training_data: str
) -> TrainedClassifier:
    """Fit the forest.

    Parameters
    ----------
    training, parameters, training_data
        As for `fit`; parameters of the forest.

    Returns
    -------
    TrainedClassifier
    """
    forest = RandomForestClassifier(**parameters.model_dump())
    return fit(forest, training, parameters.model_dump(), training_data)


def fit(
    classifier: ClassifierMixin,
    training: pd.DataFrame,
    parameters: Mapping[str, Any],
    training_data: str,
) -> TrainedClassifier:
    """Fit a classifier of scikit-learn.

    Parameters
    ----------
    classifier : sklearn.base.ClassifierMixin
        Has ``predict_proba``; not fitted yet.
    training : pandas.DataFrame, shape (n_cells, n_columns)
        Training cells; every feature column is used.
    parameters : mapping
        Of the classifier, kept inside the model.
    training_data : str
        Version of `training`, kept inside the model.

    Returns
    -------
    TrainedClassifier
        Equal cells and parameters give a model with equal bytes (see `dumps`).

    Raises
    ------
    InputError
        If the table breaks the contract of feature tables or has a single class.
    """
    check_feature_table(training, "training_cells")
    _require_both_classes(training, "The training cells")
    features = feature_columns(training)
    estimator = classifier.fit(training[features], training[CLASS])
    numbers = [int(number) for number in estimator.classes_]
    model = TrainedClassifier(
        estimator=estimator,
        feature_names=tuple(features),
        classes=tuple(numbers),
        parameters=dict(parameters),
        versions={
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
        training_data=training_data,
        n_training_cells={n: int((training[CLASS] == n).sum()) for n in numbers},
    )
    # A pickle says which strings were one object in memory. A round trip forgets those this
    # process happened to share, so that a model loaded and stored again keeps its bytes.
    return joblib.load(io.BytesIO(dumps(model)))


def predict(model: TrainedClassifier, cells: pd.DataFrame, name: str = "cells") -> pd.DataFrame:
    """Predict the class of cells.

    Parameters
    ----------
    model : TrainedClassifier
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Clean features of the cells, columns in any order.
    name : str
        What the reader calls the table; named in messages.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 10)
        Identity, class, metadata, ``predicted_class``, ``prob_class1`` (probability of
        class 1) and ``outcome`` (TP, TN, FP or FN; class 1 is positive); rows in the order
        of `cells`.

    Raises
    ------
    InputError
        If the table breaks its contract, or its features are not the model's.
    """
    check_feature_table(cells, name)
    _require_features(model, cells, name)
    probabilities = np.asarray(model.estimator.predict_proba(cells[list(model.feature_names)]))
    present = [column for column in METADATA if column in cells.columns]
    predictions = cells[[*IDENTITY, CLASS, *present]].reset_index(drop=True)
    predicted = np.asarray(model.classes).take(np.argmax(probabilities, axis=1))
    predictions[PREDICTED] = predicted.astype("int64")
    predictions[SCORE] = probabilities[:, model.classes.index(POSITIVE)]
    predictions[OUTCOME] = outcomes(predictions[CLASS].to_numpy(), predicted)
    return predictions


def outcomes(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Name the outcome of each prediction.

    Parameters
    ----------
    true, predicted : numpy.ndarray of int, shape (n_cells,)
        Class numbers; class 1 is positive.

    Returns
    -------
    numpy.ndarray of str, shape (n_cells,)
        ``"TP"``, ``"TN"``, ``"FP"`` or ``"FN"``.

    Examples
    --------
    >>> outcomes(np.array([1, 0, 0, 1]), np.array([1, 0, 1, 0])).tolist()
    ['TP', 'TN', 'FP', 'FN']
    """
    right = np.where(np.asarray(true) == np.asarray(predicted), "T", "F")
    sign = np.where(np.asarray(predicted) == POSITIVE, "P", "N")
    return np.char.add(right, sign).astype(object)


def _require_both_classes(cells: pd.DataFrame, what: str) -> None:
    found = sorted(set(cells[CLASS]))
    if len(found) < 2:
        held = f"only class {found[0]}" if found else "no class at all"
        raise InputError(
            f"{what} have a single class ({held}, {len(cells)} cells): a classifier needs cells "
            "of both; add fields of view of the other stimulation."
        )


def _require_features(model: TrainedClassifier, cells: pd.DataFrame, name: str) -> None:
    found = feature_columns(cells)
    wanted = set(model.feature_names)
    problems = {
        "lacks": [feature for feature in model.feature_names if feature not in set(found)],
        "has, unknown to the model,": [feature for feature in found if feature not in wanted],
    }
    listed = [f"{verb} {_first(names)}" for verb, names in problems.items() if names]
    if listed:
        raise InputError(
            f"The features of {name} are not those the classifier was trained on: the table "
            f"{' and '.join(listed)}; clean it with the same study file, or train again."
        )


def _first(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
