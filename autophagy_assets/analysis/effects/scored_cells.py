"""Scored cells: those of the control and of knockouts on one scale of probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pandas as pd

from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, MODEL, SCORE
from autophagy_assets.config.models import Model

PUNCTA_PER_CELL = "puncta per cell"
# What is measured of cells, and by what they are told apart.
NEEDED = [*IDENTITY, CLASS, *METADATA, SCORE, PUNCTA]
# Of all models in a table, or in one for each, which may be read when it is asked for.
Predictions: TypeAlias = pd.DataFrame | Mapping[str, pd.DataFrame]


def of_model(predictions: Predictions, model: str) -> pd.DataFrame:
    """Predictions of one model, with the columns of `NEEDED` that there are.

    Returns
    -------
    pandas.DataFrame
        Without rows where there are none of the model.
    """
    if isinstance(predictions, pd.DataFrame):
        found = predictions[(predictions[MODEL] == model).to_numpy()]
    else:
        found = predictions.get(model, pd.DataFrame(columns=NEEDED))
    return found[[name for name in NEEDED if name in found]]


def scored_cells(
    cross_validation: pd.DataFrame, model: Model, *predictions: Predictions
) -> tuple[pd.DataFrame, float]:
    """Collect the scores of cells that a model had not seen.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Of the control's cells of a class, as ``cross_validate`` gives it.
    *predictions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Of cells that no model was trained on: of knockouts, and of the control's conditions that
        are no class. Those of other models are left out.

    Returns
    -------
    cells : pandas.DataFrame
        Identity, class, metadata, ``prob_class1`` and, where it is known, the number of puncta;
        of the control's cells from the strictest scheme.
    threshold : float
        A cell is positive if its probability is above it.
    """
    scoring = scoring_of(cross_validation, model)
    control = scored_as_stored(cross_validation, model, scoring.scheme)
    control = control[[name for name in NEEDED if name in control]]
    others = [of_model(table, model.name) for table in predictions]
    cells = pd.concat([control, *(table for table in others if len(table))], ignore_index=True)
    return cells, scoring.positive_above


def puncta_of(cells: pd.DataFrame) -> dict[str, str]:
    """Column of the number of puncta, by the name of the measure.

    Returns
    -------
    dict of str to str
        Empty where it is not known of every cell.
    """
    known = PUNCTA in cells and cells[PUNCTA].notna().all()
    return {PUNCTA_PER_CELL: PUNCTA} if known else {}
