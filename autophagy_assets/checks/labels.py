"""Checks of the labels: that no field of view as a whole looks like the other class."""

import pandas as pd

from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.identity import IDENTITY, SCORE
from autophagy_assets.analysis.quality.cells import scores_agree
from autophagy_assets.analysis.quality.labels import no_field_suspect
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.staleness.partitions import models


@study_checks(
    "label_audit",
    {"no_field_suspect": "No field of view has suspect labels in most of its cells."},
    partitions=models,
)
def check_label_audit(context, label_audit: pd.DataFrame) -> Findings:
    """Check the share of suspect labels in each field of view."""
    return {"no_field_suspect": no_field_suspect(label_audit, context.named("label_audit"))}


@study_checks(
    "label_audit_gallery",
    {"scores_belong_to_their_cells": "Every score above a picture is the score of that cell."},
    partitions=models,
    columns={"label_audit": [*IDENTITY, SCORE]},
)
def check_label_audit_gallery(
    context, label_audit_gallery: StoredPicture, label_audit: pd.DataFrame
) -> Findings:
    """Compare the drawn scores with the audit, by identity of the cell."""
    found = scores_agree(label_audit_gallery.table, SHOWN_SCORE, label_audit)
    return {"scores_belong_to_their_cells": found}
