"""Cross-validation: a score of every cell of the control, from a model that had not seen it.

Not here: which cells are left out together (``folds``), what the scores say (``comparison``), and
what the stored model takes from them (``scoring``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.calibrator import fit_calibrator
from autophagy_assets.analysis.evidence.folds import Fold, possible_folds
from autophagy_assets.analysis.evidence.out_of_fold import out_of_fold
from autophagy_assets.analysis.features.sets import PUNCTA, features_of
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    METADATA,
    SCORE,
    feature_columns,
)
from autophagy_assets.analysis.labels.annotated import require_answers
from autophagy_assets.analysis.labels.training import training_part
from autophagy_assets.config.models import ANNOTATED, Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

MODEL, SCHEME, FOLD, RAW = "model", "scheme", "fold", "score"
COLUMNS = [MODEL, SCHEME, FOLD, *IDENTITY, CLASS, *METADATA, RAW, SCORE]


def control_cells(cells: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cells of the control that have a class, in the order of their identities.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class and metadata; other genotypes and stimulations may be among them.

    Returns
    -------
    pandas.DataFrame
        Its index counts from 0.

    Raises
    ------
    InputError
        If there are none.
    """
    kept = (cells["genotype"] == study.control) & cells[CLASS].isin(list(study.classes))
    found = cells[kept.to_numpy()].sort_values([DATASET, CELL_ID], ignore_index=True)
    if found.empty:
        raise InputError(
            f"None of {len(cells)} cells is of the control {study.control!r} and has a class; "
            "check the genotypes and stimulations of the images."
        )
    return found


def refusals(cells: pd.DataFrame, study: Study) -> dict[str, str]:
    """Schemes that the cells do not allow, each with the reason.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        As for `cross_validate`.

    Returns
    -------
    dict of str to str
        A sentence by scheme; a scheme that is possible is not there.
    """
    return possible_folds(control_cells(cells, study), study).refused


def cross_validate(
    cells: pd.DataFrame,
    model: Model,
    study: Study,
    answers: pd.DataFrame | None = None,
    crops: Crops | None = None,
) -> pd.DataFrame:
    """Score every cell of the control by models that were fitted without it.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class, metadata and features of all sets; cells of other genotypes are left out.
    model : Model
        Its features, estimator and whether scores are calibrated.
    study : Study
        Names the control, says how cells are divided.
    answers : pandas.DataFrame, optional
        What people said of cells, for a model of annotated labels (see ``labels.annotated``).
    crops : Crops, optional
        Of the cells, for a network.

    Returns
    -------
    pandas.DataFrame, shape (n_schemes * n_control_cells, 12)
        ``model``, ``scheme``, ``fold`` (what was left out), identity, class, metadata, ``score``
        (of class 1, as the estimator gives it) and ``prob_class1`` (calibrated if the model is),
        and the number of puncta where that is known.
        For each scheme that the cells allow (see `refusals`) every cell once, by identity.

    Raises
    ------
    InputError
        If the cells allow no scheme at all, the model has no features, or its ``labels`` leave it
        nothing to learn from or need more answers than there are.

    Notes
    -----
    Every cell is tested with the class it is labelled with. Which cells of a training part are
    learned from, and as what, the model's ``labels`` say (see ``labels.training``).

    The scores of a fold are calibrated by a `Calibrator` that was fitted on the out-of-fold scores
    of the other folds, so no cell is calibrated by its own class. (The models behind those scores
    did see it; two parameters of a sigmoid can carry next to nothing of that.) The stored model is
    calibrated in the same way, with all folds: see ``scoring``.
    """
    control = control_cells(cells, study)
    possible = possible_folds(control, study)
    if not possible.folds:
        raise InputError(
            f"Model {model.name!r} cannot be cross-validated. {' '.join(possible.refused.values())}"
        )
    if model.labels == ANNOTATED:
        require_answers(control, answers, model)
    features = control[features_of(model, feature_columns(control))]

    def learned_from(fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        when = f" when {fold.left_out} is left out"
        part = training_part(control.iloc[fold.train], model, study, answers, when, crops)
        return part.index.to_numpy(), part[CLASS].to_numpy()

    classes = control[CLASS].to_numpy()
    parts = []
    for scheme, parted in possible.folds.items():
        puncta = [PUNCTA] if PUNCTA in control.columns else []
        rows = control[[*IDENTITY, CLASS, *METADATA, *puncta]].copy()
        rows[RAW] = out_of_fold(
            model, features, classes, parted, learned_from=learned_from, crops=crops
        )
        rows[FOLD] = ""
        for fold in parted:
            rows.loc[fold.test, FOLD] = fold.left_out
        rows[SCORE] = _calibrated(rows, parted) if model.calibrated else rows[RAW]
        rows[SCHEME], rows[MODEL] = scheme, model.name
        parts.append(rows[[*COLUMNS, *puncta]])
    return pd.concat(parts, ignore_index=True)


def _calibrated(rows: pd.DataFrame, parted: Sequence[Fold]) -> np.ndarray:
    scores, classes = rows[RAW].to_numpy(), rows[CLASS].to_numpy()
    probabilities = np.empty(len(rows))
    for fold in parted:
        calibrator = fit_calibrator(scores[fold.train], classes[fold.train])
        probabilities[fold.test] = calibrator.calibrate(scores[fold.test])
    return probabilities
