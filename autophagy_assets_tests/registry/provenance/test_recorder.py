"""A step is one run with all that it read and wrote, or it is nothing but a run that failed."""

from __future__ import annotations

import itertools
from importlib.metadata import distributions
from pathlib import Path

import pytest

from autophagy_assets.registry.provenance import recorder as provenance
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import ENVIRONMENT_KEY, Step
from autophagy_assets_tests.registry.records import rows

_numbers = itertools.count()


@pytest.fixture
def asset() -> str:
    return f"asset_{next(_numbers)}"


def step(asset: str, code: str = "def body(): ...", **more) -> Step:
    return Step(asset, "WT", "dagster-run-1", code, "3", {"depth": 10}, **more)


def made(asset: str, content: str, reads: tuple[str, ...] = (), **more) -> tuple[str, str]:
    """Uids of the artifact and of the run of a finished step."""
    recorder = Recorder(step(asset, **more))
    for uid in reads:
        recorder.read(uid)
    output = recorder.put(lambda p: p.write_text(content), f"prov/{asset}.txt", asset, {})
    recorder.finish()
    return output.record.uid, recorder.run_uid


def test_a_step_is_one_run_that_says_what_it_was(store, asset):
    before = rows().get("Run", 0)
    uid, run_uid = made(asset, "1")
    assert rows()["Run"] == before + 1
    run = store.Run.get(uid=run_uid)
    assert store.Artifact.get(uid=uid).run == run
    assert run.params == {"depth": 10}
    assert (run.reference, run.reference_type) == ("dagster-run-1", "dagster_run_id")
    assert run.status == "completed"
    assert run.finished_at >= run.started_at
    assert run.entrypoint == asset
    known = {"asset": asset, "partition": "WT", "code_version": "3"}
    assert known.items() <= run.extra_data.items()


def test_what_was_read_is_an_input_of_the_run(store, asset):
    raw, _ = made(asset, "1")
    other, _ = made(asset + "_other", "1")
    result, run_uid = made(asset + "_result", "2", reads=(raw, other, raw))
    run = store.Run.get(uid=run_uid)
    assert {a.uid for a in run.input_artifacts.all()} == {raw, other}
    upstream = store.Artifact.filter(input_of_runs__output_artifacts=store.Artifact.get(uid=result))
    assert {a.uid for a in upstream} == {raw, other}


def test_several_outputs_are_of_one_run(store, asset):
    recorder = Recorder(step(asset))
    outputs = [
        recorder.put(lambda p, n=n: p.write_text(str(n)), f"prov/{asset}/{n}.txt", "x", {})
        for n in range(3)
    ]
    recorder.finish()
    runs = {store.Artifact.get(uid=o.record.uid).run.uid for o in outputs}
    assert runs == {recorder.run_uid}


def test_nothing_is_registered_before_the_end(store, asset):
    recorder = Recorder(step(asset))
    recorder.start()
    output = recorder.put(lambda p: p.write_text("1"), f"prov/{asset}.txt", "x", {})
    assert store.Run.get(uid=recorder.run_uid).status == "started"
    assert not store.Artifact.filter(uid=output.record.uid)
    recorder.finish()
    assert store.Artifact.filter(uid=output.record.uid).count() == 1


def test_what_fails_at_the_end_is_registered_not_at_all(store, asset, monkeypatch):
    recorder = Recorder(step(asset))
    first = recorder.put(lambda p: p.write_text("1"), f"prov/{asset}/1.txt", "x", {})
    recorder.put(lambda p: p.write_text("2"), f"prov/{asset}/2.txt", "x", {})
    recorder.start()
    before = rows()

    def failing(ln, kept):
        assert ln.Artifact.filter(uid=first.record.uid)
        raise RuntimeError("database went away")

    monkeypatch.setattr(provenance, "keep", failing)
    with pytest.raises(RuntimeError):
        recorder.finish()
    assert rows() == before
    assert not store.Artifact.filter(uid=first.record.uid)
    assert store.Run.get(uid=recorder.run_uid).status == "started"
    monkeypatch.undo()
    recorder.finish()
    assert store.Run.get(uid=recorder.run_uid).output_artifacts.count() == 2


def test_a_step_that_failed_keeps_its_error_and_what_it_read(store, asset):
    raw, _ = made(asset, "1")
    recorder = Recorder(step(asset + "_failed"))
    recorder.start()
    recorder.read(raw)
    recorder.put(lambda p: p.write_text("x"), f"prov/{asset}_failed.txt", "x", {})
    recorder.fail("Field FOV1 has no cells.")
    run = store.Run.get(uid=recorder.run_uid)
    assert run.status == "errored"
    assert run.extra_data["error"] == "Field FOV1 has no cells."
    assert [a.uid for a in run.input_artifacts.all()] == [raw]
    assert run.output_artifacts.count() == 0


def test_one_transform_per_asset_and_a_version_per_code(store, asset):
    for code in ("one", "one", "two", "one"):
        made(asset, code, code=code)
    versions = store.Transform.filter(key=f"autophagy_assets/{asset}")
    assert {t.source_code for t in versions} == {"one", "two"}
    assert versions.count() == 2
    assert versions.filter(is_latest=True).count() == 1
    assert sorted(t.runs.count() for t in versions) == [1, 3]


def test_assets_with_the_same_code_have_transforms_of_their_own(store, asset):
    runs = [made(name, "1", code="same")[1] for name in (asset, asset + "_b")]
    keys = {store.Run.get(uid=uid).transform.key for uid in runs}
    assert keys == {f"autophagy_assets/{asset}", f"autophagy_assets/{asset}_b"}


def test_packages_are_recorded_once_for_all_runs(store, asset):
    runs = [made(f"{asset}_{n}", "1")[1] for n in range(3)]
    environments = {store.Run.get(uid=uid).environment.uid for uid in runs}
    assert len(environments) == 1
    listed = Path(store.Artifact.get(uid=environments.pop()).path).read_text().splitlines()
    assert set(listed) == {f"{found.name}=={found.version}" for found in distributions()}
    assert any(line.startswith("lamindb==2.") for line in listed)
    assert store.Artifact.filter(key=ENVIRONMENT_KEY).count() == 1


def test_another_environment_is_another_version(store, asset, monkeypatch):
    _, before = made(asset, "1")
    monkeypatch.setattr(
        "autophagy_assets.registry.provenance.runs._packages", lambda: "lamindb==99\n"
    )
    _, after = made(asset, "2")
    was, now = (store.Run.get(uid=uid).environment for uid in (before, after))
    assert was.uid != now.uid and was.key == now.key
    assert Path(now.path).read_text() == "lamindb==99\n"


def test_partition_may_be_absent(store, asset):
    recorder = Recorder(Step(asset, None, None, "code", "1"))
    recorder.finish()
    run = store.Run.get(uid=recorder.run_uid)
    assert (run.reference, run.extra_data["partition"]) == (None, None)
