"""Training part of a fold: which cells a model learns from, and with which class.

Here: what ``labels`` of a model means. Not here: which cells are left out (``evidence.folds``);
they keep their label whatever happens here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.folds import possible_folds, strictest
from autophagy_assets.analysis.evidence.out_of_fold import out_of_fold
from autophagy_assets.analysis.features.sets import features_of
from autophagy_assets.analysis.identity import CLASS, feature_columns
from autophagy_assets.analysis.labels.annotated import with_answers
from autophagy_assets.analysis.labels.confident import suspected
from autophagy_assets.config.models import ANNOTATED, AS_GIVEN, AUDITED, Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError


def training_part(
    cells: pd.DataFrame,
    model: Model,
    study: Study,
    answers: pd.DataFrame | None = None,
    when: str = "",
    crops: Crops | None = None,
) -> pd.DataFrame:
    """Cells that a model is fitted on, with the class that it learns.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells of the control that the model may see: identity, class, metadata and features.
    answers : pandas.DataFrame or None
        What people said of cells, as `annotated.resolved` takes it; needed by a model of annotated
        labels alone.
    when : str
        Which part that is, for messages, such as " when clone 2 is left out".
    crops : Crops, optional
        Of the cells, for a network.

    Returns
    -------
    pandas.DataFrame
        Rows of `cells` with their index: all of them as they are, unless the model's ``labels`` say
        otherwise. It follows from `cells` and from answers about them alone, so a cell that is left
        out has no say in what the model that scores it learns.

    Raises
    ------
    InputError
        If labels cannot be audited, there are too few answers, or a class is left without cells.
    """
    if model.labels == AS_GIVEN:
        return cells
    kept = cells
    if model.labels == AUDITED:
        kept = _without_suspects(cells, model, study, when, crops)
    elif model.labels == ANNOTATED and answers is not None:
        kept = with_answers(cells, answers, study)
    if absent := [
        label for number, label in study.classes.items() if number not in set(kept[CLASS])
    ]:
        raise InputError(
            f"Model {model.name!r} of {model.labels} labels has no cell of {' and '.join(absent)} "
            f"left to learn from{when}: of {len(cells)} cells {len(kept)} are left; look at their "
            "labels, or set labels: as_given."
        )
    return kept


def _without_suspects(
    cells: pd.DataFrame, model: Model, study: Study, when: str, crops: Crops | None
) -> pd.DataFrame:
    """Cells whose label is not suspect, by scores from within these cells alone."""
    possible = possible_folds(cells, study)
    if not possible.folds:
        raise InputError(
            f"Model {model.name!r}: labels cannot be audited{when}. "
            f"{' '.join(possible.refused.values())}"
        )
    parted = possible.folds[strictest(possible.folds)]
    features = cells[features_of(model, feature_columns(cells))]
    classes, number = cells[CLASS].to_numpy(), np.empty(len(cells), dtype=int)
    for place, fold in enumerate(parted):
        number[fold.test] = place
    scores = out_of_fold(model, features, classes, parted, crops=crops)
    return cells[~suspected(classes, scores, number)]
