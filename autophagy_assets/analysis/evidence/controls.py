"""Negative controls: what else tells the classes apart, without the biology or without the truth.

Each is measured on the folds of the model and with its estimator. Here: all of them in one table.
Not here: each one (``shortcuts``, ``altered_data``), how crops are made for them (``background``),
and how they are drawn (``controls_figures``).
"""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.evidence.altered_data import (
    PERMUTED,
    SWAPPED,
    with_background_swapped,
    with_labels_permuted,
)
from autophagy_assets.analysis.evidence.cross_validation import (
    MODEL,
    SCHEME,
    control_cells,
)
from autophagy_assets.analysis.evidence.folds import strictest
from autophagy_assets.analysis.evidence.shortcuts import (
    BACKGROUND,
    BETTER,
    IN_UNITS,
    NUISANCE,
    on_background,
    on_background_in_units,
    on_nuisance,
)
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

COLUMNS = [
    MODEL, "control", SCHEME, "n_cells", "auc", "low", "high", "reference", "flagged", "sentence",
]  # fmt: skip


def negative_controls(
    cells: pd.DataFrame,
    model: Model,
    study: Study,
    cross_validation: pd.DataFrame,
    background: pd.DataFrame | None = None,
    swapped: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure what else could tell the classes apart as well as a model does.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class, metadata and features of all sets.
    cross_validation : pandas.DataFrame
        As `cross_validate` gives it for the model.
    background : pandas.DataFrame, optional
        Columns of `cells`, a row by patch of the background without a cell.
    swapped : pandas.DataFrame, optional
        Columns of `cells`, a row by cell whose background was replaced by that of another image.

    Returns
    -------
    pandas.DataFrame
        A row by control and scheme: ``model``, ``control``, ``scheme``, ``n_cells``, ``auc``,
        ``low`` and ``high`` (range of the permutations), ``reference`` (AUC of the model in that
        scheme), ``flagged`` and ``sentence``. A control that is not possible has one row, without
        scheme and numbers, whose sentence says why.

    Notes
    -----
    *Nuisance*: nucleus and cell channel, areas, and how many cells the image has. *Background*: the
    model's features of patches without a cell; and those in units of the image, within each clone,
    which say whether the images differ in staining even where the model does not use units.
    *Swapped background*: the model scores crops with another background. *Permuted labels*: see
    ``permutation``; in the strictest scheme only. Of a network on crops, a forest measures the
    nuisance and the background in units; the others have a sentence that says why there is no
    number.

    A control without biology is flagged if it has at least four fifths of what the model has above
    guessing: (auc - 0.5) / (reference - 0.5). A fixed distance of AUC would flag nothing of a model
    near 1 and everything of one near 0.5. With the background swapped the model is flagged if it
    keeps less than that.
    """
    control = control_cells(cells, study)
    of_model = cross_validation[cross_validation[MODEL] == model.name]
    rows: list[dict] = []
    for name, found in (
        (NUISANCE, lambda: on_nuisance(control, model, study, of_model)),
        (BACKGROUND, lambda: on_background(background, model, study, of_model)),
        (IN_UNITS, lambda: on_background_in_units(background, model, study, of_model)),
        (SWAPPED, lambda: with_background_swapped(swapped, control, model, study, of_model)),
        (PERMUTED, lambda: with_labels_permuted(control, model, study, of_model)),
    ):
        try:
            rows += list(found())
        except InputError as error:
            rows.append({"control": name, SCHEME: "", "n_cells": 0, "sentence": str(error)})
    table = pd.DataFrame(rows, columns=COLUMNS).assign(**{MODEL: model.name})
    table["flagged"] = table["flagged"].eq(True)
    numbers = ["auc", "low", "high", "reference"]
    return table.astype(dict.fromkeys(numbers, float) | {"n_cells": int})


def staining_differs(controls: pd.DataFrame) -> pd.Series:
    """Whether a row says that images differ in staining, and less than the model tells apart.

    The model may use features in units or not, which the sentence of the row says.

    Parameters
    ----------
    controls : pandas.DataFrame
        As `negative_controls` gives it.

    Returns
    -------
    pandas.Series of bool
    """
    in_units = controls["control"] == IN_UNITS
    return in_units & (controls["auc"] >= BETTER) & ~controls["flagged"]


def cautions(controls: pd.DataFrame) -> list[str]:
    """Sentences against a model, by the strictest scheme of each negative control.

    Parameters
    ----------
    controls : pandas.DataFrame
        As `negative_controls` gives it.

    Returns
    -------
    list of str
        Sentences of flagged controls, and of a difference in staining.
    """
    strict = in_strictest(controls)
    return list(strict.loc[strict["flagged"] | staining_differs(strict), "sentence"])


def in_strictest(controls: pd.DataFrame) -> pd.DataFrame:
    """Rows of the strictest scheme of each negative control, which decides.

    Parameters
    ----------
    controls : pandas.DataFrame
        As `negative_controls` gives it.

    Returns
    -------
    pandas.DataFrame
        Without controls that were not possible.
    """
    measured = controls[controls[SCHEME] != ""]
    by_control = measured.groupby([MODEL, "control"], sort=False)[SCHEME]
    return measured[measured[SCHEME] == by_control.transform(strictest)]
