"""The asset graph as the Dagster UI shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from autophagy_assets.definitions import build_defs
from autophagy_assets_tests.conftest import ROOT

GRAPH = dg.Definitions.resolve_asset_graph(build_defs())

# group, partitions and upstream of every asset: what people find their way by.
IMAGES = ["single_cell_images", "source_datasets"]
SNAPSHOT = {
    "raw_images": ("imaging", "sample", []),
    "excluded_fields": ("imaging", None, []),
    "single_cell_images": ("imaging", "sample", ["raw_images"]),
    "cell_features": ("imaging", "sample", ["single_cell_images"]),
    "marker_features": ("imaging", "sample", ["single_cell_images"]),
    "source_features": ("features", "genotype", []),
    "source_datasets": ("features", None, []),
    "raw_features": ("features", "genotype", ["cell_features", "source_features"]),
    "clean_features": (
        "features",
        "genotype",
        ["raw_features", "single_cell_images", "source_datasets", "source_features"],
    ),
    "model_features": (
        "features",
        "genotype",
        ["clean_features", "marker_features", "source_datasets"],
    ),
    "cross_validation": ("evidence", "model", ["annotations", "model_features"]),
    "model_comparison": ("evidence", None, ["cross_validation", "model_features"]),
    "score_reliability": ("evidence", "model", ["cross_validation"]),
    "background_features": ("evidence", None, ["clean_features", *IMAGES]),
    "shortcut_card": (
        "evidence",
        "model",
        ["background_features", "cross_validation", "model_features"],
    ),
    "label_audit": ("labels", "model", ["cross_validation"]),
    "label_audit_gallery": ("labels", "model", ["label_audit", *IMAGES]),
    "label_audit_shares": ("labels", "model", ["label_audit"]),
    "annotation_agreement": ("labels", None, ["annotations", "cross_validation"]),
    "annotation_files": ("labels", None, []),
    "annotations": ("labels", None, ["annotation_files"]),
    "training_cells": ("classifier", None, ["clean_features"]),
    "test_cells": ("classifier", None, ["clean_features"]),
    "autophagy_classifier": (
        "classifier",
        "model",
        ["annotations", "cross_validation", "model_features", "training_cells"],
    ),
    "test_predictions": (
        "classifier",
        "model",
        ["autophagy_classifier", "cross_validation", "model_features", "test_cells"],
    ),
    "classifier_evaluation": ("classifier", "model", ["autophagy_classifier", "test_predictions"]),
    "ko_predictions": ("knockouts", "knockout", ["autophagy_classifier", "model_features"]),
    "ko_evaluation": ("knockouts", "knockout", ["ko_predictions"]),
    "condition_predictions": ("knockouts", None, ["autophagy_classifier", "model_features"]),
    "knockout_effect": (
        "effects",
        "knockout",
        ["condition_predictions", "cross_validation", "ko_predictions"],
    ),
    "effect_robustness": ("effects", "knockout", ["cross_validation", "ko_predictions"]),
    "replicate_plan": ("effects", "knockout", ["cross_validation", "ko_predictions"]),
    "response_curve": (
        "effects",
        None,
        ["condition_predictions", "cross_validation", "ko_predictions"],
    ),
    "class_gallery": ("galleries", None, ["clean_features", *IMAGES]),
    "marker_example": ("galleries", None, ["clean_features", *IMAGES]),
    "error_galleries": ("galleries", "model", [*IMAGES, "test_predictions"]),
    "cell_map": (
        "galleries",
        "model",
        ["autophagy_classifier", "model_features", "source_datasets", "test_predictions"],
    ),
    "wt_ko_gallery": ("galleries", None, ["clean_features", *IMAGES]),
    "cell_gallery": (
        "galleries",
        None,
        [
            "condition_predictions",
            "cross_validation",
            "ko_predictions",
            "model_features",
            *IMAGES,
        ],
    ),
    "spatial_context": ("galleries", None, ["clean_features", *IMAGES]),
    "study_report": (
        "report",
        None,
        [
            "annotation_agreement",
            "cell_gallery",
            "cell_map",
            "class_gallery",
            "classifier_evaluation",
            "clean_features",
            "effect_robustness",
            "error_galleries",
            "excluded_fields",
            "knockout_effect",
            "ko_evaluation",
            "label_audit_gallery",
            "label_audit_shares",
            "marker_example",
            "model_comparison",
            "replicate_plan",
            "response_curve",
            "score_reliability",
            "shortcut_card",
            "single_cell_images",
            "spatial_context",
            "wt_ko_gallery",
        ],
    ),
    "last_refresh": ("report", None, []),
}
FROM_OUTSIDE = {
    *("raw_images", "excluded_fields", "source_features", "source_datasets", "annotation_files"),
    "last_refresh",
}
MADE_HERE = sorted(set(SNAPSHOT) - FROM_OUTSIDE)


def node(name: str):
    return GRAPH.get(dg.AssetKey(name))


def test_the_graph_is_the_one_that_people_know():
    found = {
        key.to_user_string(): (
            GRAPH.get(key).group_name,
            getattr(GRAPH.get(key).partitions_def, "name", None),
            sorted(parent.to_user_string() for parent in GRAPH.get(key).parent_keys),
        )
        for key in GRAPH.get_all_asset_keys()
    }
    assert found == SNAPSHOT


def test_what_comes_from_outside_is_not_made_here():
    assert {k.to_user_string() for k in GRAPH.materializable_asset_keys} == set(MADE_HERE)


@pytest.mark.parametrize("name", SNAPSHOT)
def test_every_asset_is_described_in_words(name):
    words = node(name).description
    assert words is not None and len(words.split()) >= 6
    assert words[0].isupper() and words.endswith(".") and "\n" not in words


@pytest.mark.parametrize("name", SNAPSHOT)
def test_every_asset_has_kinds(name):
    assert 1 <= len(node(name).kinds) <= 3


@pytest.mark.parametrize("name", MADE_HERE)
def test_every_asset_has_owners_and_a_code_version(name):
    assert node(name).owners
    assert node(name).code_version


@pytest.mark.parametrize("name", MADE_HERE)
def test_every_asset_is_retried_and_launched_by_the_judge_alone(name):
    assert node(name).automation_condition is None
    policy = GRAPH.assets_def_for_key(dg.AssetKey(name)).op.retry_policy
    assert policy is not None and policy.max_retries >= 1


def test_definitions_are_valid():
    dg.Definitions.validate_loadable(build_defs())


def test_the_launchpad_takes_parameters_in_place_of_those_of_the_study_file():
    op = GRAPH.assets_def_for_key(dg.AssetKey("autophagy_classifier")).op
    fields = op.config_schema.as_field().config_type.fields
    assert list(fields) == ["parameters"]
    assert not fields["parameters"].is_required
    assert "in place of those of the study file" in fields["parameters"].description


@pytest.mark.slow
def test_dagsters_own_check_finds_nothing_to_complain_of() -> None:
    # In the tests' own Dagster home, whose settings keep Dagster from writing to ~/.dagster.
    command = [Path(sys.executable).parent / "dg", "check", "defs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
