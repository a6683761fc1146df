"""The storage protocol through Dagster: loaded by recorded uid, lazily, and verified."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import joblib
import pandas as pd
import pytest

from autophagy_assets.assets.definition import StudyResource, every, study_asset
from autophagy_assets.io_managers.base import Partitions
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager
from autophagy_assets.materializations import UID, latest
from autophagy_assets.partitions import SAMPLE_SPACE, samples
from autophagy_assets_tests.platform import Platform, study_file

_numbers = itertools.count()
CONTENT: dict[str, Any] = {}


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=samples)
def part(context) -> pd.DataFrame:
    """One table of each sample, for these tests."""
    return CONTENT["part"](context.partition)


@study_asset(
    group="try",
    io="table_io",
    kinds={"parquet"},
    ins={"part": every(columns=["number"])},
    spaces={"part": SAMPLE_SPACE},
)
def whole(context, part) -> pd.DataFrame:
    """A table of some of the samples, for these tests."""
    CONTENT["seen"] = part
    return CONTENT["whole"](part)


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=samples)
def same(context, part: pd.DataFrame) -> pd.DataFrame:
    """A table made of the same sample, for these tests."""
    return part.assign(again=part["number"] * 2)


@study_asset(group="try", io="model_io", kinds={"joblib"})
def model(context):
    """A model, for these tests."""
    return CONTENT["model"]


@study_asset(group="try", io="table_io", kinds={"parquet"})
def used(context, model) -> pd.DataFrame:
    """A table that needs the model, for these tests."""
    return pd.DataFrame({"model": [str(model)]})


class Anything(JoblibIOManager):
    """Stores any value, as a model has more than these tests need."""

    def write(self, value: Any, path: Path) -> None:
        joblib.dump(value, path)

    def metadata(self, value: Any, path: Path) -> dict[str, Any]:
        return {}


class Small(Platform):
    """A platform of the assets above."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.defs = dg.Definitions(
            assets=[part, whole, same, model, used],
            resources={
                "study": StudyResource(study_file=str(file)),
                "table_io": ParquetIOManager(study_file=str(file)),
                "model_io": Anything(study_file=str(file)),
            },
            executor=dg.in_process_executor,
        )
        self.job = self.defs.resolve_implicit_global_asset_job_def()

    def read_by(self, asset: str, partition: str | None = None) -> set[str]:
        """Last part of the key of what a run has read."""
        inputs = self.artifact(asset, partition).run.input_artifacts.all()
        return {a.key.rsplit("/", 1)[1].split(".")[0] for a in inputs}


@pytest.fixture
def small(store, tmp_path) -> Small:
    CONTENT.clear()
    CONTENT["part"] = lambda partition: pd.DataFrame({"number": [len(partition)], "name": "x"})
    return Small(study_file(tmp_path, f"protocol {next(_numbers)}"))


def make_parts(small: Small, *partitions: str) -> None:
    small.instance.add_dynamic_partitions(SAMPLE_SPACE, partitions)
    for partition in partitions:
        small.run("part", partition=partition)


def summed(names: Callable[[Any], Any]) -> Callable[[Any], pd.DataFrame]:
    return lambda part: pd.DataFrame({"sum": [sum(part[n]["number"].sum() for n in names(part))]})


def test_partitions_come_as_a_mapping(small):
    make_parts(small, "a", "bb", "ccc")
    CONTENT["whole"] = summed(list)
    small.run("whole")
    seen = CONTENT["seen"]
    assert isinstance(seen, Partitions)
    assert sorted(seen) == ["a", "bb", "ccc"] and len(seen) == 3
    assert "bb" in seen and "nobody" not in seen
    assert small.table("whole")["sum"].tolist() == [6]
    assert small.read_by("whole") == {"a", "bb", "ccc"}


def test_one_partition_comes_as_a_mapping_too(small):
    make_parts(small, "only")
    CONTENT["whole"] = summed(list)
    small.run("whole")
    assert isinstance(CONTENT["seen"], Partitions) and list(CONTENT["seen"]) == ["only"]
    assert small.read_by("whole") == {"only"}


def test_no_partition_comes_as_an_empty_mapping(small):
    CONTENT["whole"] = summed(list)
    small.run("whole")
    assert len(CONTENT["seen"]) == 0
    assert small.table("whole")["sum"].tolist() == [0]


def test_only_partitions_that_were_looked_at_are_recorded_as_read(small):
    make_parts(small, "a", "bb", "ccc")
    CONTENT["whole"] = summed(lambda part: ["bb"])
    small.run("whole")
    assert small.read_by("whole") == {"bb"}


def test_partitions_not_made_yet_are_left_out(small):
    make_parts(small, "a")
    small.instance.add_dynamic_partitions(SAMPLE_SPACE, ["later"])
    CONTENT["whole"] = summed(list)
    small.run("whole")
    assert list(CONTENT["seen"]) == ["a"]


