"""Negative controls without the biology: whether they tell the classes apart by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.comparison import auc_of, reference_of
from autophagy_assets.analysis.evidence.cross_validation import SCHEME, control_cells
from autophagy_assets.analysis.evidence.folds import RANDOM, possible_folds
from autophagy_assets.analysis.evidence.out_of_fold import out_of_fold
from autophagy_assets.analysis.features.sets import UNITS, features_of, scale_of
from autophagy_assets.analysis.identity import CLASS, FIELD_OF_VIEW, feature_columns
from autophagy_assets.config.estimators import CNN, RANDOM_FOREST, RandomForest
from autophagy_assets.config.models import MARKER, SCPORTRAIT, Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

NUISANCE, BACKGROUND, IN_UNITS = "nuisance alone", "background", "background in units"
DENSITY = "cells_in_image"
NEARLY = 0.8
BETTER = 0.6  # an AUC from here on is no guessing any more, in words
UNUSED = "which uses no feature in units"

_WHAT = {
    NUISANCE: "Nucleus and cell channels, areas and the number of cells of the image, without the "
    "marker,",
    BACKGROUND: "The background, on the model's own features of patches without a cell,",
    IN_UNITS: "The background in units of the image, on patches without a cell,",
}


def on_nuisance(
    control: pd.DataFrame, model: Model, study: Study, of_model: pd.DataFrame
) -> Iterator[dict]:
    """Test whether features without the marker tell the classes apart.

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
    yield from _alone(NUISANCE, _nuisance(control, study), model, study, of_model)


def on_background(
    background: pd.DataFrame | None, model: Model, study: Study, of_model: pd.DataFrame
) -> Iterator[dict]:
    """Test whether patches without a cell tell the classes apart by the model's own features.

    Parameters
    ----------
    background : pandas.DataFrame or None
        A row by patch; None gives nothing.
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
    if background is None:
        return
    patches = _patches(background, study)
    if model.network_used is not None:
        raise InputError(
            f"Model {model.name} looks at the pixels of cells, and patches without a cell are kept "
            "as numbers: whether it relies on the background is not measured."
        )
    if MARKER not in model.feature_sets:
        raise InputError(
            f"Patches without a cell are measured by features of the marker alone, and model "
            f"{model.name} uses none of them."
        )
    features = features_of(model, feature_columns(patches))
    yield from _alone(BACKGROUND, patches, model, study, of_model, features)


def on_background_in_units(
    background: pd.DataFrame | None, model: Model, study: Study, of_model: pd.DataFrame
) -> Iterator[dict]:
    """Whether the images differ in staining: patches without a cell, in units of the image.

    Parameters
    ----------
    background : pandas.DataFrame or None
        A row by patch; None gives nothing.
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

    Notes
    -----
    Clones differ in brightness, too. Where each has both classes, a feature is divided by its
    median over the clone's patches, so that twice the background of untreated images is found also
    in a clone that was left out.
    """
    if background is None:
        return
    patches = _patches(background, study)
    features = [name for name in feature_columns(patches) if scale_of(name) == UNITS]
    if (patches.groupby("clone")[CLASS].nunique() == 2).all():
        medians = patches.groupby("clone")[features].transform("median").abs()
        patches = patches.assign(**(patches[features] / medians.where(medians > 0, 1)))
    used = MARKER in model.feature_sets and not set(features).isdisjoint(
        features_of(model, feature_columns(patches))
    )
    if features:
        yield from _alone(IN_UNITS, patches, model, study, of_model, features, used=used)


def _patches(background: pd.DataFrame, study: Study) -> pd.DataFrame:
    if background.empty:
        raise InputError(
            "There are no patches without a cell: LaminDB has no segmented field of view of the "
            "control, or none has room between its cells."
        )
    return control_cells(background, study)


def _nuisance(control: pd.DataFrame, study: Study) -> pd.DataFrame:
    # Where cells are found by their marker it is that all the same.
    stains = {study.nucleus_channel, study.cytosol_channel} - {study.marker_channel}
    channels = tuple(f"{channel}_" for channel in sorted(stains))
    names = [
        name
        for name in feature_columns(control)
        if name.startswith(channels) or (name.endswith("_area") and scale_of(name) is None)
    ]
    rest = [column for column in control if column not in feature_columns(control)]
    return control[rest + names].assign(**{DENSITY: cells_in_image(control)})


def cells_in_image(cells: pd.DataFrame) -> pd.Series:
    """Count the cells of the field of view of each cell.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class and metadata.

    Returns
    -------
    pandas.Series of float, shape (n_cells,)
    """
    return cells.groupby(FIELD_OF_VIEW)[CLASS].transform("size").astype(float)


def _alone(
    name: str,
    table: pd.DataFrame,
    model: Model,
    study: Study,
    of_model: pd.DataFrame,
    features: list[str] | None = None,
    used: bool = True,
) -> Iterator[dict]:
    """Rows of a control that is a model of its own: fitted and scored on `table`."""
    possible = possible_folds(table, study).folds
    fitted = _on_numbers(model)
    if not possible:
        raise InputError(f"{name.capitalize()} cannot be cross-validated: too few images have it.")
    for scheme, parted in possible.items():
        reference = reference_of(of_model, scheme)
        if np.isnan(reference):
            continue
        chosen = table[features or feature_columns(table)]
        auc = auc_of(table[CLASS], out_of_fold(fitted, chosen, table[CLASS].to_numpy(), parted))
        nearly = auc - 0.5 >= NEARLY * (reference - 0.5)
        yield {
            "control": name, SCHEME: scheme, "n_cells": len(table), "auc": auc,
            "reference": reference, "flagged": nearly and used,
            "sentence": _alone_sentence(
                name, auc, reference, nearly, used, scheme, model, len(table)
            ),
        }  # fmt: skip


def _on_numbers(model: Model) -> Model:
    """A model that is fitted on numbers alone: without its network, or a forest in its place."""
    if model.network_used is None:
        return model
    alone: dict[str, Any] = {"feature_sets": (SCPORTRAIT,), "network": None}
    if model.estimator == CNN:
        alone |= {"estimator": RANDOM_FOREST, "parameters": RandomForest()}
    return model.model_copy(update=alone)


def _alone_sentence(
    name: str, auc: float, reference: float, nearly: bool, used: bool, scheme: str, model: Model,
    n: int,
) -> str:  # fmt: skip
    tells = "does not tell" if auc < BETTER else "tells"
    verb = (
        tells if name != NUISANCE else tells.replace("does not", "do not").replace("tells", "tell")
    )
    unit = "cells" if name == NUISANCE else "patches"
    said = (
        f"{_WHAT[name]} {verb} the classes apart: AUC {auc:.2f} ({scheme}, {n} {unit}), against "
        f"{reference:.2f} of model {model.name}"
    )
    if not used:
        return f"{said}, {UNUSED}: " + (
            "the images differ in staining." if auc >= BETTER else "no difference in staining seen."
        )
    if nearly and auc >= BETTER and scheme == RANDOM:
        return f"{said}. With cells drawn at random it is enough to recognise their image."
    if nearly and auc >= BETTER:
        return f"{said}. It does nearly as well as the model, which may have learned no more."
    return f"{said}. The model does no better." if nearly else f"{said}."
