"""Fields of view that share datasets: the same cells under other names."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import h5py
import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.automation.next_runs import look
from autophagy_assets.automation.reconcile import reconcile
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets.registry.lineage.cells import lineage_of_cell
from autophagy_assets.registry.review.annotate import withdrawn
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets_tests.assets.fakes import CELLS, fake_process_field, one_by_one
from autophagy_assets_tests.assets.imaging.test_kept_fields import raw_images
from autophagy_assets_tests.assets.imaging.test_samples import SAMPLE
from autophagy_assets_tests.object_store import ENVIRONMENT
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

_numbers = itertools.count(5000)
FIELDS = [("WT", "clone 1", "untreated", f"FOV{number}") for number in (1, 2, 3, 10)]
TABLES = ("single_cell_images", "cell_features", "marker_features")
# In a process and a home of its own; the study file, beside its images, is the first argument.
ELSEWHERE = """
import json, shutil, sys
from pathlib import Path
import autophagy_assets.compute.pool as compute
from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.lineage.cells import lineage_of_cell
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.instance import connect, storage_root
from autophagy_assets_tests.assets.fakes import fake_process_field, one_by_one
from autophagy_assets_tests.assets.imaging.test_shared_datasets import *
segmentation.process_field, featurization.featurize = fake_process_field, featurize_pixels
compute.map_fields = one_by_one
file = Path(sys.argv[1])
"""
IN_A_BUCKET = (
    ELSEWHERE
    + """
platform = Platform(file)
ingest(file.parent / "images", platform.study)
platform.sync()
platform.run("single_cell_images", partition=SAMPLE)
copies = [p for p in storage_root().rglob("*") if p.suffix in (".h5ad", ".zarr")]
for path in copies:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
platform.run(*TABLES, partition=SAMPLE)
shown = lineage_of_cell(sys.argv[2], int(sys.argv[3])).inputs[0]
print(json.dumps([len(copies), hashes(connect(), platform), raw_images(shown)], default=sorted))
"""
)
WITH_A_SOURCE = (
    """
import os, lamindb_setup
lamindb_setup.init(storage="own", name="own", modules="bionty", _write_settings=False)
from lamindb_setup import settings
settings.instance._persist(write_to_disk=True, write_current_instance_file=False)
os.environ["LAMIN_CURRENT_INSTANCE"] = settings.instance.slug
"""
    + ELSEWHERE
    + """
platform = Platform(file)
reported = platform.sync()
platform.run("raw_features", "clean_features", partition="WT")
tree = lineage_of_cell(sys.argv[2], int(sys.argv[3]))
version = platform.latest("clean_features", "WT").version
print(json.dumps([reported, version, tree.detail, tree.inputs[0].uid]))
"""
)


def featurize_pixels(h5ad: Path, study: object) -> pd.DataFrame:
    """Features that follow from the crop of each cell alone, as scPortrait's do."""
    with h5py.File(h5ad) as file:
        ids = file["obs/scportrait_cell_id"][:].astype("int64")
        images = file["obsm/single_cell_images"][:].astype(float)
    sums = images.sum(axis=(2, 3))
    table = pd.DataFrame(sums, columns=[f"sum {n}" for n in range(sums.shape[1])])
    table.insert(0, "scportrait_cell_id", ids)
    return table


@pytest.fixture(scope="module", autouse=True)
def _fakes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "process_field", fake_process_field)
        patch.setattr(featurization, "featurize", featurize_pixels)
        patch.setattr(compute, "map_fields", one_by_one)
        yield


def make(folder: Path, name: str, each: int, fields: list = FIELDS, seed: int = 5) -> Platform:
    """A study with the same images, whoever asks, whose fields share datasets."""
    folder.mkdir()
    platform = Platform(study_file(folder, name, storage={"fields_per_dataset": each}))
    write_images(folder / "images", platform.study, fields, seed=seed)
    ingest(folder / "images", platform.study)
    platform.sync()
    platform.run(*TABLES, partition=SAMPLE)
    return platform


