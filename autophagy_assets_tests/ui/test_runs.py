"""What happens when somebody presses a button: real runs, in processes of their own."""

from __future__ import annotations

import socket

import pytest
import yaml

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets_tests.platform import TREES
from autophagy_assets_tests.ui.served import REPOSITORY, family_of, listening

pytestmark = pytest.mark.slow

FEWER = 7


def test_nobody_else_can_reach_it(served):
    found = listening(family_of(served.process.pid))
    assert ("127.0.0.1", served.port) in found
    assert {address for address, _ in found} <= {"127.0.0.1", "::1"}
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(5)
        other.connect(("127.0.0.2", served.port))


def test_the_materialize_button_runs_an_asset(page, served):
    before, known = served.materialized("model_comparison"), served.runs()
    page.goto("/assets/model_comparison?view=overview")
    page.get_by_role("button", name="Materialize").first.click()
    run = served.new_run(known)
    assert served.ended(run) == "SUCCESS"
    after = served.materialized("model_comparison")
    assert after["run"] == run
    assert after["sha256"] == before["sha256"], "the same numbers give another picture"


def test_a_parameter_set_in_the_launchpad_is_the_one_that_is_used(page, served):
    known = served.runs()
    page.goto("/assets/autophagy_classifier?view=overview")
    page.locator("button:right-of(:text('Materialize'))").first.click()
    page.get_by_text("Open launchpad").click()
    page.locator(".CodeMirror-line").first.click()
    page.keyboard.press("Control+A")
    config = {"ops": {"autophagy_classifier": {"config": {"parameters": {"n_estimators": FEWER}}}}}
    page.keyboard.insert_text(yaml.safe_dump(config))
    page.get_by_placeholder("Partition").fill(AS_PUBLISHED)
    page.get_by_text(AS_PUBLISHED, exact=True).last.click()
    page.get_by_role("button", name="Materialize").last.click()
    run = served.new_run(known)
    assert served.ended(run) == "SUCCESS"
    assert served.materialized("autophagy_classifier", AS_PUBLISHED)["run"] == run
    assert served.parameters()["n_estimators"] == FEWER


def test_the_nightly_job_makes_what_is_out_of_date_and_nothing_else(served):
    """The launchpad's classifier is not the study's: it and what follows are made again."""
    assert served.parameters()["n_estimators"] == FEWER, "the test before has not run"
    cells = served.materialized("training_cells")
    sign = served.materialized("last_refresh")
    run = served.launch("refresh_all")
    assert served.ended(run) == "SUCCESS", served.said()
    served.wait("model", lambda: served.parameters()["n_estimators"] == TREES, 300)
    served.wait("end", lambda: served.materialized("last_refresh") != sign, 300)
    assert served.materialized("training_cells")["run"] == cells["run"]
    known, sign = served.runs(), served.materialized("last_refresh")
    assert served.ended(served.launch("refresh_all")) == "SUCCESS"
    # The sensor has looked, and says that this request is carried out.
    served.wait("end", lambda: served.materialized("last_refresh") != sign, 120)
    assert len(set(served.runs()) - set(known)) == 1, "there was nothing left to make"


def test_the_schedule_can_be_turned_on_and_would_launch_the_nightly_job(served):
    selector = {**REPOSITORY, "scheduleName": "nightly_refresh"}
    dry = """mutation ($selector: ScheduleSelector!) {
      scheduleDryRun(selectorData: $selector, timestamp: 1750000000) { __typename
        ... on DryRunInstigationTick { evaluationResult { error { message }
          runRequests { runKey jobName } skipReason } } } }"""
    tick = served.ask(dry, selector=selector)["scheduleDryRun"]
    assert tick["__typename"] == "DryRunInstigationTick", tick
    assert not tick["evaluationResult"]["error"], tick
    assert len(tick["evaluationResult"]["runRequests"]) == 1
    start = """mutation ($selector: ScheduleSelector!) {
      startSchedule(scheduleSelector: $selector) {
        ... on ScheduleStateResult { scheduleState { status } } } }"""
    assert served.ask(start, selector=selector)["startSchedule"]["scheduleState"] == {
        "status": "RUNNING"
    }
