"""The jobs make what they say and nothing else, and the nightly refresh is reported."""

from __future__ import annotations

import time
from datetime import timedelta

import dagster as dg
import pytest

from autophagy_assets.automation import refresh
from autophagy_assets_tests.platform import study_file

NIGHT = """
import json, sys
from pathlib import Path
from autophagy_assets.automation.refresh import refresh
from autophagy_assets.definitions import build_defs
from autophagy_assets.config.home import dagster_instance
from autophagy_assets.staleness.materializations import UID, latest
from autophagy_assets.config.study import Study
from autophagy_assets_tests.given import given_study
import dagster as dg

folder, instance, defs = Path(sys.argv[1]), dagster_instance(), build_defs()
given_study(Study.load(), folder, ("WT",))  # a night is about the job
assert refresh().complete
schedule = next(iter(defs.get_repository_def().schedule_defs))
(request,) = schedule.evaluate_tick(dg.build_schedule_context(instance=instance)).run_requests

def night():
    job = defs.resolve_job_def(schedule.job_name)
    done = job.execute_in_process(instance=instance, run_config=request.run_config)
    (step,) = done.filter_events(lambda e: e.is_successful_output)
    return {name: value.value for name, value in step.step_output_data.metadata.items()}

first = night()
loose = folder.parent / "home" / "store" / ".tmp-0123.txt"
loose.write_text("half")
from autophagy_assets.registry.store.instance import connect
import os
uid = latest(instance, dg.AssetKey("class_gallery"), None).metadata[UID]
path = Path(connect().Artifact.get(uid=uid).path)
times = path.stat()
content = bytearray(path.read_bytes())
content[100] ^= 1
path.write_bytes(content)
os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a disk that decays
second = night()
print(json.dumps({"first": first, "second": second, "repaired": not loose.exists()}))
"""


@pytest.mark.slow
def test_a_night_repairs_and_verifies_and_has_made_what_is_out_of_date(run_script, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    study = study_file(tmp_path, "a night")
    found = run_script(NIGHT, given, AUTOPHAGY_STUDY=str(study))
    assert found["first"]["to make"] == 0 and found["first"]["left by reconcile"] == 0
    assert found["second"]["to make"] == 1 and found["repaired"]


def test_it_is_late_only_where_no_refresh_has_ended(monkeypatch):
    """Evaluated as the daemon does, a day and three days after a refresh that made nothing."""
    import asyncio

    from dagster._core.definitions.freshness_evaluator import TimeWindowFreshnessPolicyEvaluator

    from autophagy_assets.automation.asset_definitions import asset_definitions

    def last_refresh():
        return asset_definitions().resolve_asset_graph().get(dg.AssetKey("last_refresh"))

    monkeypatch.delenv("AUTOPHAGY_NIGHTLY", raising=False)
    assert last_refresh().freshness_policy is None  # nothing can be late
    monkeypatch.setenv("AUTOPHAGY_NIGHTLY", "0 2 * * *")
    node = last_refresh()
    assert node.freshness_policy.fail_window.to_timedelta() <= timedelta(hours=37)
    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    now = time.time()

    def state(hours: float) -> str:
        from dagster._core.loader import LoadingContextForTest

        at = "dagster._core.definitions.freshness_evaluator.get_current_timestamp"
        monkeypatch.setattr(at, lambda: now + hours * 3600)
        evaluator, context = TimeWindowFreshnessPolicyEvaluator(), LoadingContextForTest(instance)
        return asyncio.run(evaluator.evaluate_freshness(context, node)).value

    assert state(0) == "UNKNOWN"
    refresh.report_refreshed(instance, 0, 20)
    assert [state(hours) for hours in (1, 30, 72)] == ["PASS", "PASS", "FAIL"]
