"""Checks of the galleries: that a picture carries the score of its own cell."""

import pandas as pd

from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.identity import IDENTITY, SCORE
from autophagy_assets.analysis.quality.cells import scores_agree
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.staleness.partitions import models


@study_checks(
    "error_galleries",
    {"scores_belong_to_their_cells": "Every score under a picture is the score of that cell."},
    partitions=models,
    columns={"test_predictions": [*IDENTITY, SCORE]},
)
def check_error_galleries(
    context, error_galleries: StoredPicture, test_predictions: pd.DataFrame
) -> Findings:
    """Compare the drawn scores with the predictions, by identity of the cell."""
    found = scores_agree(error_galleries.table, SHOWN_SCORE, test_predictions)
    return {"scores_belong_to_their_cells": found}