def test_only_the_columns_that_were_asked_for_are_loaded(small):
    make_parts(small, "a")
    CONTENT["whole"] = lambda part: pd.DataFrame({"columns": list(part["a"].columns)})
    small.run("whole")
    assert small.table("whole")["columns"].tolist() == ["number"]


def test_the_same_partition_is_loaded_whole(small):
    make_parts(small, "a", "bb")
    small.run("same", partition="bb")
    assert small.table("same", "bb").to_dict("list") == {
        "number": [2],
        "name": ["x"],
        "again": [4],
    }
    assert small.read_by("same", "bb") == {"bb"}


def test_what_was_never_made_is_told(small):
    small.instance.add_dynamic_partitions(SAMPLE_SPACE, ["a"])
    result = small.run("same", partition="a", check=False)
    assert "part[a] has not been materialized yet; materialize it first" in small.failure(result)


def test_equal_content_is_an_equal_version_and_changed_content_another(small):
    make_parts(small, "a")
    versions = [small.latest("part", "a")]
    for number in (1, 1, 2):
        CONTENT["part"] = lambda partition, n=number: pd.DataFrame({"number": [n], "name": "x"})
        small.run("part", partition="a")
        versions.append(small.latest("part", "a"))
    assert [v.version == versions[0].version for v in versions] == [True, True, True, False]
    assert len({v.run_id for v in versions}) == 4
    assert [v.metadata[UID] == versions[0].metadata[UID] for v in versions][:4] == [
        *(True, True, True),
        False,
    ]


def test_what_dagster_recorded_is_loaded_not_what_is_latest_in_lamindb(small, store):
    """Another installation that shares the store may have put a newer version under the key."""
    from autophagy_assets_tests.platform import outsider

    make_parts(small, "a")
    key = small.latest("part", "a").metadata["lamindb/key"]
    recorder = outsider()
    newer = pd.DataFrame({"number": [99], "name": "newer"})
    recorder.put(lambda p: newer.to_parquet(p), key, "newer", {})
    recorder.finish()
    assert store.Artifact.get(key=key, is_latest=True).n_observations is None
    small.run("same", partition="a")
    assert small.table("same", "a")["number"].tolist() == [1]


@pytest.mark.parametrize("change", ["flipped", "truncated", "gone", "swapped"])
def test_a_changed_table_is_refused_and_not_tried_again(small, change):
    make_parts(small, "a", "bb")
    path, other = (Path(small.artifact("part", p).path) for p in ("a", "bb"))
    content = path.read_bytes()
    if change == "gone":
        path.unlink()
    elif change == "swapped":
        path.write_bytes(other.read_bytes())
    else:
        flipped = content[:50] + bytes([content[50] ^ 1]) + content[51:]
        path.write_bytes(flipped if change == "flipped" else content[:-1])
    result = small.run("same", partition="a", check=False)
    told = small.failure(result)
    assert "materialize it again" in told and "/part/a.parquet" in told
    assert not result.filter_events(lambda event: event.is_step_up_for_retry)
    assert latest(small.instance, dg.AssetKey("same"), "a") is None
    small.run("part", "same", partition="a")  # the remedy


class Trap:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_a_replaced_model_is_refused_and_its_code_is_not_run(small, tmp_path):
    CONTENT["model"] = "the model"
    small.run("model", "used")
    assert small.table("used")["model"].tolist() == ["the model"]
    mark = tmp_path / "code was run"
    path = Path(small.artifact("model").path)
    joblib.dump(Trap(mark), path)
    result = small.run("used", check=False)
    assert not result.success
    assert "is refused" in small.failure(result)
    assert not mark.exists()
    joblib.load(path)
    assert mark.exists(), "the trap must work for this test to say anything"


def test_a_step_that_fails_stores_nothing_and_its_run_says_why(small, store):
    make_parts(small, "a")

    def fail(part):
        part["a"]
        raise ValueError("the numbers do not add up")

    CONTENT["whole"] = fail
    result = small.run("whole", check=False)
    assert not result.success
    runs = store.Run.filter(reference=result.run_id)
    assert runs.count() >= 1
    assert {run.status for run in runs} == {"errored"}
    last = runs.order_by("-id").first()
    assert "the numbers do not add up" in last.extra_data["error"]
    assert last.output_artifacts.count() == 0


def test_keys_and_folders_follow_study_group_asset_and_partition(small, store):
    make_parts(small, "a")
    artifact = small.artifact("part", "a")
    number = artifact.key.split("/")[0]
    assert artifact.key == f"{number}/try/part/a.parquet"
    root = Path(str(store.settings.storage.root))
    path = Path(artifact.path).relative_to(root)
    sha256 = small.latest("part", "a").metadata["sha256"]
    assert path == Path(number) / "try" / "part" / "a" / f"{sha256}.parquet"
