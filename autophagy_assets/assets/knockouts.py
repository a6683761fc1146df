"""Knockouts: what the models of the control say about cells of every other genotype."""

import pandas as pd

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import confusion_pictures
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.features.tables import PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import of_conditions
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import control, every, study_asset
from autophagy_assets.staleness.partitions import knockouts

GROUP = "knockouts"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=knockouts,
    ins={"autophagy_classifier": every()},
    schema=PREDICTIONS,
)
def ko_predictions(context, autophagy_classifier, model_features: pd.DataFrame) -> pd.DataFrame:
    """Predictions of each model for the cells of a knockout: class, probability, outcome.

    Of stimulations that are no class too, whose outcome is "no class".
    """
    name = f"model_features[{context.partition}]"
    models = (autophagy_classifier[model] for model in autophagy_classifier)
    crops = crops_of(context, model_features)
    tables = [classification.predict(model, model_features, name, crops) for model in models]
    return pd.concat(tables, ignore_index=True)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    ins={"autophagy_classifier": every(), "model_features": control()},
    labels="control",
    schema=PREDICTIONS,
)
def condition_predictions(
    context, autophagy_classifier, model_features: pd.DataFrame
) -> pd.DataFrame:
    """Predictions of each model for control cells of stimulations that are no class.

    No model was trained on them. Empty where the study has no such conditions.
    """
    cells = of_conditions(model_features)
    if cells.empty:
        return no_predictions(cells)
    models = (autophagy_classifier[model] for model in autophagy_classifier)
    crops = crops_of(context, cells)
    tables = [classification.predict(model, cells, "model_features", crops) for model in models]
    return pd.concat(tables, ignore_index=True)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=knockouts,
    title="What the models call cells of {}",
)
def ko_evaluation(context, ko_predictions: pd.DataFrame) -> Picture:
    """What each model calls a knockout's cells, as a figure and as a table."""
    title = f"{ko_predictions['genotype'].iloc[0]} cells"
    return confusion_pictures(evaluate(ko_predictions), context.study, title)
