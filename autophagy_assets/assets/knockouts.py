"""Knockouts: what the control's classifier says about cells of every other genotype."""

import pandas as pd

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import confusion_picture
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.features.tables import PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.staleness.partitions import knockouts

GROUP = "knockouts"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=knockouts,
    schema=PREDICTIONS,
)
def ko_predictions(
    context, autophagy_classifier: TrainedClassifier, clean_features: pd.DataFrame
) -> pd.DataFrame:
    """Predictions for the cells of a knockout: class, probability of class 1, outcome."""
    name = f"clean_features[{context.partition}]"
    return classification.predict(autophagy_classifier, clean_features, name)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=knockouts,
    title="What it says of {}",
)
def ko_evaluation(context, ko_predictions: pd.DataFrame) -> Picture:
    """Confusion matrix of a knockout's cells, as a figure and as a table."""
    title = f"{ko_predictions['genotype'].iloc[0]} cells"
    return confusion_picture(evaluate(ko_predictions), context.study, title)
