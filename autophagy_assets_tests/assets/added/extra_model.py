"""A figure of every model and one of every knockout, as a lab would add them: this module alone.

``test_extra_model`` lets the platform find it among its own modules.
"""

import pandas as pd

from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import confusion_pictures
from autophagy_assets.analysis.features.tables import PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.staleness.partitions import knockouts, models

GROUP = "sure_cells"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    partitions=models,
    labels="control",
    schema=PREDICTIONS,
)
def sure_predictions(context, test_predictions: pd.DataFrame) -> pd.DataFrame:
    """Control cells of which a model is sure, or all of them where it is sure of few."""
    sure = test_predictions[(test_predictions["prob_class1"] - 0.5).abs() > 0.25]
    return (sure if len(sure) > 10 else test_predictions).reset_index(drop=True)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=models,
    labels="control",
    title="How right {} is where it is sure",
)
def sure_evaluation(context, sure_predictions: pd.DataFrame) -> Picture:
    """Confusion matrix of the control cells of which a model is sure."""
    return confusion_pictures(evaluate(sure_predictions), context.study, "Sure cells")


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=knockouts,
    title="The first cells of {}",
)
def sure_ko_evaluation(context, ko_predictions: pd.DataFrame) -> Picture:
    """Confusion matrix of the first half of a knockout's cells."""
    half = ko_predictions.iloc[::2]
    return confusion_pictures(evaluate(half), context.study, "Every other cell")
