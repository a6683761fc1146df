"""Checks on assets: what must hold of the content, shown beside it in the Dagster UI.

The table contract blocks, since nothing downstream of a broken table is worth making; a
weak classifier is worth a warning and no more.
"""

import warnings

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.evaluation import auc_of
from autophagy_assets.analysis.features import check_feature_table, used_columns
from autophagy_assets.analysis.identity import IDENTITY, SCORE
from autophagy_assets.analysis.panels import SHOWN_SCORE
from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.partitions import genotypes

CHANCE = 0.5

# Partitions of a check are still a preview in Dagster; without them the check would load
# every genotype whenever one is made.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)


@dg.asset_check(
    asset="raw_features",
    blocking=True,
    partitions_def=genotypes,
    description="Every cell once, with identity, class and finite features.",
)
def table_contract(raw_features: pd.DataFrame, study: StudyResource) -> dg.AssetCheckResult:
    """Check the contract that the rest of the study relies on, of the features that it uses."""
    screen = study.load()
    try:
        used = used_columns(raw_features, screen)
        check_feature_table(used, "raw_features", tuple(screen.classes))
    except InputError as error:
        return dg.AssetCheckResult(passed=False, description=str(error))
    return dg.AssetCheckResult(passed=True, metadata={"cells": len(raw_features)})


@dg.asset_check(
    asset="test_cells",
    additional_ins={"training_cells": dg.AssetIn("training_cells")},
    description="No test cell is also a training cell.",
)
def no_cell_on_both_sides(
    test_cells: pd.DataFrame, training_cells: pd.DataFrame
) -> dg.AssetCheckResult:
    """Check that the split does not leak cells."""
    shared = test_cells[IDENTITY].merge(training_cells[IDENTITY], on=IDENTITY)
    return dg.AssetCheckResult(passed=shared.empty, metadata={"cells on both sides": len(shared)})


@dg.asset_check(
    asset="error_galleries",
    additional_ins={"test_predictions": dg.AssetIn("test_predictions")},
    description="Every score under a picture is the score of that cell.",
)
def scores_belong_to_their_cells(
    error_galleries: StoredPicture, test_predictions: pd.DataFrame
) -> dg.AssetCheckResult:
    """Compare the drawn scores with the predictions, by identity of the cell."""
    drawn = error_galleries.table[[*IDENTITY, SHOWN_SCORE]]
    both = drawn.merge(test_predictions[[*IDENTITY, SCORE]], on=IDENTITY, how="left")
    wrong = int((both[SHOWN_SCORE] != both[SCORE]).sum())
    return dg.AssetCheckResult(
        passed=wrong == 0, metadata={"pictures": len(drawn), "wrong scores": wrong}
    )


@dg.asset_check(
    asset="classifier_evaluation",
    description="The classifier tells the classes apart better than guessing would.",
)
def better_than_chance(classifier_evaluation: StoredPicture) -> dg.AssetCheckResult:
    """Warn of a classifier that has learned nothing."""
    auc = auc_of(classifier_evaluation.table)
    return dg.AssetCheckResult(
        passed=bool(auc > CHANCE), severity=dg.AssetCheckSeverity.WARN, metadata={"auc": auc}
    )


checks = [table_contract, no_cell_on_both_sides, scores_belong_to_their_cells, better_than_chance]
