"""Classifier: trained on control cells of both stimulations, tested on the rest of them."""

from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import auc_of, evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import evaluation_picture
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.features.tables import CLEAN, PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.assets.definition import control, study_asset
from autophagy_assets.config.study import ClassifierParameters

GROUP = "classifier"
FROM_CONTROL = {"clean_features": control()}


def _parameter(meaning: str) -> Any:
    return Field(None, description=f"{meaning}; null is the value of the study file.")


class RandomForest(dg.Config):
    """Parameters of the classifier as the launchpad offers them for one run.

    None stands for what the study file has when the step begins: values that were read when the
    code location was loaded could be old ones.
    """

    random_state: int | None = _parameter("Seed of the forest")
    n_estimators: int | None = _parameter("Number of trees")
    max_depth: int | None = _parameter("Most levels of a tree")
    min_samples_split: int | None = _parameter("Fewest cells of a node that is divided")
    min_samples_leaf: int | None = _parameter("Fewest cells of a leaf")
    max_features: str | None = _parameter("Features tried at each division: sqrt or log2")
    criterion: str | None = _parameter("Measure of a division: gini, entropy or log_loss")
    bootstrap: bool | None = _parameter("Whether each tree gets cells drawn at random")


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    ins=FROM_CONTROL,
    labels="control",
    schema=CLEAN,
)
def training_cells(context, clean_features: pd.DataFrame) -> pd.DataFrame:
    """Control cells that the classifier is trained on: the notebook's random split."""
    return classification.split_cells(clean_features, context.study.split)[0]


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    ins=FROM_CONTROL,
    labels="control",
    schema=CLEAN,
)
def test_cells(context, clean_features: pd.DataFrame) -> pd.DataFrame:
    """Control cells that the classifier is tested on: the other part of the split."""
    return classification.split_cells(clean_features, context.study.split)[1]


@study_asset(
    group=GROUP,
    io="model_io",
    kinds={"scikitlearn", "joblib"},
    launchpad="classifier",
    labels="control",
)
def autophagy_classifier(
    context,
    config: RandomForest,
    training_cells: pd.DataFrame,
) -> TrainedClassifier:
    """Random forest that separates stimulated from untreated control cells.

    Its feature names, library versions and the version of its training cells are inside.
    """
    given = {name: value for name, value in dict(config).items() if value is not None}
    chosen = context.study.classifier.model_dump() | given
    parameters = ClassifierParameters.model_validate(chosen)
    version = context.version_of("training_cells")
    return classification.train(training_cells, parameters, version)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    labels="control",
    schema=PREDICTIONS,
)
def test_predictions(
    context, autophagy_classifier: TrainedClassifier, test_cells: pd.DataFrame
) -> pd.DataFrame:
    """Test cells with class, predicted class, probability and outcome."""
    return classification.predict(autophagy_classifier, test_cells, "test_cells")


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    labels="control",
    title="How well the classifier separates the classes",
)
def classifier_evaluation(
    context, autophagy_classifier: TrainedClassifier, test_predictions: pd.DataFrame
) -> Picture:
    """ROC curve and confusion matrix of the test cells, as a figure and as a table.

    The table holds AUC, ROC points, counts and shares. The AUC is written to the model.
    """
    scores = evaluate(test_predictions)
    # The model is an input for this alone: another version of it may predict the same.
    for uid, record in context.recorder.reads.items():
        if record.key.endswith(".joblib"):
            context.recorder.annotate(uid, {"auc": auc_of(scores)})
    title = f"{context.study.control} test cells"
    return evaluation_picture(scores, context.study, title)
