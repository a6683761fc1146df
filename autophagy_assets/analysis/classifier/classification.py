"""The classifier: split, train, predict.

Here: all that turns features into predictions. Not here: what a stored model is (``model``),
the table of predictions (``predictions``) and how good they are (``evaluation``).
"""

from __future__ import annotations

import io
import platform
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.model_selection import train_test_split

from autophagy_assets.analysis.classifier.estimators import (
    estimator_of,
    features_for,
    libraries_of,
    with_crops,
)
from autophagy_assets.analysis.classifier.model import Calibrator, TrainedClassifier, dumps
from autophagy_assets.analysis.classifier.predictions import POSITIVE, called, predictions
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.features.sets import features_of
from autophagy_assets.analysis.identity import (
    CLASS,
    feature_columns,
    of_classes,
)
from autophagy_assets.config.models import Model
from autophagy_assets.config.sections import Split
from autophagy_assets.config.study import NO_CLASS
from autophagy_assets.errors import InputError

_NAMED = 5


def split_cells(clean: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide cells at random into training and test cells.

    Parameters
    ----------
    clean : pandas.DataFrame, shape (n_cells, n_columns)
        Clean features of the control; those of conditions that are no class are left out.
    split : Split
        Fraction of test cells and random state.

    Returns
    -------
    training, test : pandas.DataFrame
        Every cell of a class is in one of them; rows in the order scikit-learn draws them.

    Raises
    ------
    InputError
        If there is a single class, or too few cells to have some on both sides.

    Notes
    -----
    The split is over cells, as in the reference notebook: cells of one image fall on both
    sides, so the scores say how well other cells of *these* images are told apart.
    """
    clean = of_classes(clean)
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
    cells: pd.DataFrame,
    model: Model,
    training_data: str,
    calibrator: Calibrator | None = None,
    threshold: float | None = None,
    crops: Crops | None = None,
) -> TrainedClassifier:
    """Fit a model.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Training cells; of their features those are used that the model names. Cells of conditions
        that are no class are left out.
    model : Model
        Entry of the study file.
    training_data : str
        Version of the table of `cells`, kept inside the model.
    calibrator, threshold
        As of `TrainedClassifier`.
    crops : Crops, optional
        Of the cells, for a network; not part of the model.

    Returns
    -------
    TrainedClassifier
        Equal cells and parameters give a model with equal bytes (see `dumps`).

    Raises
    ------
    InputError
        If the table breaks the contract of feature tables, has a single class, or none of the
        model's features.
    """
    cells = of_classes(cells)
    check_feature_table(cells, f"of cells that model {model.name!r} is trained on")
    _require_both_classes(cells, "The training cells")
    features = features_of(model, feature_columns(cells))
    estimator = estimator_of(model, crops).fit(cells[features], cells[CLASS])
    numbers = [int(number) for number in estimator.classes_]
    trained = TrainedClassifier(
        name=model.name,
        estimator=estimator,
        feature_names=tuple(features),
        classes=tuple(numbers),
        parameters=_parameters(model),
        versions={
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            **{library: version(library) for library in libraries_of(estimator)},
        },
        training_data=training_data,
        n_training_cells={n: int((cells[CLASS] == n).sum()) for n in numbers},
        calibrator=calibrator,
        threshold=threshold,
    )
    # A pickle says which strings were one object in memory. A round trip forgets those this
    # process happened to share, so that a model loaded and stored again keeps its bytes.
    return joblib.load(io.BytesIO(dumps(trained)))


def predict(
    model: TrainedClassifier, cells: pd.DataFrame, name: str = "cells", crops: Crops | None = None
) -> pd.DataFrame:
    """Predict the class of cells.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells with the features of the model, columns in any order.
    name : str
        What the reader calls the table; named in messages.
    crops : Crops, optional
        Of the cells, for a network.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 11)
        Identity, class, metadata, ``model``, ``predicted_class``, ``prob_class1`` (probability
        of class 1) and ``outcome`` (TP, TN, FP or FN; class 1 is positive; "no class" of a
        condition that is none); rows in the order of `cells`.

    Raises
    ------
    InputError
        If the table breaks its contract, or lacks features of the model.
    """
    check_feature_table(cells, name, (0, 1, NO_CLASS))
    require_features(model, cells, name)
    estimator = with_crops(model.estimator, crops)
    features = features_for(estimator, cells, model.feature_names)
    probabilities = np.asarray(estimator.predict_proba(features))
    scores = probabilities[:, model.classes.index(POSITIVE)]
    if model.calibrator is not None:
        scores = model.calibrator.calibrate(scores)
    if model.threshold is None and model.calibrator is None:
        predicted = np.asarray(model.classes).take(np.argmax(probabilities, axis=1))
    else:
        predicted = called(scores, model.threshold)
    return predictions(cells, model.name, scores, predicted)


def _parameters(model: Model) -> dict[str, Any]:
    """Parameters of a model, with those of the network that it looks through."""
    found = model.parameters.model_dump()
    return found if model.network is None else found | {"network": model.network.model_dump()}


def _require_both_classes(cells: pd.DataFrame, what: str) -> None:
    found = sorted(set(cells[CLASS]))
    if len(found) < 2:
        held = f"only class {found[0]}" if found else "no class at all"
        raise InputError(
            f"{what} have a single class ({held}, {len(cells)} cells): a classifier needs cells "
            "of both; add fields of view of the other stimulation."
        )


def require_features(model: TrainedClassifier, cells: pd.DataFrame, name: str) -> None:
    """Refuse a table that lacks features of a model; names them."""
    found = set(cells.columns)
    if lacking := [feature for feature in model.feature_names if feature not in found]:
        raise InputError(
            f"The features of {name} are not those that model {model.name!r} was trained on: the "
            f"table lacks {_first(lacking)}; clean it with the same study file, or train again."
        )


def _first(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
