"""Response curve: the positive share of every clone from one stimulation to the next."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import pandas as pd

from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE, measure
from autophagy_assets.analysis.effects.scored_cells import Predictions, of_model, scored_cells
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study

PLACE = "place"


def response_curve(
    cross_validation: pd.DataFrame,
    conditions: Predictions,
    knockouts: Iterable[Predictions],
    model: Model,
    study: Study,
) -> tuple[pd.DataFrame, float]:
    """Measure every clone and every field of view along the stimulations of the study.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Of the model, as ``cross_validate`` gives it.
    conditions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Predictions of the control's cells of conditions that are no class; may be empty.
    knockouts : iterable of (pandas.DataFrame or mapping of str to pandas.DataFrame)
        Predictions of the cells of each knockout; one is looked at after the other.
    study : Study
        Orders the stimulations.

    Returns
    -------
    table : pandas.DataFrame
        Rows of ``responses.measure`` of the positive share, with ``place``: the number of the
        stimulation in the study file, from 0 for the untreated one. The control comes first, then
        knockouts, clones and places in order. Stimulations that the study does not have are left
        out.
    threshold : float
        A cell is positive if its probability is above it.
    """
    control, threshold = scored_cells(cross_validation, model, conditions)
    scored = (of_model(table, model.name) for table in knockouts)
    tables = chain([control], (cells for cells in scored if len(cells)))
    measured = pd.concat([measure(cells, threshold) for cells in tables], ignore_index=True)
    places = {label: number for number, label in enumerate(study.stimulations)}
    known = measured["stimulation"].isin(places) & (measured["measure"] == POSITIVE_SHARE)
    table = measured[known].assign(**{PLACE: measured["stimulation"].map(places)})
    table = table.astype({PLACE: "int64"}).assign(knockout=table["genotype"] != study.control)
    by = ["knockout", "genotype", "clone", "level", "fov", PLACE]
    return table.sort_values(by, ignore_index=True).drop(columns="knockout"), threshold
