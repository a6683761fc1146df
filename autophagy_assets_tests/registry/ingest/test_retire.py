"""What no longer follows from the registered images is found no more, and can come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.automation.reconcile import reconcile
from autophagy_assets.cli.summary import export
from autophagy_assets.compute import pool as compute
from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.retire import field_keys, retire, stale
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS
from autophagy_assets.staleness.upstream import partitions_name
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field, one_by_one
from autophagy_assets_tests.executed import executed
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

NUMBER = 2000
TREATED = "14h Torin-1"
FIELDS = [
    (genotype, clone, stimulation, fov)
    for genotype in ("WT", "KO")
    for clone in ("clone 1",)
    for stimulation in ("untreated", TREATED)
    for fov in ("FOV1", "FOV2")
]
KNOCKOUT = [", ".join(field) for field in FIELDS if field[0] == "KO"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retired") / "images"


@pytest.fixture(scope="module")
def made(store: Any, images: Path) -> Iterator[Platform]:
    """A platform that has made all of a small study, with imaging made up."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segmentation, "process_field", fake_process_field)
        patched.setattr(featurization, "featurize", fake_featurize)
        patched.setattr(compute, "map_fields", one_by_one)
        platform = Platform(study_file(images.parent, f"retired {NUMBER}"))
        write_images(images, platform.study, FIELDS, seed=NUMBER)
        ingest(images, platform.study)
        assert platform.refresh_here() == {}
        yield platform


@pytest.fixture
def platform(made: Platform, images: Path) -> Iterator[Platform]:
    """That platform, and all that a test has taken out of it put back afterwards."""
    yield made
    ingest(images, made.study)
    assert made.refresh_here() == {}


def test_what_a_study_has_whose_name_differs_in_case_alone_is_left_alone(store: Any) -> None:
    recorder = Recorder(Step("raw_features", "WT", None, "code", "1"))
    for name in ("A screen", "a screen"):
        key = f"{slug(name)}/features/raw_features/WT.parquet"
        recorder.put(lambda path, key=key: path.write_text(key), key, name, {"study": name})
    recorder.finish()
    study = Study.load().model_copy(update={"name": "a screen"})
    assert [one.key for one in stale(study, {"raw_features": []}, set())] == [
        "a-screen/features/raw_features/WT.parquet"
    ]


def names(platform: Platform) -> dict[str, str]:
    graph = platform.defs.resolve_asset_graph()
    by_asset = {
        key.to_user_string(): partitions_name(graph.get(key).partitions_def)
        for key in graph.materializable_asset_keys
    }
    return {asset: name for asset, name in by_asset.items() if name}


def retired(platform: Platform) -> list[str]:
    """What a sync is to do: partitions, then what was made of those that are gone."""
    platform.sync()
    partitions = {a: set(platform.partitions(name)) for a, name in names(platform).items()}
    return retire(
        platform.study, partitions, field_keys(platform.study, raw_fields(platform.study))
    )


def found(store: Any, platform: Platform) -> dict[str, str]:
    """What the README's queries find, without raw images and the report, which names its runs."""
    mine = store.Artifact.filter(ulabels__name=platform.study.name, is_latest=True).distinct()
    made = {key: uid for key, uid in mine.values_list("key", "uid") if "/raw_images/" not in key}
    assert len([key for key in made if key.endswith("/study_report.html")]) == 1
    return {key: uid for key, uid in made.items() if not key.endswith("/study_report.html")}


def of_the_knockout(keys: Any) -> set[str]:
    return {key for key in keys if "/KO" in key}


def about(platform: Platform, *kinds: str) -> list[str]:
    disagreements = reconcile(platform.instance, study=platform.study)
    mine = f"retired-{platform.study.name.split()[-1]}/"
    return [f.what for f in disagreements if f.kind in kinds and mine in f.what]


