"""Runs whose process is gone are ended; those at work, and those of others, are left alone."""

from __future__ import annotations

import dagster as dg
import pytest

from autophagy_assets.automation.dead_runs import end_dead_runs
from autophagy_assets.automation.reconcile import reconcile
from autophagy_assets.registry.consistency import records as consistency
from autophagy_assets.registry.store.instance import writing
from autophagy_assets.registry.store.processes import announce
from autophagy_assets_tests.reliability.reconciled import JOB, about, started


@pytest.mark.parametrize("status", ["FAILURE", "SUCCESS", "CANCELED"])
def test_runs_whose_dagster_run_has_ended_are_aborted(store, instance, status):
    run = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus(status))
    uid = started(run.run_id, "some-process")
    (disagreement,) = about(reconcile(instance, fix=True), uid)
    assert disagreement.fixed and status in disagreement.problem
    ended = store.Run.get(uid=uid)
    assert ended.status == "aborted" and status in ended.extra_data["error"]
    assert about(reconcile(instance), uid) == []


def test_runs_of_processes_at_work_are_left_alone(store, instance):
    """Dagster does not know the run, as where it keeps its records elsewhere."""
    uid = started("a-run-of-another-dagster", announce())
    assert about(reconcile(instance, fix=True), uid) == []
    assert store.Run.get(uid=uid).status == "started"
    consistency.abort(uid, "end of the test")


def test_a_dagster_run_whose_process_is_gone_is_marked_as_failed(store, instance):
    run = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus.STARTED)
    uid = started(run.run_id, "a-process-that-was-killed")
    untouched = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus.STARTED)
    disagreements = reconcile(instance, fix=True)
    assert about(disagreements, uid)[0].fixed and about(disagreements, run.run_id)[0].fixed
    assert store.Run.get(uid=uid).status == "aborted"
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None and ended.status == dg.DagsterRunStatus.FAILURE
    # Of this one nothing says that its process is gone.
    assert about(disagreements, untouched.run_id) == []


def test_a_run_that_was_killed_before_its_first_step_is_known_by_its_tag(store, instance):
    """Nothing else has noted its process then; a refresh would wait for it for ever."""
    runs = [
        instance.create_run_for_job(
            JOB, status=dg.DagsterRunStatus.STARTED, tags={"autophagy/process": process}
        )
        for process in ("a-process-that-was-killed", announce())
    ]
    ended = end_dead_runs(instance)
    assert about(ended, runs[0].run_id) and not about(ended, runs[1].run_id)
    instance.delete_run(runs[1].run_id)


def test_runs_that_were_cut_off_do_not_hold_up_the_queue(store, instance):
    cut = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus.STARTED)
    uid = started(cut.run_id, "a-process-that-was-killed")
    goes_on = instance.create_run_for_job(JOB, status=dg.DagsterRunStatus.STARTED)
    at_work = started(goes_on.run_id, announce())
    try:
        ended = end_dead_runs(instance)
        assert [f.what for f in about(ended, cut.run_id)] == [f"Dagster run {cut.run_id}"]
        assert about(ended, goes_on.run_id) == about(ended, at_work) == []
        assert store.Run.get(uid=uid).status == "aborted"
        assert {run.status for run in instance.get_runs()} == {
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.STARTED,
        }
    finally:
        consistency.abort(at_work, "end of the test")
    instance.report_run_failed(goes_on)
    assert end_dead_runs(instance) == [], "nothing is at work, so nothing is looked at"


def test_somebodys_own_unended_run_is_not_ours_to_end(store, instance):
    with writing() as ln:
        transform = ln.Transform(key="somebody's notebook", kind="notebook").save()
        run = ln.Run(transform, status="started").save()
    reconcile(instance, fix=True)
    assert store.Run.get(uid=run.uid).status == "started"
