"""Checks of the galleries: that a picture carries the score of its own cell."""

from itertools import chain

import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import RAW, SCHEME
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.galleries.shown_scores import shown_scores_agree
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, MODEL, SCORE, among
from autophagy_assets.analysis.quality.cells import scores_agree
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.io_managers.gallery import StoredGallery
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


@study_checks(
    "cell_gallery",
    {"scores_belong_to_their_cells": "Every score under a picture is the score of that cell."},
    columns={"cross_validation": [*IDENTITY, CLASS, *METADATA, MODEL, SCHEME, RAW]},
    every=["cross_validation", "ko_predictions"],
    pieces=["ko_predictions", "condition_predictions"],
)
def check_cell_gallery(
    context,
    cell_gallery: StoredGallery,
    cross_validation,
    ko_predictions,
    condition_predictions,
) -> Findings:
    """Compare the scores on the page with the tables, by identity of the cell and model."""
    of_control = (
        unseen_predictions(cross_validation[model], context.study.model(model))
        for model in cross_validation
    )
    tables = [*(ko_predictions[knockout] for knockout in ko_predictions), condition_predictions]
    of_others = (
        among(piece, cell_gallery.scores)
        for table in tables
        for piece in table.pieces([*IDENTITY, MODEL, SCORE])
    )
    found = shown_scores_agree(cell_gallery.scores, chain(of_control, of_others))
    return {"scores_belong_to_their_cells": found}
