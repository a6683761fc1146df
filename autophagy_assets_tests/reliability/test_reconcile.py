"""What does not agree is found, what is safe is repaired, and nothing that is needed is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from autophagy_assets.automation.reconcile import reconcile, unrepaired
from autophagy_assets.cli import reconcile as cli_reconcile
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency.records import Disagreement
from autophagy_assets.registry.provenance.recorder import Recorder, Step
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.instance import storage_root, writing
from autophagy_assets.staleness.materializations import HASH, UID
from autophagy_assets_tests.reliability.reconciled import JOB, about, made, materialized


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"reconcile/{request.node.name.replace('[', '-').replace(']', '')}.txt"


def test_what_agrees_is_not_found(store, instance, key):
    uid, path, _ = made(key)
    materialized(instance, "agrees", key.replace(".txt", "-2.txt"))
    disagreements = reconcile(instance, fix=True)
    assert about(disagreements, key.split("/")[1]) == [] and about(disagreements, "agrees") == []
    assert fetch(uid)[0] == path


@pytest.mark.parametrize("kind", ["temporary file", "temporary folder", "without record"])
def test_files_that_nobody_needs_are_deleted_only_with_fix(store, instance, key, kind):
    _, kept, _ = made(key)
    name = "f" * 64 + ".txt" if kind == "without record" else ".tmp-0123.txt"
    loose = kept.with_name(name)
    if kind == "temporary folder":
        (loose / "part").mkdir(parents=True)
    else:
        loose.write_text("half")
    assert [f.fixed for f in about(reconcile(instance), loose.name)] == [False]
    assert loose.exists()
    assert [f.fixed for f in about(reconcile(instance, fix=True), loose.name)] == [True]
    assert not loose.exists() and kept.exists()
    assert about(reconcile(instance), loose.name) == []


def test_a_file_that_only_dagster_knows_is_kept_and_reported(store, instance, key):
    _, path, _ = made(key)
    orphan = path.with_name("a" * 64 + ".txt")
    orphan.write_text("only Dagster knows")
    gone = "A" * 20
    materialized(instance, "only_dagster", key, **{UID: gone, HASH: "a" * 64})
    (disagreement,) = about(reconcile(instance, fix=True), "only_dagster")
    assert gone in disagreement.problem and "gone from LaminDB" in disagreement.problem
    assert "autophagy refresh" in disagreement.remedy and not disagreement.fixed
    assert orphan.exists()
    orphan.unlink()


def test_files_of_others_are_reported_and_never_deleted(store, instance):
    foreign = storage_root() / "notes of somebody.txt"
    foreign.write_text("mine")
    (disagreement,) = about(reconcile(instance, fix=True), foreign.name)
    assert not disagreement.fixed and foreign.read_text() == "mine"
    foreign.unlink()


def test_the_file_of_an_artifact_on_another_branch_of_lamindb_is_kept(store, instance, key):
    uid, path, _ = made(key)
    branch = store.Branch(name=f"of {key}").save()
    store.Artifact.filter(uid=uid).update(branch_id=branch.id)
    assert about(reconcile(instance, fix=True), path.name) == []
    assert path.exists()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_record_without_its_file_is_left_for_a_refresh(store, instance, key, how):
    uid = materialized(instance, f"without_file_{how}", key)
    path = fetch(uid)[0]
    content = path.read_bytes()
    path.unlink() if how == "gone" else path.write_bytes(b"changed")
    disagreements = reconcile(instance, fix=True)
    assert [f.kind for f in about(disagreements, key)] == ["record"]
    (materialization,) = about(disagreements, f"without_file_{how}")
    assert "gone or has changed" in materialization.problem
    assert all(not f.fixed for f in [*about(disagreements, key), materialization])
    assert not path.exists()  # so that a refresh misses it
    aside = list(path.parent.glob(".changed-*"))
    assert [a.read_bytes() for a in aside] == ([b"changed"] if how == "changed" else [])
    path.write_bytes(content)
    assert about(reconcile(instance), key) == []  # nor is what was moved aside reported again


def test_unfinished_uploads_are_ended_where_the_file_is_whole(store, instance, key):
    whole, _, _ = made(key)
    torn, path, _ = made(key.replace(".txt", "-torn.txt"), "torn")
    for uid in (whole, torn):
        artifact = store.Artifact.get(uid=uid)
        artifact._storage_ongoing = True
        artifact.save()
    path.write_text("to")
    disagreements = [f for f in reconcile(instance, fix=True) if f.kind == "upload"]
    assert {f.what.split(" ")[0]: f.fixed for f in disagreements} == {
        key: True,
        key.replace(".txt", "-torn.txt"): False,
    }
    assert not store.Artifact.get(uid=whole)._storage_ongoing
    path.write_text("torn")
    assert about(unrepaired(reconcile(instance, fix=True)), key) == []


@pytest.mark.parametrize("latest", [0, 2])
def test_of_a_family_the_newest_becomes_the_latest(store, instance, key, latest):
    uids = [made(key, text)[0] for text in ("1", "2", "3")]
    with writing() as ln:
        ln.Artifact.filter(uid__in=uids).update(is_latest=False)
        ln.Artifact.filter(uid__in=uids[:latest]).update(is_latest=True)
    (disagreement,) = about(reconcile(instance, fix=True), key)
    assert disagreement.kind == "latest" and disagreement.fixed
    found = store.Artifact.filter(uid__in=uids, is_latest=True).values_list("uid", flat=True)
    assert list(found) == [uids[-1] if latest == 0 else uids[1]]


def test_a_file_tidied_away_before_it_is_registered_fails_the_step(store, instance, key):
    recorder = Recorder(Step("slow", None, None, "def body(): ...", "1"))
    output = recorder.put(lambda path: path.write_text("x") and None, key, "slow", {})
    output.file.path.unlink()
    with pytest.raises(FileNotFoundError, match="run the step again"):
        recorder.finish()
    assert not store.Artifact.filter(uid=output.record.uid).exists()
    recorder.fail("end of the test")


def test_what_was_put_in_the_trash_comes_back_when_it_is_made_again(store, key):
    uid, _, _ = made(key)
    store.Artifact.get(uid=uid).delete(permanent=False)
    assert not store.Artifact.filter(key=key).exists()
    assert made(key)[0] == uid
    assert store.Artifact.filter(key=key, is_latest=True).count() == 1


def test_the_job_fails_where_something_is_left_and_repairs_only_when_asked(store, instance, key):
    foreign = storage_root() / "left.txt"
    foreign.write_text("x")
    loose = made(key)[1].with_name(".tmp-0123.txt")
    loose.write_text("half")
    assert not JOB.execute_in_process(instance=instance, raise_on_error=False).success
    assert loose.exists()
    found = {"ops": {"compare_records": {"config": {"fix": True}}}}
    done = JOB.execute_in_process(instance=instance, run_config=found, raise_on_error=False)
    assert not done.success and not loose.exists()
    foreign.unlink()


@pytest.mark.parametrize(
    ("disagreements", "code", "said"),
    [
        ([], 0, "All agree."),
        (
            [Disagreement("file", "a.txt", "old", "delete it", True)],
            0,
            "All 1 disagreements were repaired.",
        ),
        (
            [
                Disagreement("file", "a", "b", "c", True),
                Disagreement("record", "d", "e", "call for help"),
            ],
            1,
            "to do: call for help",
        ),
    ],
)
def test_the_command_ends_with_one_where_something_is_left(monkeypatch, disagreements, code, said):
    asked = []

    def found(instance: Any, **how: Any) -> list[Disagreement]:
        asked.append(how)
        return disagreements

    monkeypatch.setattr("autophagy_assets.automation.reconcile.reconcile", found)
    done = CliRunner().invoke(cli_reconcile.reconcile, ["--fix", "--grace", "5"])
    assert (done.exit_code, asked) == (code, [{"fix": True, "grace_s": 5.0, "study": Study.load()}])
    assert said in done.output


def test_the_command_looks_at_the_store_of_the_home(store):
    foreign = storage_root() / "left.txt"
    foreign.write_text("x")
    done = CliRunner().invoke(cli_reconcile.reconcile, [])
    foreign.unlink()
    assert done.exit_code == 1 and "LEFT" in done.output and "left.txt" in done.output
