"""What Dagster and LaminDB hold of a finished study."""

from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from pathlib import Path

import joblib
import pandas as pd
import pytest
from dagster._core.event_api import PartitionKeyFilter
from PIL import Image

from autophagy_assets.analysis.classifier.classification import predict
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.identity import CELL_ID, IDENTITY, SCORE, rows_of
from autophagy_assets.config.models import AS_PUBLISHED as PUBLISHED
from autophagy_assets_tests.assets.finished import (
    CONTRACTS,
    EVERYTHING,
    FIGURES,
    NOT_IMAGED,
    every_asset,
    every_figure,
    every_table,
)


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
