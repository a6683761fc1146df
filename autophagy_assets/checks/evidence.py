"""Checks of the evidence: that a model has learned the biology, and not what comes with it."""

from autophagy_assets.analysis.quality.shortcuts import no_shortcut
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.staleness.partitions import models


@study_checks(
    "shortcut_card",
    {"no_shortcut": "Nothing without the biology tells the classes apart as well as the model."},
    partitions=models,
)
def check_shortcut_card(context, shortcut_card: StoredPicture) -> Findings:
    """Check which negative controls speak against the model."""
    return {"no_shortcut": no_shortcut(shortcut_card.table, context.partition)}
