"""Tables of a genotype that are made a row group at a time are whole ones, to the byte."""

from __future__ import annotations

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.features.cleaning import clean
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY, METADATA
from autophagy_assets.assets.definition import StudyResource, study_asset
from autophagy_assets.assets.features import (
    clean_features,
    model_features,
    of_plain_types,
    raw_features,
)
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers import parquet
from autophagy_assets.io_managers.parquet import ParquetIOManager, stream_table, write_table
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.staleness.materializations import UID, latest
from autophagy_assets.staleness.partitions import samples
from autophagy_assets_tests.analysis.synthetic import raw_features as synthetic
from autophagy_assets_tests.platform import study_file

ROWS = 7  # of a row group
SAMPLES = ("KO__1__untreated", "KO__2__untreated", "KO__3__untreated", "KO__4__untreated")
EMPTY = SAMPLES[1]


def cells_of(sample: str) -> pd.DataFrame:
    """Cells of a sample; one sample has none, one has a column more and one has whole numbers."""
    number = SAMPLES.index(sample)
    table = synthetic(number, Study.load(), "KO", cells=10, datasets=2).reset_index(drop=True)
    table[DATASET] = sample + table[DATASET].astype(str)
    if sample == SAMPLES[2]:
        table["nucleus_area"] = table["nucleus_area"].round().astype("int64")
        table["mCherry_more"] = np.arange(len(table))
    return table.head(0)[[*IDENTITY, CLASS]] if sample == EMPTY else table


def marker_of(sample: str) -> pd.DataFrame:
    """Features of the marker in another order of cells; units are not known of every sample."""
    cells = cells_of(sample)[IDENTITY].iloc[::-1].reset_index(drop=True)
    puncta = cells[CELL_ID].astype(float) + SAMPLES.index(sample) / 7
    cells["marker_puncta_number_contrast"] = puncta
    return cells if sample == SAMPLES[0] else cells.assign(marker_mean_units=puncta)


def fields_of(sample: str) -> pd.DataFrame:
    known = dict(zip(METADATA[:3], ("KO", sample.split("__")[1], "untreated"), strict=True))
    names = sorted(cells_of(sample)[DATASET].unique())
    fields = {DATASET: names, "fov": [f"FOV{n}" for n in range(len(names))]}
    return pd.DataFrame(fields).astype(str).assign(**known, pixel_um=0.1)


@study_asset(group="imaging", io="table_io", kinds=[], partitions=samples)
def cell_features(context) -> pd.DataFrame:
    """Cells of a sample, for these tests."""
    return cells_of(context.partition)


@study_asset(group="imaging", io="table_io", kinds=[], partitions=samples)
def marker_features(context) -> pd.DataFrame:
    """Features of the marker, for these tests."""
    return marker_of(context.partition)


@study_asset(group="imaging", io="table_io", kinds=[], partitions=samples)
def single_cell_images(context) -> pd.DataFrame:
    """Fields of view of a sample, for these tests."""
    return fields_of(context.partition)


MADE = [raw_features, clean_features, model_features]
OF_SAMPLES = [cell_features, marker_features, single_cell_images]


@pytest.fixture(scope="module")
def made(store, tmp_path_factory):
    """Study, and paths of the three tables of a genotype."""
    file = study_file(tmp_path_factory.mktemp("pieces"), "features in pieces")
    resources = {
        "study": StudyResource(study_file=str(file)),
        "table_io": ParquetIOManager(study_file=str(file)),
    }
    job = dg.Definitions(
        [*OF_SAMPLES, *MADE], resources=resources, executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()
    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    for name, keys in (("sample", SAMPLES), ("genotype", ["KO"])):
        instance.add_dynamic_partitions(name, list(keys))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP", ROWS)
        for assets, partition in (*((OF_SAMPLES, sample) for sample in SAMPLES), (MADE, "KO")):
            done = job.execute_in_process(
                instance=instance,
                partition_key=partition,
                asset_selection=[one.key for one in assets],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            assert done.success
    found = {}
    for one in MADE:
        record = latest(instance, one.key, "KO")
        assert record is not None
        uid = record.metadata[UID]
        found[one.key.to_user_string()] = store.Artifact.get(uid=uid).path
    return Study.load(file), found


@pytest.fixture(scope="module")
def whole(made) -> dict[str, pd.DataFrame]:
    """The same tables, put together from whole ones."""
    raw = pd.concat([cells_of(s) for s in SAMPLES if s != EMPTY], ignore_index=True)
    fields = pd.concat([fields_of(s) for s in SAMPLES], ignore_index=True)
    cleaned = clean(raw, fields, made[0])
    marker = pd.concat([marker_of(s) for s in SAMPLES if s != EMPTY], join="inner")
    joined = cleaned.merge(marker, on=IDENTITY, how="left", validate="one_to_one")
    return {"raw_features": raw, "clean_features": cleaned, "model_features": joined}


@pytest.mark.parametrize("asset", ["raw_features", "clean_features", "model_features"])
def test_a_table_made_in_pieces_has_the_bytes_of_the_whole_one(
    made, whole, tmp_path, monkeypatch, asset
):
    monkeypatch.setattr(parquet, "ROW_GROUP", ROWS)
    table = whole[asset]
    assert len(table) > 3 * ROWS
    write_table(table, tmp_path / "whole.parquet")
    found = made[1][asset]
    pd.testing.assert_frame_equal(pd.read_parquet(found), table)
    assert found.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_numbers_and_categories_of_another_lab_are_read_as_of_a_table_of_our_own(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(parquet, "ROW_GROUP", ROWS)
    ours = cells_of(SAMPLES[0])
    theirs = ours.assign(
        **{DATASET: ours[DATASET].astype("category"), CELL_ID: ours[CELL_ID].astype(float)},
        half=ours[CELL_ID] / 2,
    )
    write_table(theirs, tmp_path / "theirs.parquet")
    table = of_plain_types(StoredTable(tmp_path / "theirs.parquet", stream_table))
    found = pd.concat(list(table.pieces()), ignore_index=True)
    pd.testing.assert_frame_equal(found.drop(columns="half"), ours)
    assert found["half"].dtype == float and len(found) > ROWS