def test_all_of_a_genotype_that_was_withdrawn_leaves_the_queries_and_comes_back(
    store, platform, images, tmp_path
):
    report = tmp_path / "report"
    before = found(store, platform)
    keys = of_the_knockout(before)
    made_of = {key.split("/")[2] for key in keys}
    by_model = {name for name, space in names(platform).items() if space == MODEL_PARTITIONS}
    assert made_of == set(names(platform)) - by_model, "every partitioned asset is tried"
    assert "ko_evaluation-KO.png" in {copy.name for copy in export(platform.instance, report)}
    for name in ("ko_evaluation-mine.png", "notes.png"):
        (report / name).write_bytes(b"somebody's own")

    withdraw(KNOCKOUT, platform.study)
    platform.sync()
    assert set(about(platform, "stale")) == keys, "reconcile may not say that all agrees"
    assert set(retired(platform)) == keys and retired(platform) == []
    assert of_the_knockout(found(store, platform)) == set()
    trashed = store.Artifact.filter(key__in=keys, branch_id=-1)
    assert not any(trashed.values_list("is_latest", flat=True))
    assert all(Path(artifact.path).exists() for artifact in trashed)
    assert about(platform, "stale", "latest", "record", "materialization") == []
    reconcile(platform.instance, fix=True, study=platform.study)
    assert retired(platform) == [] and of_the_knockout(found(store, platform)) == set()

    assert platform.refresh_here() == {}
    export(platform.instance, report)
    assert {path.name for path in report.glob("*KO*")} == set()
    assert (report / "ko_evaluation-mine.png").exists() and (report / "notes.png").exists()

    ingest(images, platform.study)
    with executed(platform) as ran:
        assert platform.refresh_here() == {}
    assert retired(platform) == []
    assert found(store, platform) == before
    assert ran.fields == [], "its crops were kept: no field was imaged again"
    assert about(platform, "stale", "latest", "record", "materialization") == []
    export(platform.instance, report)
    assert (report / "ko_evaluation-KO.png").exists()


def test_the_crops_of_one_field_leave_and_come_back(store, platform, images):
    before, sample = found(store, platform), "KO__clone-1__untreated"
    of_sample = ("single_cell_images", "cell_features", "marker_features")
    withdraw(["KO, clone 1, untreated, FOV1"], platform.study)
    gone = set(retired(platform))
    place = f"imaging/single_cell_images/{sample}/FOV1/"
    assert {key.rpartition("/")[0].partition("/")[2] + "/" for key in gone} == {place}
    assert gone == {key for key in before if place in key}
    platform.run(*of_sample, partition=sample)
    assert not gone & set(found(store, platform))
    ingest(images, platform.study)
    platform.sync()
    platform.run(*of_sample, partition=sample)
    assert found(store, platform) == before
    assert platform.plan().ready == {}


def test_a_sample_goes_and_its_genotype_stays(store, platform):
    withdraw([f"KO, clone 1, {TREATED}, FOV{n}" for n in (1, 2)], platform.study)
    gone = retired(platform)
    assert {key.split("/")[2] for key in gone} == {
        "single_cell_images",
        "cell_features",
        "marker_features",
    }
    assert all("/KO__clone-1__14h-Torin-1" in key for key in gone)
    assert of_the_knockout(found(store, platform))


def test_another_study_and_what_others_made_are_left_alone(store, platform):
    study = platform.study.model_copy(update={"name": "another of the same slug"})
    assert retire(study, {asset: set() for asset in names(platform)}, set()) == []
    raw = store.Artifact.filter(ulabels__name=platform.study.name, key__contains="/raw_images/")
    count = raw.count()
    assert retire(platform.study, {"raw_images": set()}, set()) == [] and raw.count() == count


def test_versions_that_are_not_the_latest_go_too(store, made):
    """The last test: what it has made and taken away is not put back."""
    platform = made
    key = f"{platform.study.name.replace(' ', '-')}/knockouts/ko_predictions/KO.parquet"
    before = store.Artifact.filter(key=key).count()
    config = {"ops": {"autophagy_classifier": {"config": {"parameters": {"max_depth": 1}}}}}
    platform.run("autophagy_classifier", config=config)
    platform.run("ko_predictions", partition="KO")
    assert store.Artifact.filter(key=key).count() == before + 1 > 1
    withdraw(KNOCKOUT, platform.study)
    retired(platform)
    assert store.Artifact.filter(key=key).count() == 0
