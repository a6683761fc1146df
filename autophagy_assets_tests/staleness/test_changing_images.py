"""Images that come and go while they are worked on are missed by nobody, and leave no cells."""

from __future__ import annotations

import itertools
from pathlib import Path

import dagster as dg
import pytest

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.config.home import Home
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets.staleness.materializations import latest
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.assets import fakes
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study
from autophagy_assets_tests.registry.image_folder import write_images, write_metadata

pytestmark = pytest.mark.slow

_numbers = itertools.count(5000)
SAMPLE = "WT__clone-1__untreated"
FIELDS = [
    ("WT", "clone 1", "untreated", "FOV1"),
    ("WT", "clone 1", "untreated", "FOV2"),
    ("WT", "clone 1", "14h Torin-1", "FOV1"),
]


@pytest.fixture
def imaged(store: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A study of tiny images; the folder of the images is ``images`` beside the study file."""
    monkeypatch.setattr(segmentation, "process_field", fakes.fake_process_field)
    monkeypatch.setattr(featurization, "featurize", fakes.fake_featurize)
    monkeypatch.setattr(compute, "map_fields", fakes.one_by_one)
    number = next(_numbers)
    platform = Platform(write_study(tmp_path, f"imaged {number}"))
    write_images(tmp_path / "images", platform.study, FIELDS, seed=number)
    return platform


def during_imaging(monkeypatch: pytest.MonkeyPatch, happens: object) -> None:
    """Let something happen once, while the first field is being segmented."""
    left = [happens]

    def map_fields(function, jobs, *_, **__):
        for job, outcome in fakes.one_by_one(function, jobs):
            if left:
                left.pop()()
            yield job, outcome

    monkeypatch.setattr(compute, "map_fields", map_fields)


def test_images_ingested_while_their_sample_is_imaged_are_missed_by_nobody(
    imaged: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images"
    table = write_images(folder, imaged.study, FIELDS, seed=next(_numbers))
    write_metadata(folder, table[table["FOV"] != "FOV2"])
    ingest(folder, imaged.study)
    imaged.sync()
    write_metadata(folder, table)

    def happens() -> None:
        ingest(folder, imaged.study)
        imaged.sync()  # as a sensor would

    during_imaging(monkeypatch, happens)
    imaged.run("single_cell_images", partition=SAMPLE)
    assert imaged.table("single_cell_images", SAMPLE)["fov"].tolist() == ["FOV1"]
    reason = imaged.plan().ready[Target("single_cell_images", SAMPLE)]
    assert reason == f"raw_images[{SAMPLE}]: new content"
    imaged.run("single_cell_images", partition=SAMPLE)
    assert imaged.table("single_cell_images", SAMPLE)["fov"].tolist() == ["FOV1", "FOV2"]
    assert Target("single_cell_images", SAMPLE) in imaged.plan().fresh


def test_a_field_withdrawn_while_its_sample_is_imaged_leaves_no_cells(
    imaged: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(tmp_path / "images", imaged.study)
    imaged.sync()

    def happens() -> None:
        withdraw(["WT, clone 1, untreated, FOV2"], imaged.study)
        imaged.sync()

    during_imaging(monkeypatch, happens)
    imaged.run("single_cell_images", partition=SAMPLE)
    assert Target("single_cell_images", SAMPLE) in imaged.plan().ready
    imaged.run("single_cell_images", "cell_features", partition=SAMPLE)
    manifest = imaged.table("single_cell_images", SAMPLE)
    assert manifest["fov"].tolist() == ["FOV1"]
    assert set(imaged.table("cell_features", SAMPLE)["dataset"]) == set(manifest["dataset"])


def test_a_corrected_label_reaches_the_tables_and_images_nothing(
    imaged: Platform, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    table = write_images(folder, imaged.study, FIELDS, seed=next(_numbers))
    ingest(folder, imaged.study)
    imaged.sync()
    samples = imaged.partitions("sample")
    for sample in samples:
        imaged.run("single_cell_images", "cell_features", partition=sample)
    imaged.run("raw_features", "clean_features", partition="WT")
    write_metadata(folder, table.assign(resolution="0.25", cell_line_clone="clone_1"))
    ingest(folder, imaged.study)
    ready = imaged.plan().ready
    assert set(map(str, ready)) >= {f"single_cell_images[{sample}]" for sample in samples}
    before = imaged.table("single_cell_images", SAMPLE)["dataset"].tolist()
    for sample in samples:
        imaged.run("single_cell_images", partition=sample)
    manifest = imaged.table("single_cell_images", SAMPLE)
    assert manifest["dataset"].tolist() == before
    assert set(manifest["pixel_um"]) == {0.25} and set(manifest["clone"]) == {"clone_1"}
    imaged.run("clean_features", partition="WT")
    assert set(imaged.table("clean_features", "WT")["clone"]) == {"clone_1"}


def test_a_damaged_raw_image_costs_its_field_until_it_is_put_back(
    imaged: Platform, tmp_path: Path, store: object
) -> None:
    ingest(tmp_path / "images", imaged.study)
    imaged.sync()
    uid = store.Artifact.filter(
        ulabels__name=imaged.study.name, key__contains=f"{SAMPLE}/FOV2", is_latest=True
    ).first()
    path = Path(uid.path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    imaged.run("single_cell_images", partition=SAMPLE)
    manifest = imaged.table("single_cell_images", SAMPLE)
    assert manifest["status"].tolist() == ["ok", "excluded"]
    assert "autophagy ingest" in manifest["reason"][1]
    assert Target("single_cell_images", SAMPLE) in imaged.plan().fresh
    ingest(tmp_path / "images", imaged.study)
    assert Target("single_cell_images", SAMPLE) in imaged.plan().ready
    imaged.run("single_cell_images", partition=SAMPLE)
    assert imaged.table("single_cell_images", SAMPLE)["status"].tolist() == ["ok", "ok"]


def test_a_field_that_a_cut_off_run_had_finished_is_not_imaged_again(
    imaged: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(tmp_path / "images", imaged.study)
    imaged.sync()
    asked: list[str] = []

    def cut_off_after_the_first(function, jobs, *_, **__):
        for job, outcome in fakes.one_by_one(function, jobs):
            asked.append(job[0].fov)
            if len(asked) == 2:
                raise dg.Failure("cut off", allow_retries=False)
            yield job, outcome

    monkeypatch.setattr(compute, "map_fields", cut_off_after_the_first)
    imaged.run("single_cell_images", partition=SAMPLE, check=False)
    assert latest(imaged.instance, dg.AssetKey("single_cell_images"), SAMPLE) is None
    imaged.run("single_cell_images", partition=SAMPLE)
    assert asked == ["FOV1", "FOV2", "FOV2"]
    content = imaged.latest("single_cell_images", SAMPLE).version
    scratch = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}
    imaged.run("single_cell_images", partition=SAMPLE, config=scratch)
    assert imaged.latest("single_cell_images", SAMPLE).version == content
    assert not list((Home.locate().root / "finished_fields").glob("*"))
