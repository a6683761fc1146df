"""What Dagster and LaminDB hold of a finished study, and that each leads to the other."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from io import BytesIO
from pathlib import Path

import dagster as dg
import joblib
import pandas as pd
import pytest
from dagster._core.event_api import PartitionKeyFilter
from PIL import Image

from autophagy_assets.analysis.classifier.classification import predict
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.features import tables
from autophagy_assets.analysis.identity import CELL_ID, IDENTITY, SCORE, feature_columns, rows_of
from autophagy_assets.config.models import AS_PUBLISHED as PUBLISHED
from autophagy_assets.staleness.materializations import latest

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


def test_everything_was_made_once(finished):
    platform, _ = finished
    again = platform.refresh()
    assert (again.made, again.failed, again.skipped) == ([], {}, set())
    # raw_features[EI24KO], model_features[WT] and background_features are not listed, nor are
    # condition_predictions and annotations, which are empty here.
    assert again.fresh == len(EVERYTHING) + 5


@every_table
def test_tables_show_their_columns_and_rows(finished, asset, partition):
    platform, _ = finished
    metadata, table = platform.latest(asset, partition).metadata, platform.table(asset, partition)
    assert metadata["dagster/row_count"] == len(table) > 0
    schema = metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns] == list(table.columns)
    assert all(column.description for column in schema.columns)
    assert {c.name: c.type for c in schema.columns}["scportrait_cell_id"] == "int64"
    assert "scportrait_cell_id" in metadata["preview"]


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


@pytest.mark.parametrize(
    ("asset", "partition"),
    [("classifier_evaluation", "puncta"), ("classifier_evaluation", PUBLISHED)],
)
def test_numbers_that_people_follow_over_time_are_numbers(finished, asset, partition):
    platform, _ = finished
    metadata = platform.latest(asset, partition).metadata
    assert 0 <= metadata["auc"] <= 1 and metadata["cells"] > 0
    assert (
        0 <= metadata["called right, class 0"] <= 1 and 0 <= metadata["called right, class 1"] <= 1
    )


@every_asset
def test_how_long_each_step_took_is_reported(finished, asset, partition):
    platform, _ = finished
    assert platform.latest(asset, partition).metadata["seconds"] >= 0


@every_table
def test_tables_have_a_schema_and_their_rows_in_lamindb(finished, asset, partition):
    platform, _ = finished
    artifact, table = platform.artifact(asset, partition), platform.table(asset, partition)
    assert artifact.n_observations == len(table)
    assert artifact.schema.name.startswith(f"{CONTRACTS[asset, partition]}, ")
    assert {f.name for f in artifact.schema.features.all()} == set(table.columns)


@every_figure
def test_figures_have_a_small_preview_and_a_caption(finished, asset, partition):
    platform, _ = finished
    metadata = platform.latest(asset, partition).metadata
    assert len(metadata["caption"]) > 30
    embedded = re.fullmatch(
        r"!\[(.*)\]\(data:image/\w+;base64,(.+)\)", metadata["preview"], flags=re.DOTALL
    )
    assert embedded is not None
    assert len(metadata["preview"]) < 100_000
    assert Image.open(BytesIO(base64.b64decode(embedded[2]))).width >= 300


@every_figure
def test_figures_are_printable_and_stand_beside_their_table(finished, asset, partition):
    platform, _ = finished
    artifact = platform.artifact(asset, partition)
    assert artifact.suffix == ".png"
    image = Image.open(artifact.path)
    assert min(image.info["dpi"]) >= 149
    table = platform.latest(asset, partition).metadata
    beside = artifact.run.output_artifacts.get(uid=table["lamindb/table_uid"])
    assert beside.key == artifact.key.replace(".png", ".parquet")
    assert len(pd.read_parquet(beside.path)) == table["dagster/row_count"] > 0


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
def test_artifacts_are_labelled_and_described(finished, asset, partition):
    platform, _ = finished
    artifact = platform.artifact(asset, partition)
    assert platform.study.name in set(artifact.ulabels.values_list("name", flat=True))
    assert artifact.description
    assert artifact.key.startswith("finished-study/") and f"/{asset}" in artifact.key
    assert artifact.is_latest
    several = asset in (
        *("cell_map", "wt_ko_gallery", "cell_gallery"),
        *("response_curve", "study_report"),
    )
    genotype = None if several else "EI24KO" if partition == "EI24KO" else "WT"
    assert artifact.features.get_values().get("genotype") == genotype


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


def test_the_gallery_of_all_cells_has_every_cell_under_its_own_scores(finished):
    platform, given = finished
    page = Path(platform.artifact("cell_gallery").path).read_text()
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    datasets = [data["fields"][field]["dataset"] for field in data["field"]]
    shown = list(zip(datasets, data["cells"][CELL_ID], strict=True))
    every = pd.concat(given.tables.values())[IDENTITY]
    assert sorted(shown) == sorted(every.itertuples(index=False, name=None))
    assert data["models"] == ["puncta", PUBLISHED]
    for model, found in zip(data["models"], data["scores"], strict=True):
        unseen = platform.table("cross_validation", model)
        scored = unseen_predictions(unseen, platform.study.model(model))
        others = platform.table("ko_predictions", "EI24KO")
        tables = pd.concat([scored, others[others["model"] == model]])
        own = tables.set_index(IDENTITY)[SCORE].to_dict()
        for cell, score in zip(shown, found["score"], strict=True):
            assert abs(score - own[cell]) <= 0.0006
    read = {a.uid for a in platform.artifact("cell_gallery").run.input_artifacts.all()}
    assert set(given.crops) | set(data["tables"].values()) <= read
    fields = {field["spatialdata"] for field in data["fields"]}
    assert "" not in fields and fields <= read
    # A field that was given has its place in the pictures, and nobody knows its images.
    assert None not in data["x"] and not any(field["images"] for field in data["fields"])
    report = Path(platform.artifact("study_report").path).read_text()
    assert platform.artifact("cell_gallery").uid in report
    assert f"{len(every)} of {len(every)} cells" in report


def test_spatial_context_has_read_the_crops_and_the_field_of_its_cell(finished):
    platform, _ = finished
    table = platform.table("spatial_context")
    assert table["dataset"].nunique() == 1
    read = platform.artifact("spatial_context").run.input_artifacts.all()
    keys = {a.key.rsplit("/", 1)[1]: a.key.rsplit("/", 1)[0] for a in read}
    assert keys["single_cell_data.h5ad"] == keys["spatialdata.zarr"]
    assert table["dataset"].iloc[0] in {a.uid for a in read}


def test_the_stored_model_predicts_what_is_stored(finished):
    platform, _ = finished
    model = joblib.load(platform.artifact("autophagy_classifier").path)
    cells = rows_of(platform.table("model_features", "WT"), platform.table("test_cells"), "WT")
    again = predict(model, cells)
    pd.testing.assert_frame_equal(again, platform.table("test_predictions"))
    assert model.training_data == platform.latest("training_cells").metadata["sha256"]
    assert {"python", "scikit-learn"} <= set(model.versions)
    assert list(model.feature_names) == list(platform.table("training_cells").columns[7:])


def test_the_report_holds_every_figure_and_its_uid(finished):
    platform, _ = finished
    page = Path(platform.artifact("study_report").path).read_text()
    for asset, partition in FIGURES:
        assert platform.artifact(asset, partition).uid in page, asset
    assert page.count("data:image/png;base64") >= len(FIGURES)
    assert not re.search(r"(src|href)=[\"']https?://", page)


def test_checks_passed(finished):
    platform, _ = finished
    keys = platform.defs.resolve_asset_graph().asset_check_keys
    assert len(keys) >= 16
    for key in keys:
        # Its tables were given, so no field was imaged here and none was refused.
        if key.asset_key.to_user_string() in NOT_IMAGED:
            continue
        # Its classes differ in every feature at random, in those of the nuisance too.
        if key.name == "no_shortcut":
            continue
        partition = platform.published(key.asset_key.to_user_string())
        records = platform.instance.event_log_storage.get_asset_check_execution_history(
            key, 1, partition_filter=PartitionKeyFilter(key=partition) if partition else None
        )
        assert records and records[0].status.value == "SUCCEEDED", key
