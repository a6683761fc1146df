"""Classifier: the models of the study, trained on control cells and tested on others of them."""

from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import auc_of, evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import evaluation_picture
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.evidence.cross_validation import control_cells
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.features.tables import CLEAN, PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import IDENTITY, rows_of
from autophagy_assets.analysis.labels.training import training_part
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import answers, selected_control, study_asset, when_needed
from autophagy_assets.config.estimators import parameters_of
from autophagy_assets.config.models import AS_GIVEN, SPLIT, Model
from autophagy_assets.errors import InputError
from autophagy_assets.staleness.partitions import models

GROUP = "classifier"
FROM_CONTROL = {"clean_features": selected_control()}
ONLY_IDENTITY = dg.AssetIn(metadata={"columns": IDENTITY})


class ModelConfig(dg.Config):
    """Config of one run of a model, as the launchpad offers it.

    What is left out stands as in the study file when the step begins: values that were read when
    the code location was loaded could be old ones.
    """

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters of the estimator in place of those of the study file, such as "
        "{max_depth: 5}. docs/configuration.md lists them.",
    )


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    ins=FROM_CONTROL,
    labels="control",
    schema=CLEAN,
)
def training_cells(context, clean_features: pd.DataFrame) -> pd.DataFrame:
    """Control cells of the random split on which some models are trained."""
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
    """Control cells of the random split on which those models are tested."""
    return classification.split_cells(clean_features, context.study.split)[1]


@study_asset(
    group=GROUP,
    io="model_io",
    kinds={"scikitlearn", "joblib"},
    partitions=models,
    ins={
        "model_features": selected_control(),
        "training_cells": ONLY_IDENTITY,
        "annotations": answers(),
    },
    launchpad="models.{}",
    labels="control",
)
def autophagy_classifier(
    context,
    config: ModelConfig,
    model_features: pd.DataFrame,
    training_cells: pd.DataFrame,
    cross_validation: pd.DataFrame,
    annotations,
) -> TrainedClassifier:
    """Model that separates stimulated from untreated control cells.

    Its feature names, threshold, library versions and the version of its cells are inside. Of
    audited labels, it is trained without the cells whose label is suspect; of annotated ones, with
    the classes that people gave.
    """
    model = with_parameters(context.study.model(context.partition), config)
    source = "model_features"
    if model.trained_on == SPLIT:
        model_features, source = rows_of(model_features, training_cells, source), "training_cells"
    scoring = scoring_of(cross_validation, model)
    crops = crops_of(context, model_features)
    if model.labels != AS_GIVEN:
        cells = control_cells(model_features, context.study)
        model_features = training_part(cells, model, context.study, annotations, crops=crops)
    return classification.train(
        model_features,
        model,
        context.version_of(source),
        scoring.calibrator,
        scoring.threshold,
        crops,
    )


def with_parameters(model: Model, config: ModelConfig) -> Model:
    """Model with parameters from the launchpad.

    Raises
    ------
    InputError
        If its estimator has no such parameter, or not with that value.
    """
    try:
        chosen = model.parameters.model_dump() | dict(config.parameters)
        parameters = parameters_of(model.estimator, chosen)
    except ValueError as error:
        raise InputError(f"Config of the run for model {model.name!r}: {error}.") from error
    return model.model_copy(update={"parameters": parameters})


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=models,
    ins={
        "model_features": selected_control(),
        "test_cells": ONLY_IDENTITY,
        "cross_validation": when_needed(),
    },
    labels="control",
    schema=PREDICTIONS,
)
def test_predictions(
    context,
    autophagy_classifier: TrainedClassifier,
    model_features: pd.DataFrame,
    test_cells: pd.DataFrame,
    cross_validation,
) -> pd.DataFrame:
    """Predictions for control cells by a model that has not seen them, with their outcome.

    Of a model that is trained on all control cells, those are the ones of its cross-validation.
    """
    model = context.study.model(context.partition)
    if model.trained_on == SPLIT:
        cells = rows_of(model_features, test_cells, "model_features")
        return classification.predict(
            autophagy_classifier, cells, "test_cells", crops_of(context, cells)
        )
    return unseen_predictions(cross_validation[context.partition], model)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=models,
    labels="control",
    title="How well {} separates the classes",
)
def classifier_evaluation(
    context, autophagy_classifier: TrainedClassifier, test_predictions: pd.DataFrame
) -> Picture:
    """ROC curve and confusion matrix of control cells that a model has not seen.

    The table holds AUC, ROC points, counts and shares. The AUC is written to the model.
    """
    scores = evaluate(test_predictions)
    annotate_model(context, {"auc": auc_of(scores)})
    title = f"{context.study.control} cells not seen by {context.partition}"
    return evaluation_picture(scores, context.study, title)


def annotate_model(context: StudyContext, values: dict[str, float]) -> None:
    """Write numbers, such as the AUC, to the LaminDB artifact of the model that a step has loaded.

    Parameters
    ----------
    values : dict of str to float
        By the name of a LaminDB feature.
    """
    # The model is an input for this alone: another version of it may predict the same.
    for uid, record in context.recorder.reads.items():
        if record.key.endswith(".joblib"):
            context.recorder.annotate(uid, values)
