"""What a finished study was made from, in Dagster and in LaminDB."""

from __future__ import annotations

import hashlib
from pathlib import Path

import dagster as dg
import pytest

from autophagy_assets.analysis.identity import SCORE, feature_columns
from autophagy_assets.config.models import AS_PUBLISHED as PUBLISHED
from autophagy_assets.staleness.materializations import latest
from autophagy_assets_tests.assets.finished import every_asset


def test_a_score_leads_back_column_by_column_to_the_features_it_was_worked_out_from(finished):
    platform, _ = finished
    asset, partition, columns = "test_predictions", PUBLISHED, {SCORE}
    for upstream in ("model_features", "clean_features", "raw_features"):
        deps = platform.latest(asset, partition).metadata["dagster/column_lineage"].deps_by_column
        found = [dep for column in columns for dep in deps[column]]
        assert {dep.asset_key.to_user_string() for dep in found} == {upstream}
        columns = {dep.column_name for dep in found}
        asset, partition = upstream, "WT"
    assert columns == set(feature_columns(platform.table("clean_features", "WT")))


def test_a_score_of_a_cell_that_was_left_out_leads_back_to_the_cross_validation(finished):
    platform, _ = finished
    found = platform.latest("test_predictions", "puncta").metadata["dagster/column_lineage"]
    (dep,) = found.deps_by_column[SCORE]
    assert (dep.asset_key.to_user_string(), dep.column_name) == ("cross_validation", SCORE)


@every_asset
def test_from_dagster_one_comes_to_lamindb_and_back(finished, asset, partition):
    platform, _ = finished
    made = platform.latest(asset, partition)
    artifact = platform.artifact(asset, partition)
    metadata = made.metadata
    assert artifact.key == metadata["lamindb/key"]
    assert artifact.size == metadata["size_bytes"]
    assert hashlib.sha256(Path(artifact.path).read_bytes()).hexdigest() == metadata["sha256"]
    assert artifact.run.uid == metadata["lamindb/run"]
    run = artifact.run
    assert run.status == "completed"
    assert run.reference_type == "dagster_run_id"
    dagster_run = platform.instance.get_run_by_id(run.reference)
    assert dagster_run is not None and dagster_run.run_id == made.run_id
    assert run.extra_data["asset"] == asset
    assert run.extra_data["partition"] == partition
    back = latest(
        platform.instance, dg.AssetKey(run.extra_data["asset"]), run.extra_data["partition"]
    )
    assert back is not None and back.metadata["lamindb/uid"] == artifact.uid


@every_asset
def test_code_and_parameters_are_kept(finished, asset, partition):
    platform, _ = finished
    run = platform.artifact(asset, partition).run
    assert f"def {asset}" in run.transform.source_code
    assert run.transform.key == f"autophagy_assets/{asset}"
    assert run.extra_data["code_version"]
    assert run.environment is not None


def test_parameters_of_the_classifier_are_those_of_the_study(finished):
    platform, _ = finished
    for model in platform.study.models:
        run = platform.artifact("autophagy_classifier", model.name).run
        assert run.params[f"models.{model.name}"]["parameters"] == model.parameters.model_dump()


INPUTS = {
    ("clean_features", "WT"): {"raw_features/WT"},
    ("training_cells", None): {"clean_features/WT"},
    ("cross_validation", "puncta"): {"model_features/WT"},
    ("autophagy_classifier", "puncta"): {
        "training_cells",
        "model_features/WT",
        "cross_validation/puncta",
    },
    ("test_predictions", PUBLISHED): {
        *("test_cells", "model_features/WT"),
        "autophagy_classifier/as_published",
    },
    ("classifier_evaluation", "puncta"): {
        *("autophagy_classifier/puncta", "test_predictions/puncta"),
    },
    ("model_comparison", None): {
        *("model_features/WT", "cross_validation/puncta", "cross_validation/as_published"),
    },
    ("shortcut_card", "puncta"): {
        *("model_features/WT", "cross_validation/puncta", "background_features"),
    },
    ("ko_predictions", "EI24KO"): {
        *("autophagy_classifier/puncta", "autophagy_classifier/as_published"),
        "model_features/EI24KO",
    },
    ("condition_predictions", None): {"model_features/WT"},
    ("response_curve", None): {
        *("condition_predictions", "cross_validation/puncta", "ko_predictions/EI24KO"),
    },
    ("ko_evaluation", "EI24KO"): {"ko_predictions/EI24KO"},
}


@pytest.mark.parametrize(("target", "expected"), INPUTS.items(), ids=[k[0] for k in INPUTS])
def test_inputs_of_a_run_are_what_it_read(finished, target, expected):
    platform, _ = finished
    read = platform.artifact(*target).run.input_artifacts.all()
    found = {artifact.key.split("/", 2)[2].rsplit(".", 1)[0] for artifact in read}
    assert found == expected


def test_a_given_table_is_an_input_of_raw_features(finished):
    platform, given = finished
    for genotype, uid in given.uids.items():
        read = platform.artifact("raw_features", genotype).run.input_artifacts.all()
        assert {artifact.uid for artifact in read} == {uid}


@pytest.mark.parametrize("asset", ["class_gallery", "error_galleries", "wt_ko_gallery"])
def test_a_gallery_has_read_the_crops_that_it_shows_and_no_others(finished, asset):
    platform, given = finished
    shown = set(platform.table(asset)["dataset"])
    read = {a.uid for a in platform.artifact(asset).run.input_artifacts.all()}
    assert read & set(given.crops) == shown


def test_spatial_context_has_read_the_crops_and_the_field_of_its_cell(finished):
    platform, _ = finished
    table = platform.table("spatial_context")
    assert table["dataset"].nunique() == 1
    read = platform.artifact("spatial_context").run.input_artifacts.all()
    keys = {a.key.rsplit("/", 1)[1]: a.key.rsplit("/", 1)[0] for a in read}
    assert keys["single_cell_data.h5ad"] == keys["spatialdata.zarr"]
    assert table["dataset"].iloc[0] in {a.uid for a in read}
