"""Effects: what a knockout does to the response, and how that depends on the measurement."""

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from autophagy_assets.analysis.effects.curve import response_curve as curve_of
from autophagy_assets.analysis.effects.curve_figures import curve_picture
from autophagy_assets.analysis.effects.effect_figures import effect_picture
from autophagy_assets.analysis.effects.knockout import (
    every_specification,
    measured_effect,
    planned_replicates,
)
from autophagy_assets.analysis.effects.not_measured import sentence_picture
from autophagy_assets.analysis.effects.replicates_figures import replicate_picture
from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE
from autophagy_assets.analysis.effects.robustness_figures import robustness_picture
from autophagy_assets.analysis.effects.scored_cells import NEEDED
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import MODEL
from autophagy_assets.analysis.left_out import noted
from autophagy_assets.assets.definition import every, in_pieces, study_asset
from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.base import Partitions
from autophagy_assets.io_managers.parquet import PIECES
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.io_managers.stored_tables import ByValue
from autophagy_assets.staleness.partitions import knockouts

GROUP = "effects"
FROM_MODELS = {"cross_validation": every()}
OF_KNOCKOUT = {**FROM_MODELS, "ko_predictions": in_pieces()}


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scipy", "matplotlib"},
    partitions=knockouts,
    ins={**OF_KNOCKOUT, "condition_predictions": in_pieces()},
    title="What {} does to the response",
)
def knockout_effect(context, ko_predictions, condition_predictions, cross_validation) -> Picture:
    """Response of each clone of a knockout and of the control, and the difference with interval.

    Drawn for the stimulation that is class 1; the table has every stimulation.
    """
    model, predictions = context.study.model(context.study.primary), by_model(ko_predictions)
    knockout = genotype_in(ko_predictions)
    try:
        scores = of_primary(cross_validation, predictions, model.name)
        measured, effect, effects = measured_effect(
            scores, predictions, by_model(condition_predictions), model, context.study
        )
    except InputError as error:  # such as a knockout that was not stimulated; the rest goes on
        return sentence_picture(f"Response of {knockout}", str(error))
    picture = effect_picture(measured, effect, context.study)
    return replace(picture, table=pd.concat([measured, effects], ignore_index=True))


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scipy", "matplotlib"},
    partitions=knockouts,
    ins=OF_KNOCKOUT,
    title="Effect of {} in every way of measuring it",
)
def effect_robustness(context, ko_predictions, cross_validation) -> Picture:
    """The effect of a knockout under every model, scheme, measure and threshold, sorted."""
    predictions, knockout = by_model(ko_predictions), genotype_in(ko_predictions)
    try:
        table = every_specification(cross_validation, predictions, context.study)
    except InputError as error:
        return sentence_picture(f"Effect of {knockout} in every way of measuring it", str(error))
    picture = robustness_picture(table, knockout, context.study.classes[1], context.study)
    known, reason = set(table[MODEL]), "it has no scores of the knockout"
    unknown = {name: reason for name in cross_validation if name not in known}
    return noted(picture, unknown | cross_validation.left_out)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scipy", "matplotlib"},
    partitions=knockouts,
    ins=OF_KNOCKOUT,
    title="Clones needed to show the effect of {}",
)
def replicate_plan(context, ko_predictions, cross_validation) -> Picture:
    """Clones that would show the effect of a knockout, and whether more fields or cells help."""
    model, predictions = context.study.model(context.study.primary), by_model(ko_predictions)
    knockout = genotype_in(ko_predictions)
    try:
        scores = of_primary(cross_validation, predictions, model.name)
        table = planned_replicates(scores, predictions, model, context.study)
    except InputError as error:
        return sentence_picture(f"Clones that would show what {knockout} does", str(error))
    return replicate_picture(table, POSITIVE_SHARE)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib"},
    ins={
        **FROM_MODELS,
        "condition_predictions": in_pieces(),
        "ko_predictions": every(**{PIECES: True}),
    },
    title="Response along the stimulations",
)
def response_curve(context, cross_validation, condition_predictions, ko_predictions) -> Picture:
    """Positive share of each clone, of the control and the knockouts, under every stimulation.

    In the order of the study file. A study without conditions has its two classes alone.
    """
    model = context.study.model(context.study.primary)
    conditions = by_model(condition_predictions)
    others = [by_model(ko_predictions[name]) for name in ko_predictions]
    there = {name for predictions in (conditions, *others) for name in predictions}
    try:
        scores = of_primary(cross_validation, there, model.name)
    except InputError as error:
        return sentence_picture("Response from one condition to the next", str(error))
    table, threshold = curve_of(scores, conditions, others, model, context.study)
    return curve_picture(table, threshold, context.study)


def by_model(predictions: StoredTable) -> ByValue:
    """Predictions of each model, read on access."""
    return ByValue(predictions, MODEL, NEEDED)


def genotype_in(predictions: StoredTable) -> str:
    """Genotype of the cells of a table."""
    return next(predictions.pieces(["genotype"], only=[0]))["genotype"].iloc[0]


def of_primary(
    cross_validation: Partitions, predicted: Collection[str], model: str
) -> pd.DataFrame:
    """Cross-validated scores of the primary model.

    Parameters
    ----------
    predicted : collection of str
        Models that have predicted other cells; where there are any, this one has to be among them.

    Raises
    ------
    InputError
        If the model could not be made.
    """
    if model in cross_validation and (not predicted or model in predicted):
        return cross_validation[model]
    reason = cross_validation.left_out.get(model, "its predictions are missing; see the status")
    raise InputError(f"Model {model} leads, and could not be made: {reason.rstrip('.')}.")
