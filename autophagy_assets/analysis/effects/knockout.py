"""The effect of a knockout, from the scores of its cells and of the control's."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from autophagy_assets.analysis.effects.components import components_of
from autophagy_assets.analysis.effects.effect import Effect, effect_of, effects_table
from autophagy_assets.analysis.effects.replicates import pilot_from, replicate_plan
from autophagy_assets.analysis.effects.responses import (
    MEAN_PROBABILITY,
    POSITIVE_SHARE,
    cell_values,
    measure,
    responses,
)
from autophagy_assets.analysis.effects.robustness import (
    robustness_sentence,
    scores_by_scheme,
    specifications,
)
from autophagy_assets.analysis.effects.scored_cells import (
    Predictions,
    of_model,
    puncta_of,
    scored_cells,
)
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, MODEL
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError


def measured_effect(
    cross_validation: pd.DataFrame,
    predictions: Predictions,
    conditions: Predictions,
    model: Model,
    study: Study,
) -> tuple[pd.DataFrame, Effect, pd.DataFrame]:
    """Measure how a knockout responds to the stimulation, against the control.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Of the model, as ``cross_validate`` gives it.
    predictions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Of the knockout's cells; those of other models are left out.
    conditions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Predictions of the control's cells of conditions that are no class; may be empty.

    Returns
    -------
    measured : pandas.DataFrame
        As ``responses.measure`` gives it: positive share, mean probability and, where it is known,
        puncta per cell, of each clone and field of view under each stimulation.
    effect : Effect
        Of the knockout on the response of the positive share.
    effects : pandas.DataFrame
        As ``effects_table`` gives it, of every stimulation and measure; ``level`` is "difference".
    """
    rows = of_model(predictions, model.name)
    name = str(rows["genotype"].iloc[0])
    cells, threshold = scored_cells(cross_validation, model, conditions, {model.name: rows})
    measured = measure(cells, threshold, puncta_of(cells))
    found = responses(measured, study)
    effect = effect_of(found, name, study.classes[1], POSITIVE_SHARE, study)
    return measured, effect, effects_table(found, name, study).assign(level="difference")


def every_specification(
    cross_validations: Mapping[str, pd.DataFrame], predictions: Predictions, study: Study
) -> pd.DataFrame:
    """Measure the effect of a knockout with every model, scheme, measure and threshold.

    Parameters
    ----------
    cross_validations : mapping of str to pandas.DataFrame
        By model, as ``cross_validate`` gives them.
    predictions : pandas.DataFrame or mapping of str to pandas.DataFrame
        Of the knockout's cells; a model that has none is left out. Those of one model are looked
        at after the other.

    Returns
    -------
    pandas.DataFrame
        As ``specifications`` gives it, with a ``sentence`` that sums it up.

    Raises
    ------
    InputError
        If no model has scores of both, or an arm has no response.
    """
    in_table = isinstance(predictions, pd.DataFrame)
    there = list(predictions[MODEL].unique() if in_table else predictions)
    known = [name for name in cross_validations if name in there]
    if not known:
        raise InputError("No model has scores of both the control and the knockout.")
    scores = (
        scored
        for name in known
        for scored in scores_by_scheme(
            cross_validations[name], of_model(predictions, name), study.model(name)
        )
    )
    first = cross_validations[known[0]]
    one = first[first["scheme"] == first["scheme"].iloc[0]]
    others = of_model(predictions, there[0])
    name = str(others["genotype"].iloc[0])
    kept = [*IDENTITY, CLASS, *METADATA, PUNCTA]
    cells = [part[[c for c in kept if c in part]] for part in (one, others)]
    cells = pd.concat(cells, ignore_index=True)
    table = specifications(scores, name, study.classes[1], study, cells, puncta_of(cells))
    return table.assign(sentence=robustness_sentence(table, name, study))


def planned_replicates(
    cross_validation: pd.DataFrame,
    predictions: Predictions,
    model: Model,
    study: Study,
) -> pd.DataFrame:
    """Plan how many clones would show the effect of a knockout on the stimulation that is class 1.

    Parameters
    ----------
    cross_validation, predictions, model
        As for `measured_effect`.

    Returns
    -------
    pandas.DataFrame
        As ``replicate_plan`` gives it, of every measure that both arms have and that a plan can be
        made of.

    Raises
    ------
    InputError
        If there is no plan for the positive share.
    """
    rows = of_model(predictions, model.name)
    name, stimulation = str(rows["genotype"].iloc[0]), study.classes[1]
    cells, threshold = scored_cells(cross_validation, model, {model.name: rows})
    features = puncta_of(cells)
    values, measured = cell_values(cells, threshold, features), measure(cells, threshold, features)
    found = responses(measured, study)
    plans = []
    for one in (POSITIVE_SHARE, MEAN_PROBABILITY, *features):
        try:
            effect = effect_of(found, name, stimulation, one, study)
            components = components_of(values, measured, name, stimulation, one, study)
            plans.append(replicate_plan(pilot_from(effect, components)))
        except InputError:
            if one == POSITIVE_SHARE:
                raise
    return pd.concat(plans, ignore_index=True)