@pytest.fixture(scope="module")
def alone(store, tmp_path_factory) -> Platform:
    return make(tmp_path_factory.mktemp("a") / "alone", f"alone {next(_numbers)}", 1)


@pytest.fixture(scope="module")
def shared(store, tmp_path_factory) -> Platform:
    return make(tmp_path_factory.mktemp("s") / "shared", f"shared {next(_numbers)}", 3)


def nameless(platform: Platform, asset: str) -> pd.DataFrame:
    """A table by field and the id of the cell in its field, without dataset and id."""
    manifest, table = platform.table("single_cell_images", SAMPLE), platform.table(asset, SAMPLE)
    manifest["first_id"] = manifest.get("first_id", 0)
    parts = []
    for row in manifest.itertuples():
        others = manifest.loc[manifest["dataset"] == row.dataset, "first_id"]
        last = min((first for first in others if first > row.first_id), default=np.inf)
        there = (table["dataset"] == row.dataset) & table["scportrait_cell_id"].between(
            row.first_id, last, inclusive="right"
        )
        part = table[there].assign(fov=row.fov)
        part["own id"] = part["scportrait_cell_id"] - row.first_id
        parts.append(part.drop(columns=["dataset", "scportrait_cell_id"]))
    assert sum(map(len, parts)) == len(table)
    return pd.concat(parts).sort_values(["fov", "own id"], ignore_index=True)


def hashes(store, platform: Platform) -> dict[str, list[str]]:
    """Uid of each file that was made of a sample, and its name, which is its hash."""
    study = store.ULabel.get(name=platform.study.name)
    found = store.Artifact.filter(ulabels=study, is_latest=True, key__contains=f"/{SAMPLE}")
    return {
        one.key: [one.uid, Path(str(one.path)).name]
        for one in found
        if one.suffix in (".h5ad", ".zarr", ".parquet")
    }


def store_name() -> str:
    import lamindb

    return lamindb.setup.settings.instance.slug


def a_cell(platform: Platform, fov: str) -> tuple[str, int]:
    """Dataset and id of a cell of a field."""
    row = platform.table("single_cell_images", SAMPLE).set_index("fov").loc[fov]
    cells = platform.table("cell_features", SAMPLE)
    ids = cells.loc[cells["dataset"] == row["dataset"], "scportrait_cell_id"]
    return row["dataset"], int(ids[ids > row["first_id"]].min())


@pytest.mark.parametrize("asset", ["cell_features", "marker_features"])
def test_tables_are_the_same_but_for_dataset_and_id(alone, shared, asset):
    one, other = nameless(alone, asset), nameless(shared, asset)
    assert len(one) == len(FIELDS) * CELLS
    pd.testing.assert_frame_equal(one, other)


def test_fields_are_put_together_in_the_order_in_which_people_count(shared, store):
    manifest = shared.table("single_cell_images", SAMPLE).set_index("fov")
    datasets = manifest["dataset"].to_dict()
    assert datasets["FOV1"] == datasets["FOV2"] == datasets["FOV3"] != datasets["FOV10"]
    crops = store.Artifact.get(uid=datasets["FOV1"])
    assert crops.key.endswith(f"/{SAMPLE}/fields-1/single_cell_data.h5ad")
    assert crops.n_observations == 3 * CELLS
    cells = shared.table("cell_features", SAMPLE)
    assert not cells.duplicated(["dataset", "scportrait_cell_id"]).any()
    with h5py.File(crops.cache()) as file:
        obs = file["obs"]
        assert sorted(set(obs["fov"].asstr()[:])) == ["FOV1", "FOV2", "FOV3"]
        first = manifest.loc[obs["fov"].asstr()[:], "first_id"].to_numpy()
        np.testing.assert_array_equal(obs["scportrait_cell_id"][:], obs["id_in_field"][:] + first)


