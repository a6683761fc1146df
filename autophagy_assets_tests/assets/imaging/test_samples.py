"""Imaging as an asset: one bad field is excluded with its reason, the others go on."""

from __future__ import annotations

import itertools
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.staleness.materializations import latest
from autophagy_assets_tests.assets.fakes import (
    CELLS,
    fake_featurize,
    fake_process_field,
    one_by_one,
)
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

_numbers = itertools.count()
SAMPLE = "WT__clone-1__untreated"
FIELDS = [
    ("WT", "clone 1", "untreated", "FOV1"),
    ("WT", "clone 1", "untreated", "FOV2"),
    ("WT", "clone 1", "14h Torin-1", "FOV1"),
    ("KO", "clone 2", "untreated", "FOV1"),
    ("KO", "clone 2", "14h Torin-1", "FOV1"),
]


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def platform(store, tmp_path, folder, monkeypatch) -> Platform:
    monkeypatch.setattr(segmentation, "process_field", fake_process_field)
    monkeypatch.setattr(featurization, "featurize", fake_featurize)
    monkeypatch.setattr(compute, "map_fields", one_by_one)
    platform = Platform(study_file(tmp_path, f"imaging {next(_numbers)}"))
    write_images(folder, platform.study, FIELDS, seed=next(_numbers))
    return platform


def paint(folder: Path, field: int, value: int) -> None:
    """An image of one value but for its corner, which the fake segmentation takes as a sign."""
    pixels = np.full((12, 12), value, dtype=np.uint16)
    pixels[0, 0] = 1000 + field  # no two fields have the same image
    tifffile.imwrite(folder / f"images/{field}_DAPI.tif", pixels)


def image(platform: Platform, folder: Path, sample: str = SAMPLE, check: bool = True):
    ingest(folder, platform.study, replace=True)
    platform.sync()
    return platform.run("single_cell_images", "cell_features", partition=sample, check=check)


def test_the_manifest_names_fields_datasets_and_images(platform, folder, store):
    image(platform, folder)
    manifest = platform.table("single_cell_images", SAMPLE)
    assert list(manifest.columns) == [
        *("sample", "field", "genotype", "stimulation", "clone", "fov"),
        *("status", "reason", "n_cells", "dataset", "spatialdata", "pixel_um", "images"),
    ]
    assert manifest["fov"].tolist() == ["FOV1", "FOV2"]
    assert manifest["status"].tolist() == ["ok", "ok"]
    assert manifest["n_cells"].tolist() == [CELLS, CELLS]
    for row in manifest.itertuples():
        crops, field = (store.Artifact.get(uid=uid) for uid in (row.dataset, row.spatialdata))
        place = f"/{SAMPLE}/{row.fov}/"
        assert crops.key.endswith(f"{place}single_cell_data.h5ad")
        assert field.key.endswith(f"{place}spatialdata.zarr")
        assert crops.n_observations == CELLS
        values = crops.features.get_values()
        assert values["artifact type"] == "scportrait single-cell images"
        assert (values["cell_line_clone"], values["FOV"]) == ("clone 1", row.fov)
        assert (values["genotype"], values["stimulation"]) == ("WT", "untreated")
        channels = [store.Artifact.get(uid=uid) for uid in row.images.split(";")]
        names = [a.features.get_values()["channel"] for a in channels]
        assert names == list(platform.study.channels)


def test_features_name_the_dataset_and_class_of_every_cell(platform, folder):
    image(platform, folder)
    manifest = platform.table("single_cell_images", SAMPLE)
    cells = platform.table("cell_features", SAMPLE)
    assert list(cells.columns[:3]) == ["dataset", "scportrait_cell_id", "class"]
    assert cells.groupby("dataset").size().to_dict() == dict.fromkeys(manifest["dataset"], CELLS)
    assert set(cells["class"]) == {0}
    image(platform, folder, "WT__clone-1__14h-Torin-1")
    assert set(platform.table("cell_features", "WT__clone-1__14h-Torin-1")["class"]) == {1}


@pytest.mark.parametrize(
    ("value", "reason"), [(0, "There are no cells in the field"), (13, "segmentation went wrong")]
)
def test_a_bad_field_is_excluded_with_its_reason(platform, folder, value, reason):
    paint(folder, 0, value)
    image(platform, folder)
    bad, good = platform.table("single_cell_images", SAMPLE).to_dict("records")
    assert (bad["fov"], bad["status"], bad["n_cells"], bad["dataset"]) == (
        *("FOV1", "excluded"),
        0,
        "",
    )
    assert reason in bad["reason"]
    assert (good["status"], good["n_cells"]) == ("ok", CELLS)
    cells = platform.table("cell_features", SAMPLE)
    assert set(cells["dataset"]) == {good["dataset"]}


def test_a_full_disk_is_no_fault_of_the_field(platform, folder):
    paint(folder, 0, 28)
    result = image(platform, folder, check=False)
    assert not result.success
    assert "No space left" in platform.failure(result) or "max_retries" in platform.failure(result)
    assert latest(platform.instance, dg.AssetKey("single_cell_images"), SAMPLE) is None


