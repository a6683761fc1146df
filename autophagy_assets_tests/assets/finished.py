"""What there is of a finished study: assets with their partitions."""

from __future__ import annotations

import pytest

from autophagy_assets.analysis.features import tables
from autophagy_assets.config.models import AS_PUBLISHED as PUBLISHED

CONTRACTS = {
    ("raw_features", "WT"): tables.CELLS.name,
    ("clean_features", "WT"): tables.CLEAN.name,
    ("clean_features", "EI24KO"): tables.CLEAN.name,
    ("training_cells", None): tables.CLEAN.name,
    ("test_cells", None): tables.CLEAN.name,
    ("model_features", "EI24KO"): tables.CLEAN.name,
    ("cross_validation", "puncta"): tables.OUT_OF_FOLD.name,
    ("cross_validation", PUBLISHED): tables.OUT_OF_FOLD.name,
    ("label_audit", PUBLISHED): tables.AUDITED.name,
    ("label_audit", "puncta"): tables.AUDITED.name,
    ("test_predictions", PUBLISHED): tables.PREDICTIONS.name,
    ("test_predictions", "puncta"): tables.PREDICTIONS.name,
    ("ko_predictions", "EI24KO"): tables.PREDICTIONS.name,
}
TABLES = list(CONTRACTS)
FIGURES = [
    ("classifier_evaluation", PUBLISHED),
    ("classifier_evaluation", "puncta"),
    ("marker_example", None),
    ("model_comparison", None),
    ("score_reliability", PUBLISHED),
    ("score_reliability", "puncta"),
    ("shortcut_card", PUBLISHED),
    ("shortcut_card", "puncta"),
    ("label_audit_gallery", PUBLISHED),
    ("label_audit_gallery", "puncta"),
    ("label_audit_shares", PUBLISHED),
    ("label_audit_shares", "puncta"),
    ("annotation_agreement", None),
    ("ko_evaluation", "EI24KO"),
    ("knockout_effect", "EI24KO"),
    ("effect_robustness", "EI24KO"),
    ("replicate_plan", "EI24KO"),
    ("response_curve", None),
    ("class_gallery", None),
    ("error_galleries", PUBLISHED),
    ("error_galleries", "puncta"),
    ("cell_map", PUBLISHED),
    ("cell_map", "puncta"),
    ("wt_ko_gallery", None),
    ("spatial_context", None),
]
NOT_IMAGED = ("single_cell_images", "marker_features", "excluded_fields")
MODELS = [("autophagy_classifier", PUBLISHED), ("autophagy_classifier", "puncta")]
EVERYTHING = [*TABLES, *MODELS, *FIGURES, ("cell_gallery", None), ("study_report", None)]
every_asset = pytest.mark.parametrize(("asset", "partition"), EVERYTHING)
every_table = pytest.mark.parametrize(("asset", "partition"), TABLES)
every_figure = pytest.mark.parametrize(("asset", "partition"), FIGURES)
