"""Evidence: what the models are worth on cells, fields of view and clones they have not seen."""

import pandas as pd

from autophagy_assets.analysis.evidence.comparison import compare
from autophagy_assets.analysis.evidence.comparison_figures import (
    comparison_picture,
    reliability_picture,
)
from autophagy_assets.analysis.evidence.cross_validation import cross_validate, refusals
from autophagy_assets.analysis.features.tables import OUT_OF_FOLD
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA
from autophagy_assets.assets.definition import control, every, study_asset
from autophagy_assets.staleness.partitions import models

GROUP = "evidence"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=models,
    ins={"model_features": control()},
    labels="control",
    schema=OUT_OF_FOLD,
)
def cross_validation(context, model_features: pd.DataFrame) -> pd.DataFrame:
    """Scores of every control cell by models that have not seen it, its field, or its clone."""
    model = context.study.model(context.partition)
    return cross_validate(model_features, model, context.study)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    ins={
        "cross_validation": every(),
        "model_features": control(columns=[*IDENTITY, CLASS, *METADATA]),
    },
    labels="control",
    title="How good each model is, and on what",
)
def model_comparison(context, cross_validation, model_features: pd.DataFrame) -> Picture:
    """All models on the same folds, from random cells to clones that they have not seen."""
    tables = [cross_validation[model] for model in cross_validation]
    refused = refusals(model_features, context.study)
    table = compare(pd.concat(tables, ignore_index=True), refused)
    return comparison_picture(table, context.study.primary, context.study)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=models,
    labels="control",
    title="Whether scores of {} are probabilities",
)
def score_reliability(context, cross_validation: pd.DataFrame) -> Picture:
    """Share of stimulated cells among cells of about the same score, and the Brier score."""
    return reliability_picture(cross_validation, context.partition, context.study)
