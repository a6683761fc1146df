"""Checks of the classifier: tested fairly, better than guessing, no worse than the last one."""

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.classifier.evaluation import auc_of
from autophagy_assets.analysis.identity import CLASS, IDENTITY, SCORE
from autophagy_assets.analysis.quality import calibration
from autophagy_assets.analysis.quality import cells as quality
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.checks.history import last_accepted
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.staleness.partitions import models

NOT_BELOW = "auc_not_below_last_accepted"
EVALUATION = dg.AssetKey("classifier_evaluation")


@study_checks(
    "test_cells",
    {"no_cell_on_both_sides": "No test cell is also a training cell."},
    columns={"test_cells": IDENTITY, "training_cells": IDENTITY},
)
def check_test_cells(context, test_cells: pd.DataFrame, training_cells: pd.DataFrame) -> Findings:
    """Check that the split does not leak cells."""
    return {"no_cell_on_both_sides": quality.sides_apart(test_cells, training_cells)}


@study_checks(
    "classifier_evaluation",
    {
        "better_than_chance": "The model separates the classes better than guessing would.",
        NOT_BELOW: "The AUC is not below that of the last accepted model by more than chance.",
        "predictions_calibrated": "A score of 0.8 means that about 80 of 100 cells are of class 1.",
    },
    partitions=models,
    columns={"test_predictions": [CLASS, SCORE]},
)
def check_classifier_evaluation(
    context, classifier_evaluation: StoredPicture, test_predictions: pd.DataFrame
) -> Findings:
    """Check whether AUC and scores can be trusted."""
    checks, cells = context.study.checks, len(test_predictions)
    auc = auc_of(classifier_evaluation.table)
    last = last_accepted(context.instance, EVALUATION, context.partition, NOT_BELOW)
    return {
        "better_than_chance": calibration.above_chance(auc, cells, checks),
        NOT_BELOW: calibration.not_below(test_predictions, auc, last, checks),
        "predictions_calibrated": calibration.calibrated(test_predictions, checks),
    }
