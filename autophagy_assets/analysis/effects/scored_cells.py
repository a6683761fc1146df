"""Scored cells: those of the control and of knockouts on one scale of probabilities."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.identity import MODEL
from autophagy_assets.config.models import Model

PUNCTA_PER_CELL = "puncta per cell"


def scored_cells(
    cross_validation: pd.DataFrame, model: Model, *predictions: pd.DataFrame
) -> tuple[pd.DataFrame, float]:
    """Put together the scores that models gave to cells that they had not seen.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Of the control's cells of a class, as ``cross_validate`` gives it.
    model : Model
    *predictions : pandas.DataFrame
        Of cells that no model was trained on: of knockouts, and of the control's conditions that
        are no class. Those of other models are left out.

    Returns
    -------
    cells : pandas.DataFrame
        Identity, class, metadata and ``prob_class1``, of the control's cells from the strictest
        scheme.
    threshold : float
        A cell is positive if its probability is above it.
    """
    scoring = scoring_of(cross_validation, model)
    control = scored_as_stored(cross_validation, model, scoring.scheme)
    others = [table[table[MODEL] == model.name] for table in predictions]
    cells = pd.concat([control, *(table for table in others if len(table))], ignore_index=True)
    return cells, scoring.positive_above


def puncta_of(cells: pd.DataFrame) -> dict[str, str]:
    """Column of the number of puncta, by what it is called.

    Parameters
    ----------
    cells : pandas.DataFrame

    Returns
    -------
    dict of str to str
        Empty where it is not known of every cell.
    """
    known = PUNCTA in cells and cells[PUNCTA].notna().all()
    return {PUNCTA_PER_CELL: PUNCTA} if known else {}