def test_the_queries_of_the_notebook_find_datasets_and_cells(shared, store):
    study = store.ULabel.get(name=shared.study.name)
    found = store.Artifact.filter(ulabels=study, is_latest=True)
    crops = found.filter(ulabels__name="scportrait single-cell images")
    manifest = shared.table("single_cell_images", SAMPLE)
    assert {artifact.uid for artifact in crops} == set(manifest["dataset"])
    of_field = crops.filter(ulabels__name="WT").filter(ulabels__name="FOV2").one()
    assert of_field.uid == manifest.set_index("fov").loc["FOV2", "dataset"]
    spatial = of_field.key.replace("single_cell_data.h5ad", "spatialdata.zarr")
    assert found.get(key=spatial).uid == manifest.set_index("fov").loc["FOV2", "spatialdata"]


def test_metadata_of_a_cell_is_that_of_its_field(alone, shared):
    found = []
    for platform in (alone, shared):
        platform.run("raw_features", "clean_features", partition="WT")
        found.append(platform.table("clean_features", "WT"))
    counts = [table.groupby(["clone", "stimulation", "fov"]).size().to_dict() for table in found]
    assert counts[0] == counts[1] and set(counts[0].values()) == {CELLS}


def test_a_cell_leads_to_the_images_of_its_own_field_alone(shared):
    manifest = shared.table("single_cell_images", SAMPLE)
    cells = shared.table("cell_features", SAMPLE)
    for row in manifest.itertuples():
        there = cells[cells["dataset"] == row.dataset]["scportrait_cell_id"]
        cell = int(there[there > row.first_id].min())
        tree = lineage_of_cell(row.dataset, cell)
        crops, field = tree.inputs[:2]
        assert raw_images(crops) == raw_images(field) == set(row.images.split(";"))


def test_a_bucket_has_the_files_of_a_folder_and_gives_them_back(
    shared, store, run_script, object_store
):
    storage = {"AUTOPHAGY_STORAGE": object_store.address("lab", "shared")} | ENVIRONMENT
    cell = a_cell(shared, "FOV2")
    copies, found, images = run_script(IN_A_BUCKET, shared.file, *cell, **storage)
    assert copies == 4  # crops and a store for each of two datasets
    assert found == hashes(store, shared)
    assert set(images) == raw_images(lineage_of_cell(*cell).inputs[0])


def test_another_instance_reads_them_as_its_source(shared, run_script, tmp_path):
    shared.run("raw_features", "clean_features", partition="WT")
    cell = a_cell(shared, "FOV2")
    shutil.copytree(os.environ["LAMIN_SETTINGS_DIR"], tmp_path / "known")
    known = {"LAMIN_SETTINGS_DIR": str(tmp_path / "known"), "AUTOPHAGY_SOURCE": store_name()}
    reported, version, said, crops = run_script(WITH_A_SOURCE, shared.file, *cell, **known)
    assert reported == ["source_features[WT]", "source_datasets"]
    assert version == shared.latest("clean_features", "WT").version
    assert said == "WT, untreated, clone 1, FOV2" and crops == cell[0]


def test_nothing_is_left_of_files_of_one_field_and_nothing_disagrees(shared):
    left = [path for path in storage_root().rglob("_alone/**/*") if path.is_file()]
    assert not left
    found = reconcile(shared.instance, study=shared.study)
    assert not [one for one in found if slug(shared.study.name) in str(one)]


