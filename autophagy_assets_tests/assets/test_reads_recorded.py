"""Every file of the store that a step opens is verified, and an input of its LaminDB run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets.staleness.materializations import RUN
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field, one_by_one
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images
from autophagy_assets_tests.watching import opened_below

pytestmark = pytest.mark.slow

FIELDS = [
    (genotype, clone, stimulation, fov)
    for genotype, clone in (("WT", "clone 1"), ("WT", "clone 2"), ("KO", "clone 2"))
    for stimulation in ("untreated", "14h Torin-1")
    for fov in ("FOV1", "FOV2")
]
MADE_HERE = ("single_cell_images", "cell_features")
# What reads tables and crops that were given; all else reads what is made of these, as it does
# where they were imaged here.
READ_GIVEN = (
    *("raw_features", "clean_features", "model_features", "background_features"),
    *("class_gallery", "wt_ko_gallery", "marker_example", "spatial_context"),
)
UID = re.compile(r"uid (\w{20})")


@dataclass(frozen=True)
class Watched:
    """What was opened and what was verified while something ran."""

    name: str
    opened: set[Path]
    verified: set[Path]
    run: str = ""


@dataclass(frozen=True)
class Study:
    """A platform whose every step and check was watched."""

    platform: Platform
    steps: list[Watched]
    checks: list[Watched]


def watched(platform: Platform, asset: dg.AssetKey, partition: str | None, check: bool) -> Watched:
    """Run an asset's step, or its checks, and nothing else."""
    graph = platform.defs.resolve_asset_graph()
    checks = {key for key in graph.asset_check_keys if key.asset_key == asset} if check else set()
    job = platform.job.get_subset(
        asset_selection=set() if check else {asset}, asset_check_selection=checks
    )
    verified: set[Path] = set()
    verify = files.verify

    def noting(path: Path, sha256: str, what: str) -> None:
        verified.add(path)
        verify(path, sha256, what)

    with pytest.MonkeyPatch.context() as patched, opened_below(storage_root()) as opened:
        patched.setattr(files, "verify", noting)
        result = job.execute_in_process(
            instance=platform.instance,
            # Dagster does not take a partition key for checks alone, but reads it from the tag.
            partition_key=None if check else partition,
            tags={"dagster/partition": partition} if check and partition else None,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    assert result.success, platform.failure(result)
    name = asset.to_user_string()
    run = "" if check else platform.latest(name, partition).metadata[RUN]
    return Watched(f"{name}[{partition or ''}]", opened, verified, run)


def watch_all(platform: Platform, only: tuple[str, ...] = (), sample: str = "") -> Study:
    """Every asset in the order of the graph, in each of its partitions; then all checks.

    Of assets of samples, only one sample, where it is named.
    """
    graph = platform.defs.resolve_asset_graph()
    checked = {key.asset_key for key in graph.asset_check_keys}
    todo = [
        (asset, partition)
        for asset in graph.toposorted_asset_keys
        if graph.get(asset).is_materializable and (not only or asset.to_user_string() in only)
        for partition in platform.partitions_of(asset)
        if not sample or partition == sample
    ]
    return Study(
        platform,
        steps=[watched(platform, *target, check=False) for target in todo],
        checks=[watched(platform, *one, check=True) for one in todo if one[0] in checked],
    )


@pytest.fixture(scope="module")
def given(store, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study whose crops and tables were given."""
    folder = tmp_path_factory.mktemp("reads of a given study")
    platform = Platform(study_file(folder, "reads of a given study"))
    given_study(platform.study, folder)
    platform.sync()
    return watch_all(platform, READ_GIVEN)


@pytest.fixture(scope="module")
def imaged(store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study that was imaged here, one sample of it again with a field that is kept."""
    folder = tmp_path_factory.mktemp("reads of an imaged study")
    platform = Platform(study_file(folder, "reads of an imaged study"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segmentation, "process_field", fake_process_field)
        patched.setattr(featurization, "featurize", fake_featurize)
        patched.setattr(compute, "map_fields", one_by_one)
        table = write_images(folder / "images", platform.study, FIELDS, seed=505)
        later = table["FOV"] == "FOV2"
        (folder / "images" / "metadata_files.csv").write_text(table[~later].to_csv(index=False))
        ingest(folder / "images", platform.study)
        platform.sync()
        first = watch_all(platform, MADE_HERE, sample=platform.partitions("sample")[-1])
        (folder / "images" / "metadata_files.csv").write_text(table.to_csv(index=False))
        ingest(folder / "images", platform.study)
        platform.sync()
        study = watch_all(platform)
        yield Study(platform, first.steps + study.steps, first.checks + study.checks)


@pytest.fixture(params=["given", "imaged"])
def study(request: pytest.FixtureRequest) -> Study:
    return request.getfixturevalue(request.param)


def recorded(store, run: str) -> tuple[set[Path], set[Path]]:
    """Files of the inputs of a run, and of what it has made."""
    record = store.Run.get(uid=run)
    made = [*record.output_artifacts.all(), *store.Artifact.filter(recreating_runs=record)]
    return (
        {Path(str(one.path)) for one in record.input_artifacts.all()},
        {Path(str(one.path)) for one in [*made, record.environment]},
    )


def short(paths: set[Path]) -> list[str]:
    return sorted(str(path.relative_to(storage_root())) for path in paths)


def test_what_a_step_opens_is_an_input_of_its_run(study, store):
    unrecorded = {}
    for step in study.steps:
        inputs, made = recorded(store, step.run)
        if unknown := step.opened - inputs - made:
            unrecorded[step.name] = short(unknown)
    assert unrecorded == {}


def test_what_a_step_opens_is_verified(study, store):
    unverified = {}
    for step in study.steps:
        _, made = recorded(store, step.run)
        if unknown := step.opened - step.verified - made:
            unverified[step.name] = short(unknown)
    assert unverified == {}


def test_what_a_check_opens_is_verified(study):
    unverified = {check.name: short(check.opened - check.verified) for check in study.checks}
    assert not any(unverified.values()), unverified


def test_files_opened_in_c_and_kept_files_are_seen(imaged, store):
    """Else the tests above would pass where nothing is seen."""
    endings = {step.name: {path.suffix for path in step.opened} for step in imaged.steps}
    assert {".png", ".h5ad", ".parquet"} <= endings["study_report[]"]
    assert ".zarr" in endings["spatial_context[]"]
    assert ".joblib" in endings["ko_predictions[KO]"]
    again = [step for step in imaged.steps if step.name.startswith("single_cell_images[")][-1]
    opened = {path.suffix for path in again.opened}
    assert {".tif", ".h5ad", ".zarr", ".parquet"} <= opened
    assert any(check.opened for check in imaged.checks)


def test_what_the_report_names_is_its_input(imaged, store):
    platform = imaged.platform
    artifact = platform.artifact("study_report")
    named = set(UID.findall(Path(artifact.path).read_text()))
    inputs = {one.uid for one in artifact.run.input_artifacts.all()}
    assert len(named) > 20
    assert short({Path(str(store.Artifact.get(uid=uid).path)) for uid in named - inputs}) == []


def test_what_scportrait_opens_is_an_input_too(store, tiny_study, tmp_path):
    """Workers are processes of their own; the kernel reports them as well."""
    platform = Platform(study_file(tmp_path, "reads of scportrait"))
    ingest(tiny_study, platform.study)
    platform.sync()
    sample = platform.partitions("sample")[0]
    steps = [watched(platform, dg.AssetKey(name), sample, check=False) for name in MADE_HERE]
    for step, suffix in zip(steps, (".tif", ".h5ad"), strict=True):
        inputs, made = recorded(store, step.run)
        assert suffix in {path.suffix for path in step.opened}
        assert short(step.opened - inputs - made) == []
        assert short(step.opened - step.verified - made) == []
