"""A sample that is imaged again keeps what there is, with the same result as from scratch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.automation.reconcile import reconcile
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.lineage.cells import lineage_of_cell
from autophagy_assets.registry.lineage.lineage import Node, lineage_of, nodes_of
from autophagy_assets_tests.assets import fakes
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field, one_by_one
from autophagy_assets_tests.assets.imaging.test_samples import SAMPLE, paint
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import cell, write_images

pytestmark = pytest.mark.slow

_numbers = itertools.count(1000)
FIELDS = [("WT", "clone 1", "untreated", f"FOV{number}") for number in (1, 2, 3)]


@pytest.fixture(scope="module", autouse=True)
def _fakes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "process_field", fake_process_field)
        patch.setattr(featurization, "featurize", fake_featurize)
        patch.setattr(compute, "map_fields", one_by_one)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def platform(store, folder) -> Platform:
    return of_two_fields(folder)


@dataclass
class Grown:
    """A platform after the third field was imaged, and what there was before. Read-only."""

    platform: Platform
    folder: Path
    first: pd.DataFrame  # the manifest of two fields
    artifact: Any  # and its artifact,
    maker: Any  # made by this run
    found: tuple[set[Any], set[Any]]  # by reconcile, before and after


@pytest.fixture(scope="module")
def grown(store, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    folder = tmp_path_factory.mktemp("grown") / "images"
    platform = of_two_fields(folder)
    artifact = platform.artifact("single_cell_images", SAMPLE)
    first, maker, found = manifest(platform), artifact.run, set(reconcile(platform.instance))
    image(platform, folder)
    after = set(reconcile(platform.instance))
    return Grown(platform, folder, first, artifact, maker, (found, after))


def of_two_fields(folder: Path) -> Platform:
    """A platform that has imaged two fields, and knows of a third."""
    number = next(_numbers)
    platform = Platform(study_file(folder.parent, f"kept {number}"))
    table = write_images(folder, platform.study, FIELDS, seed=number)
    table[table["FOV"] != "FOV3"].to_csv(folder / "metadata_files.csv", index=False)
    image(platform, folder)
    table.to_csv(folder / "metadata_files.csv", index=False)
    return platform


def image(platform: Platform, folder: Path) -> None:
    ingest(folder, platform.study, replace=True)
    platform.sync()
    platform.run("single_cell_images", partition=SAMPLE)


def imaged(platform: Platform, store) -> set[str]:
    """Fields whose crops the latest run of the sample has made, or made again."""
    run = store.Run.get(uid=platform.latest("single_cell_images", SAMPLE).metadata["lamindb/run"])
    made = [*run.output_artifacts.filter(suffix=".h5ad")]
    made += store.Artifact.filter(recreating_runs=run, suffix=".h5ad")
    return {artifact.features.get_values()["FOV"] for artifact in made}


def manifest(platform: Platform) -> pd.DataFrame:
    return platform.table("single_cell_images", SAMPLE)


def raw_images(node: Node) -> set[str]:
    below = set().union(*(raw_images(child) for child in node.inputs))
    return below | ({node.uid} if node.kind == "image" else set())


def test_only_the_new_field_is_imaged(grown, store):
    assert imaged(grown.platform, store) == {"FOV3"}
    pd.testing.assert_frame_equal(manifest(grown.platform).iloc[:2], grown.first)


def test_content_is_the_same_as_from_scratch(platform, folder, store):
    image(platform, folder)
    kept = platform.latest("single_cell_images", SAMPLE)
    again = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}
    platform.run("single_cell_images", partition=SAMPLE, config=again)
    scratch = platform.latest("single_cell_images", SAMPLE)
    assert imaged(platform, store) == {"FOV1", "FOV2", "FOV3"}
    assert scratch.version == kept.version
    assert scratch.fingerprint == kept.fingerprint
    platform.run("single_cell_images", partition=SAMPLE)
    assert imaged(platform, store) == set()
    assert platform.latest("single_cell_images", SAMPLE).version == kept.version


def test_a_kept_cell_leads_back_to_its_own_images(grown):
    platform = grown.platform
    platform.run("cell_features", partition=SAMPLE)
    cells = platform.table("cell_features", SAMPLE).drop_duplicates("dataset")
    images = manifest(platform).set_index("dataset")["images"]
    for row in cells.itertuples():
        tree = lineage_of_cell(row.dataset, row.scportrait_cell_id)
        assert raw_images(tree) == set(images[row.dataset].split(";"))


def test_kept_files_are_inputs_of_the_run_and_stay_with_their_maker(grown, store):
    platform = grown.platform
    kept, new = manifest(platform).iloc[:2], manifest(platform).iloc[2]
    run = platform.artifact("single_cell_images", SAMPLE).run
    expected = {*kept["dataset"], *kept["spatialdata"], *new["images"].split(";")}
    expected.add(grown.artifact.uid)
    assert {a.uid for a in run.input_artifacts.all()} == expected
    assert {store.Artifact.get(uid=uid).run for uid in kept["dataset"]} == {grown.maker}


def test_lineage_does_not_go_through_the_manifest_that_said_what_to_keep(platform, folder, store):
    """Else what was withdrawn or replaced long ago would be behind everything for good."""
    old = set(manifest(platform)["images"][0].split(";"))
    paint(folder, 0, 100)
    image(platform, folder)
    platform.run("single_cell_images", partition=SAMPLE)  # the same once more
    now = manifest(platform)
    tree = lineage_of(platform.artifact("single_cell_images", SAMPLE).uid)
    assert raw_images(tree) == set(";".join(now["images"]).split(";")) != old
    assert sum(node.key == tree.key for node in nodes_of(tree)) == 1


def test_reconcile_finds_nothing(grown):
    before, after = grown.found
    assert after == before


@pytest.mark.parametrize("column", ["dataset", "spatialdata"])
def test_a_lost_file_is_missed_and_only_its_field_imaged(platform, folder, store, column):
    from autophagy_assets.registry.store.files import remove
    from autophagy_assets.staleness.upstream import Target

    image(platform, folder)
    version = platform.latest("single_cell_images", SAMPLE).version
    remove(Path(store.Artifact.get(uid=manifest(platform)[column][0]).path))
    assert platform.plan().ready[Target("single_cell_images", SAMPLE)] == "its file is gone"
    platform.run("single_cell_images", partition=SAMPLE)
    assert imaged(platform, store) == {"FOV1"}
    assert platform.latest("single_cell_images", SAMPLE).version == version


def test_a_changed_file_is_not_kept(platform, folder, store):
    path = Path(store.Artifact.get(uid=manifest(platform)["dataset"][1]).path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    image(platform, folder)
    assert imaged(platform, store) == {"FOV2", "FOV3"}


def test_a_lost_manifest_has_all_fields_imaged(platform, folder, store):
    Path(platform.artifact("single_cell_images", SAMPLE).path).unlink()
    image(platform, folder)
    assert imaged(platform, store) == {"FOV1", "FOV2", "FOV3"}


def test_changed_images_are_imaged(platform, folder, store):
    paint(folder, 1, 100)
    image(platform, folder)
    assert imaged(platform, store) == {"FOV2", "FOV3"}


def test_other_parameters_have_all_fields_imaged(platform, folder, store, tmp_path):
    changed = study_file(tmp_path, platform.study.name, segmentation={"median_filter_px": 3})
    other = Platform(changed)
    other.instance = platform.instance
    image(other, folder)
    assert imaged(other, store) == {"FOV1", "FOV2", "FOV3"}


def test_a_field_that_was_excluded_is_tried_again(platform, folder, store, monkeypatch):
    paint(folder, 2, 13)
    image(platform, folder)
    assert manifest(platform)["status"].tolist() == ["ok", "ok", "excluded"]
    monkeypatch.setattr(fakes, "broken", set())  # what a library may do: an error is gone
    platform.run("single_cell_images", partition=SAMPLE)
    assert manifest(platform)["status"].tolist() == ["ok", "ok", "ok"]
    assert imaged(platform, store) == {"FOV3"}


def test_corrected_labels_reach_what_is_kept(platform, folder, store):
    for row in range(9):
        cell("magnification", "40X", row)(folder)
    image(platform, folder)
    kept = store.Artifact.get(uid=manifest(platform)["dataset"][0])
    assert kept.features.get_values()["magnification"] == "40X"


def test_an_older_version_that_is_right_again_is_the_latest_again(platform, folder, store):
    first = manifest(platform)
    original = (folder / "images/0_DAPI.tif").read_bytes()
    paint(folder, 0, 100)
    image(platform, folder)
    (folder / "images/0_DAPI.tif").write_bytes(original)
    image(platform, folder)
    assert imaged(platform, store) == {"FOV1"}
    pd.testing.assert_frame_equal(manifest(platform).iloc[:2], first)
    assert all(store.Artifact.get(uid=uid).is_latest for uid in first["dataset"])


def test_ingest_of_the_same_images_keeps_everything(grown):
    assert ingest(grown.folder, grown.platform.study).new_images == 0
    assert grown.platform.sync() == []
