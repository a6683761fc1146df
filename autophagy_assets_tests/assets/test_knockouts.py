"""Predictions that are made a row group at a time are those of the whole table, to the byte."""

from __future__ import annotations

import dagster as dg
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.identity import CLASS, METADATA, feature_columns
from autophagy_assets.assets.definition import StudyResource, study_asset
from autophagy_assets.assets.knockouts import condition_predictions, ko_predictions
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.io_managers import parquet
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager, write_table
from autophagy_assets.staleness.materializations import UID, latest
from autophagy_assets.staleness.partitions import genotypes, models
from autophagy_assets_tests.analysis.synthetic import raw_features
from autophagy_assets_tests.platform import study_file

NAMES = ("as_published", "puncta")
ROWS = 7  # of a row group


def cells_of(study: Study, genotype: str) -> pd.DataFrame:
    table = raw_features(5, study, genotype, cells=20, datasets=3).reset_index(drop=True)
    known = zip(METADATA, (genotype, "untreated", "clone 1", "FOV1"), strict=True)
    for place, (name, value) in enumerate(known):
        table.insert(3 + place, name, value)
    if genotype == study.control:
        table.loc[table.index[::3], CLASS] = NO_CLASS
    return table


@study_asset(group="features", io="table_io", kinds=[], partitions=genotypes)
def model_features(context) -> pd.DataFrame:
    """Cells of a genotype, for these tests."""
    return cells_of(context.study, context.partition)


@study_asset(group="classifier", io="model_io", kinds=[], partitions=models)
def autophagy_classifier(context):
    """A model of five features or of all, for these tests."""
    cells = cells_of(context.study, "other")
    names = feature_columns(cells)[:: 1 if context.partition == NAMES[0] else 8]
    used = cells[[c for c in cells.columns if c not in feature_columns(cells) or c in names]]
    model = context.study.model(NAMES[0])
    few = model.parameters.model_copy(update={"n_estimators": 4})
    return train(used, model.model_copy(update={"parameters": few, "name": context.partition}), "1")


@pytest.fixture(scope="module")
def made(store, tmp_path_factory):
    """Paths of the tables, and the trained models, after one run of each asset."""
    file = study_file(tmp_path_factory.mktemp("pieces"), "predictions in pieces", conditions=["6h"])
    resources = {
        "study": StudyResource(study_file=str(file)),
        "table_io": ParquetIOManager(study_file=str(file)),
        "model_io": JoblibIOManager(study_file=str(file)),
    }
    assets = [model_features, autophagy_classifier, ko_predictions, condition_predictions]
    job = dg.Definitions(assets, resources=resources, executor=dg.in_process_executor)
    job = job.resolve_implicit_global_asset_job_def()
    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    for name, keys in (("genotype", ["WT", "KO"]), ("knockout", ["KO"]), ("model", NAMES)):
        instance.add_dynamic_partitions(name, list(keys))
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP", ROWS)
        for asset, partition in (
            *(("model_features", genotype) for genotype in ("WT", "KO")),
            *(("autophagy_classifier", name) for name in NAMES),
            ("ko_predictions", "KO"),
            ("condition_predictions", None),
        ):
            key = dg.AssetKey(asset)
            done = job.execute_in_process(
                instance=instance,
                partition_key=partition,
                asset_selection=[key],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            assert done.success
            record = latest(instance, key, partition)
            assert record is not None
            found[asset, partition] = store.Artifact.get(uid=record.metadata[UID]).path
    return Study.load(file), found


@pytest.mark.parametrize(
    ("asset", "partition", "genotype"),
    [("ko_predictions", "KO", "KO"), ("condition_predictions", None, "WT")],
)
def test_predictions_in_pieces_are_those_of_the_whole_table(
    made, tmp_path, monkeypatch, asset, partition, genotype
):
    from joblib import load

    study, found = made
    cells = cells_of(study, genotype)
    assert len(cells) > 3 * ROWS
    if asset == "condition_predictions":
        cells = cells[cells[CLASS] == NO_CLASS]
    stored = [load(found["autophagy_classifier", name]) for name in NAMES]
    assert len(stored[0].feature_names) > len(stored[1].feature_names)
    whole = pd.concat([predict(model, cells) for model in stored], ignore_index=True)
    monkeypatch.setattr(parquet, "ROW_GROUP", ROWS)
    write_table(whole, tmp_path / "whole.parquet")
    assert found[asset, partition].read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert list(whole.columns) == list(no_predictions(cells).columns)
