"""Versions of an artifact: one latest, each with its own bytes, and refused when changed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets_tests.given import outsider
from autophagy_assets_tests.registry.records import rows

_numbers = itertools.count()


@pytest.fixture
def key() -> str:
    return f"artifacts/{next(_numbers)}/table.txt"


def put(key: str, content: str, **more) -> str:
    recorder = outsider()
    output = recorder.put(lambda p: p.write_text(content), key, "a table", {}, **more)
    recorder.finish()
    return output.record.uid


def test_uid_is_known_before_it_is_registered(store, key):
    artifact = store.Artifact.get(uid=put(key, "1", rows=3, kind="dataset"))
    assert (artifact.key, artifact.description, artifact.kind) == (key, "a table", "dataset")
    assert (artifact.n_observations, artifact.size, artifact.is_latest) == (3, 1, True)
    assert Path(artifact.path).parent.name == "table"
    assert Path(artifact.path).read_text() == "1"


def test_a_fetched_artifact_is_its_file_and_record(store, key):
    path, record = fetch(put(key, "1"))
    assert path.read_text() == "1"
    assert (record.key, record.size, record.sha256) == (key, 1, path.name.removesuffix(".txt"))


def test_versions_of_a_key_form_a_family_with_one_latest(store, key):
    uids = [put(key, content) for content in ("1", "2", "3")]
    assert len({uid[:16] for uid in uids}) == 1
    family = store.Artifact.filter(key=key)
    assert {a.uid: a.is_latest for a in family} == dict(
        zip(uids, (False, False, True), strict=True)
    )
    assert [fetch(uid)[0].read_text() for uid in uids] == ["1", "2", "3"]
    assert {a.uid for a in store.Artifact.get(uid=uids[0]).versions} == set(uids)


def test_content_that_came_back_is_the_old_version_and_the_latest(store, key):
    first, second = put(key, "1"), put(key, "2")
    assert put(key, "1") == first
    family = {a.uid: a.is_latest for a in store.Artifact.filter(key=key)}
    assert family == {first: True, second: False}
    assert store.Artifact.get(key=key).uid == first
    assert put(key, "3") not in (first, second)
    assert store.Artifact.filter(key=key, is_latest=True).count() == 1


def test_same_content_under_another_key_is_an_artifact_of_its_own(store, key):
    one, other = put(key, "same"), put(f"other/{key}", "same")
    assert one != other
    assert [store.Artifact.get(uid=uid).key for uid in (one, other)] == [key, f"other/{key}"]


def test_equal_content_notes_the_run_that_made_it_again(store, key):
    first = put(key, "1")
    before = rows()["Artifact"]
    assert put(key, "1") == first
    assert rows()["Artifact"] == before
    artifact = store.Artifact.get(uid=first)
    assert artifact.recreating_runs.count() == 1
    assert artifact.run not in artifact.recreating_runs.all()


def test_folders_are_artifacts_like_files(store, key):
    def write(path: Path) -> None:
        path.mkdir()
        (path / "zarr.json").write_text("{}")

    recorder = outsider()
    output = recorder.put(write, key.replace(".txt", ".zarr"), "a store", {})
    recorder.finish()
    path, record = fetch(output.record.uid)
    assert (path / "zarr.json").read_text() == "{}"
    assert store.Artifact.get(uid=record.uid).n_files in (1, None)
    (path / "zarr.json").write_text("[]")
    with pytest.raises(IntegrityError, match="not the one that was recorded"):
        fetch(record.uid)


@pytest.mark.parametrize("change", ["flipped", "truncated", "gone", "swapped"])
def test_a_changed_file_is_refused_with_what_to_do(store, key, change):
    uid = put(key, "content")
    path = Path(store.Artifact.get(uid=uid).path)
    if change == "swapped":
        path.write_bytes(fetch(put(f"other/{key}", "another"))[0].read_bytes())
    elif change == "gone":
        path.unlink()
    else:
        path.write_text({"flipped": "contenu", "truncated": "conten"}[change])
    with pytest.raises(IntegrityError) as raised:
        fetch(uid)
    assert key in str(raised.value) and uid in str(raised.value)
    assert "materialize it again" in str(raised.value)


def test_what_dagster_and_lamindb_recorded_differently_is_refused(store, key):
    with pytest.raises(IntegrityError, match=r"different hashes; run 'autophagy reconcile'"):
        fetch(put(key, "1"), {"sha256": "0" * 64})


def test_an_artifact_that_is_gone_is_reported_with_what_to_do(store):
    with pytest.raises(IntegrityError, match=r"Artifact 0{20} is not in LaminDB .* reconcile"):
        fetch("0" * 20)


def test_an_artifact_of_plain_lamindb_is_verified_by_lamindbs_own_hash(store, key):
    root = Path(str(store.settings.storage.root))
    path = root / "plain" / f"{next(_numbers)}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"by hand {key}")
    artifact = store.Artifact(path, key=f"plain/{key}", run=False).save()
    found, record = fetch(artifact.uid)
    assert found.read_text() == f"by hand {key}"
    assert record.sha256 == ""
    path.write_text("changed by hand")
    with pytest.raises(IntegrityError, match="not the one that LaminDB recorded"):
        fetch(artifact.uid)