def test_a_sample_without_a_usable_field_does_not_stop_its_genotype(platform, folder):
    paint(folder, 2, 0)
    for sample in (SAMPLE, "WT__clone-1__14h-Torin-1"):
        image(platform, folder, sample)
    assert len(platform.table("cell_features", "WT__clone-1__14h-Torin-1")) == 0
    platform.run("raw_features", "clean_features", partition="WT")
    cells = platform.table("clean_features", "WT")
    assert len(cells) == 2 * CELLS
    assert set(cells["stimulation"]) == {"untreated"}


def test_a_genotype_without_a_cell_is_reported(platform, folder):
    for field in (3, 4):
        paint(folder, field, 0)
    for sample in ("KO__clone-2__untreated", "KO__clone-2__14h-Torin-1"):
        image(platform, folder, sample)
    result = platform.run("raw_features", partition="KO", check=False)
    assert not result.success
    assert "Genotype KO has no cells: look at the reasons" in platform.failure(result)


def test_a_sample_that_was_added_by_hand_is_reported_as_having_no_field(platform, folder):
    image(platform, folder)
    platform.instance.add_dynamic_partitions("sample", ["WT__clone-9__untreated"])
    result = platform.run("single_cell_images", partition="WT__clone-9__untreated", check=False)
    assert not result.success
    assert platform.failure(result).splitlines()[0] == (
        "Sample WT__clone-9__untreated has no registered field of view: ingest its images, or run "
        "'autophagy refresh', which removes samples without images."
    )
    assert not result.retry_attempts_for_node("single_cell_images")


def test_a_sample_without_a_field_does_not_stop_its_genotype(platform, folder):
    """Made from the other samples as long as it is there, and taken away by the next sync."""
    image(platform, folder)
    samples = platform.partitions("sample")
    platform.instance.add_dynamic_partitions("sample", ["WT__clone-9__untreated"])
    platform.run("single_cell_images", partition="WT__clone-9__untreated", check=False)
    platform.run("raw_features", "clean_features", partition="WT")
    assert len(platform.table("clean_features", "WT")) == 2 * CELLS
    platform.sync()
    assert platform.partitions("sample") == samples


def test_the_whole_way_from_images_to_clean_features(platform, folder, store):
    ingest(folder, platform.study)
    platform.sync()
    samples = platform.partitions("sample")
    assert len(samples) == 4
    for sample in samples:
        platform.run("single_cell_images", "cell_features", partition=sample)
    platform.features()
    cells = platform.table("clean_features", "WT")
    assert len(cells) == 3 * CELLS
    found = cells[["genotype", "clone", "stimulation", "fov"]].drop_duplicates()
    assert sorted(map(tuple, found.to_numpy())) == sorted(f for f in FIELDS if f[0] == "WT")
    artifact = platform.artifact("raw_features", "WT")
    assert artifact.description == "featurized single-cell images"
    # Only the samples of the genotype were read.
    read = {a.key.rsplit("/", 1)[1] for a in artifact.run.input_artifacts.all()}
    assert read == {f"{s}.parquet" for s in samples if s.startswith("WT__")}


def test_a_changed_image_makes_its_sample_out_of_date_and_no_other(platform, folder):
    image(platform, folder)
    before = platform.table("single_cell_images", SAMPLE).set_index("fov")
    paint(folder, 0, 100)
    ingest(folder, platform.study, replace=True)
    assert platform.sync() == [f"raw_images[{SAMPLE}]"]
    platform.run("single_cell_images", "cell_features", partition=SAMPLE)
    after = platform.table("single_cell_images", SAMPLE).set_index("fov")
    assert before.loc["FOV1", "dataset"] != after.loc["FOV1", "dataset"]
    assert before.loc["FOV2", "dataset"] == after.loc["FOV2", "dataset"]


def test_nothing_is_left_in_the_store_of_a_field_that_was_being_made(platform, folder, store):
    root = Path(str(store.settings.storage.root))
    before = set(root.glob(".tmp*"))  # of runs that other tests have killed
    paint(folder, 0, 13)
    image(platform, folder)
    assert set(root.glob(".tmp*")) <= before


def test_imaging_again_gives_the_same_version(platform, folder):
    image(platform, folder)
    first = platform.latest("single_cell_images", SAMPLE)
    platform.run("single_cell_images", partition=SAMPLE)
    second = platform.latest("single_cell_images", SAMPLE)
    assert first.run_id != second.run_id
    assert first.version == second.version
    pd.testing.assert_frame_equal(
        platform.table("single_cell_images", SAMPLE), platform.table("single_cell_images", SAMPLE)
    )


def checked(platform: Platform, name: str) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(dg.AssetKey("single_cell_images"), name)
    found = platform.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert found and found[0].evaluation is not None
    return found[0].evaluation


def test_the_checks_account_for_every_field(platform, folder):
    paint(folder, 0, 0)
    image(platform, folder)
    fields = checked(platform, "every_field_accounted_for")
    assert fields.passed and fields.partition == SAMPLE
    assert "Of 2 registered fields of view, the manifest lists 2; 1 " in str(fields.description)
    number = checked(platform, "no_field_excluded")
    assert not number.passed and number.severity == dg.AssetCheckSeverity.WARN
    assert "1 of 2 (FOV1: There are no cells in the field" in str(number.description)
    assert number.metadata["excluded"].value == 1
    cells = checked(platform, "cells_per_field")
    assert not cells.passed and f"1 outside (FOV2 has {CELLS})" in str(cells.description)