def imaged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fields that are segmented from now on."""
    seen: list[str] = []

    def noting(function, jobs, *_, **__):
        for job, outcome in one_by_one(function, jobs):
            seen.extend(part.fov for part in job if isinstance(part, Field))
            yield job, outcome

    monkeypatch.setattr(compute, "map_fields", noting)
    return seen


def test_a_new_field_is_imaged_alone_and_content_is_as_from_scratch(store, tmp_path, monkeypatch):
    name = f"growing {next(_numbers)}"
    platform = make(tmp_path / "first", name, 2, FIELDS[:3], seed=8)
    before = platform.table("single_cell_images", SAMPLE).set_index("fov")
    write_images(tmp_path / "images", platform.study, FIELDS, seed=8)
    ingest(tmp_path / "images", platform.study)
    platform.sync()
    seen = imaged(monkeypatch)
    platform.run(*TABLES, partition=SAMPLE)
    after = platform.table("single_cell_images", SAMPLE).set_index("fov")
    assert seen == ["FOV10"]
    same = before["dataset"] == after.loc[before.index, "dataset"]
    assert same.to_dict() == {"FOV1": True, "FOV2": True, "FOV3": False}
    content = platform.latest("single_cell_images", SAMPLE).version
    again = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}
    platform.run("single_cell_images", partition=SAMPLE, config=again)
    assert len(seen) == 1 + len(FIELDS)
    assert platform.latest("single_cell_images", SAMPLE).version == content


def test_a_withdrawn_field_takes_its_cells_along_and_no_other_is_imaged(
    store, tmp_path, monkeypatch
):
    platform = make(tmp_path / "w", f"withdrawn {next(_numbers)}", 2, FIELDS[:3], seed=9)
    before = platform.table("single_cell_images", SAMPLE).set_index("fov")
    cells = nameless(platform, "cell_features")
    withdraw(["WT, clone 1, untreated, FOV1"], platform.study)
    assert withdrawn(set(before["dataset"]), platform.study) == {before.loc["FOV1", "dataset"]}
    seen = imaged(monkeypatch)
    look(platform.instance, str(platform.file))
    platform.run(*TABLES, partition=SAMPLE)
    after = platform.table("single_cell_images", SAMPLE)
    assert not seen and after["fov"].tolist() == ["FOV2", "FOV3"]
    assert after["dataset"].nunique() == 1
    left = cells[cells["fov"] != "FOV1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(nameless(platform, "cell_features"), left)
    look(platform.instance, str(platform.file))
    study = store.ULabel.get(name=platform.study.name)
    found = store.Artifact.filter(ulabels=study, is_latest=True, suffix=".h5ad")
    assert [artifact.uid for artifact in found] == after["dataset"].unique().tolist()


def test_a_run_that_is_cut_off_loses_the_field_it_was_at(store, tmp_path, monkeypatch):
    folder = tmp_path / "cut"
    folder.mkdir()
    name = f"cut off {next(_numbers)}"
    platform = Platform(study_file(folder, name, storage={"fields_per_dataset": 3}))
    write_images(folder / "images", platform.study, FIELDS, seed=11)
    ingest(folder / "images", platform.study)
    platform.sync()

    def cut_off(function, jobs, *rest, **more):
        yield from itertools.islice(one_by_one(function, jobs), 2)
        raise dg.Failure("cut off", allow_retries=False)

    with monkeypatch.context() as patch:
        patch.setattr(compute, "map_fields", cut_off)
        platform.run("single_cell_images", partition=SAMPLE, check=False)
    seen = imaged(monkeypatch)
    platform.run("single_cell_images", partition=SAMPLE)
    assert seen == ["FOV2", "FOV3"]
    assert (platform.table("single_cell_images", SAMPLE)["status"] == "ok").all()


def test_content_does_not_depend_on_how_many_share_a_dataset_before(store, tmp_path, monkeypatch):
    platform = make(tmp_path / "one", f"changed {next(_numbers)}", 1, FIELDS[:3], seed=12)
    seen = imaged(monkeypatch)
    text = platform.file.read_text()
    platform.file.write_text(text.replace("fields_per_dataset: 1", "fields_per_dataset: 3"))
    other = Platform(platform.file)
    other.instance = platform.instance
    other.run("single_cell_images", partition=SAMPLE)
    assert not seen
    assert other.table("single_cell_images", SAMPLE)["dataset"].nunique() == 1
