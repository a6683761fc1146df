"""The storage protocol through Dagster: loaded by recorded uid, lazily, and only what is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from autophagy_assets.io_managers.base import Partitions
from autophagy_assets.registry.store.labels import GENOTYPE, labels_of
from autophagy_assets.staleness.materializations import UID
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS, SAMPLE_PARTITIONS
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.io_managers.small_platform import CONTENT, make_parts


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
    small.instance.add_dynamic_partitions(SAMPLE_PARTITIONS, ["later"])
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
    from autophagy_assets_tests.given import outsider

    make_parts(small, "a")
    key = small.latest("part", "a").metadata["lamindb/key"]
    recorder = outsider()
    newer = pd.DataFrame({"number": [99], "name": "newer"})
    recorder.put(lambda p: newer.to_parquet(p), key, "newer", {})
    recorder.finish()
    assert store.Artifact.get(key=key, is_latest=True).n_observations is None
    small.run("same", partition="a")
    assert small.table("same", "a")["number"].tolist() == [1]


def test_keys_and_folders_follow_study_group_asset_and_partition(small, store):
    make_parts(small, "a")
    artifact = small.artifact("part", "a")
    number = artifact.key.split("/")[0]
    assert artifact.key == f"{number}/try/part/a.parquet"
    root = Path(str(store.settings.storage.root))
    path = Path(artifact.path).relative_to(root)
    sha256 = small.latest("part", "a").metadata["sha256"]
    assert path == Path(number) / "try" / "part" / "a" / f"{sha256}.parquet"


def test_what_is_made_for_a_model_has_no_label_of_a_genotype_that_is_called_as_the_model(
    small, store, tmp_path
):
    given_study(small.study, tmp_path / "given", genotypes=("WT", "puncta"))
    small.instance.add_dynamic_partitions(MODEL_PARTITIONS, ["puncta"])
    small.run("of_model", partition="puncta")
    uid = small.artifact("of_model", "puncta").uid
    known = labels_of(store.Artifact.filter(uid=uid))[uid]
    assert GENOTYPE not in known and small.study.name in known.values()
