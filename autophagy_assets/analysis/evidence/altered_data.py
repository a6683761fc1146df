"""Negative controls on altered data: the model with swapped background, or permuted labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.comparison import auc_of, reference_of
from autophagy_assets.analysis.evidence.cross_validation import RAW, SCHEME
from autophagy_assets.analysis.evidence.folds import SCHEMES, possible_folds, strictest
from autophagy_assets.analysis.evidence.out_of_fold import out_of_fold
from autophagy_assets.analysis.evidence.permutation import permuted
from autophagy_assets.analysis.evidence.shortcuts import BETTER, NEARLY
from autophagy_assets.analysis.features.sets import features_of
from autophagy_assets.analysis.identity import CLASS, IDENTITY, feature_columns
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

PERMUTED, SWAPPED = "permuted labels", "swapped background"
_CHANCE = 0.05


def with_background_swapped(
    swapped: pd.DataFrame | None,
    control: pd.DataFrame,
    model: Model,
    study: Study,
    of_model: pd.DataFrame,
) -> Iterator[dict]:
    """Score the model on cells whose background is that of another image.

    Parameters
    ----------
    swapped : pandas.DataFrame or None
        A row by cell, joined by identity; None gives nothing.
    control : pandas.DataFrame
        Cells of the control with their own background, as `control_cells` gives them.
    of_model : pandas.DataFrame
        Rows of `cross_validate` of the model.

    Yields
    ------
    dict
        A row of `negative_controls`.

    Raises
    ------
    InputError
        If it is not possible.
    """
    if swapped is None:
        return
    if model.network_used is not None:
        raise InputError(
            f"Model {model.name} looks at the pixels of cells, and cells with another background "
            "are kept as numbers: what it makes of them is not measured."
        )
    features = features_of(model, feature_columns(control))
    if swapped.empty:
        raise InputError(
            "No background was swapped: LaminDB has no segmented field of view of the control, or "
            "none of another class with room between its cells."
        )
    if not set(features) <= set(swapped.columns):
        raise InputError(
            f"Cells with another background are measured by features of the marker alone, and "
            f"model {model.name} uses others."
        )
    other = control[IDENTITY].merge(swapped[[*IDENTITY, *features]], on=IDENTITY, how="left")
    there = other[features].notna().all(axis=1).to_numpy()
    if len(set(control[CLASS][there])) < 2:
        raise InputError(
            "The background was not swapped in cells of both classes; nothing can be said of it."
        )
    classes = control[CLASS].to_numpy()
    for scheme, parted in possible_folds(control, study).folds.items():
        parts = [fold._replace(test=fold.test[there[fold.test]]) for fold in parted]
        scores = out_of_fold(model, control[features], classes, parts, other[features])
        own = of_model[of_model[SCHEME] == scheme].merge(control[IDENTITY][there], on=IDENTITY)
        reference = auc_of(own[CLASS], own[RAW])
        auc = auc_of(classes[there], scores[there])
        lost = reference >= BETTER and auc - 0.5 < NEARLY * (reference - 0.5)
        said = (
            f"With the background of another image model {model.name} tells the classes apart "
            f"with an AUC of {auc:.2f}, against {reference:.2f} with their own ({scheme}, "
            f"{there.sum()} cells)"
        )
        yield {
            "control": SWAPPED, SCHEME: scheme, "n_cells": int(there.sum()), "auc": auc,
            "reference": reference, "flagged": lost,
            "sentence": f"{said}: it relies on the background." if lost else f"{said}.",
        }  # fmt: skip


def with_labels_permuted(
    control: pd.DataFrame, model: Model, study: Study, of_model: pd.DataFrame
) -> Iterator[dict]:
    """Score the model with permuted labels, in the strictest scheme.

    Parameters
    ----------
    control : pandas.DataFrame
        Cells of the control, as `control_cells` gives them.
    of_model : pandas.DataFrame
        Rows of `cross_validate` of the model.

    Yields
    ------
    dict
        A row of `negative_controls`.

    Raises
    ------
    InputError
        If it is not possible.
    """
    if model.network_used is not None:
        raise InputError(
            f"Labels were not permuted for model {model.name}: it would have to be trained again "
            f"for each of {study.cross_validation.permutations} arrangements and every fold. That "
            "it has learned more than chance is not tested; see what models of features do on the "
            "same folds."
        )
    schemes = [scheme for scheme in SCHEMES if (of_model[SCHEME] == scheme).any()]
    scheme = strictest(schemes)
    reference = reference_of(of_model, scheme)
    features = control[features_of(model, feature_columns(control))]
    parted = possible_folds(control, study).folds[scheme]

    def auc(classes: np.ndarray) -> float:
        return auc_of(classes, out_of_fold(model, features, classes, parted))

    found = permuted(control, parted, study, auc)
    reached = int((found.aucs >= reference).sum())
    # The truth is one of the arrangements: without it a p of 0.1 would pass for one of 0.05.
    flagged = bool(reached) and reached + 1 > _CHANCE * (len(found.aucs) + 1)
    said = (
        f"With the classes of images exchanged within clones, {reached} of {len(found.aucs)} "
        f"arrangements (of {found.possible} that there are) reach the AUC of {reference:.2f} of "
        f"model {model.name}; half of them stay below {np.median(found.aucs):.2f} ({scheme})"
    )
    if len(found.aucs) < 1 / _CHANCE - 1:
        said += "; so few cannot rule out chance"
    yield {
        "control": PERMUTED, SCHEME: scheme, "n_cells": len(control),
        "auc": float(np.median(found.aucs)), "low": float(found.aucs.min()),
        "high": float(found.aucs.max()), "reference": reference, "flagged": flagged,
        "sentence": f"{said}. What it has learned may be chance." if flagged else f"{said}.",
    }  # fmt: skip
