"""Jobs, schedules and sensors as people find them, and whether they are on."""

from __future__ import annotations

import pytest

from autophagy_assets_tests.cli.test_main import autophagy

SHOW = """
import json
from autophagy_assets.definitions import build_defs

defs = build_defs()
found = defs.get_repository_def()
policy = defs.resolve_asset_graph().get(
    next(k for k in defs.resolve_asset_graph().get_all_asset_keys()
         if k.to_user_string() == "last_refresh")
).freshness_policy
print(json.dumps({
    "jobs": sorted(job.name for job in found.get_all_jobs() if not job.name.startswith("__")),
    "schedules": {
        s.name: [s.job_name, s.cron_schedule, s.execution_timezone, s.default_status.value]
        for s in found.schedule_defs
    },
    "sensors": {s.name: s.default_status.value for s in found.sensor_defs},
    "interval": max(s.minimum_interval_seconds for s in found.sensor_defs),
    "late after hours": policy and policy.fail_window.to_timedelta().total_seconds() / 3600,
}))
"""
JOBS = [
    *("analysis", "imaging", "ingest_submission"),
    *("make_genotypes", "make_knockouts", "make_models", "make_samples", "make_study"),
    *("reconcile", "refresh_all"),
]
SENSORS = ["refresh_on_change", "report_failures", "watch_inbox"]
# It launches what a job or the schedule has asked for, and nothing else.
ON_REQUEST = {"refresh_on_request": "RUNNING"}


@pytest.mark.slow
def test_all_is_off_until_somebody_turns_it_on(run_script):
    assert run_script(SHOW) == {
        "jobs": JOBS,
        "schedules": {"nightly_refresh": ["refresh_all", "0 2 * * *", "UTC", "STOPPED"]},
        "sensors": dict.fromkeys(SENSORS, "STOPPED") | ON_REQUEST,
        "interval": 60,
        "late after hours": None,
    }


@pytest.mark.slow
def test_two_settings_turn_all_of_it_on(run_script):
    found = run_script(
        SHOW,
        AUTOPHAGY_AUTOMATE="1",
        AUTOPHAGY_NIGHTLY="30 3 * * 1-5",
        AUTOPHAGY_TIMEZONE="Asia/Tokyo",
        AUTOPHAGY_WATCH_SECONDS="5",
    )
    assert found == {
        "jobs": JOBS,
        "schedules": {"nightly_refresh": ["refresh_all", "30 3 * * 1-5", "Asia/Tokyo", "RUNNING"]},
        "sensors": dict.fromkeys(SENSORS, "RUNNING") | ON_REQUEST,
        "interval": 5,
        "late after hours": 3 * 24 + 12,  # nothing is late on a Sunday
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "variable", ["AUTOPHAGY_NIGHTLY", "AUTOPHAGY_WEBHOOK", "AUTOPHAGY_WORKERS"]
)
def test_a_wrong_setting_is_the_error_of_every_command(tmp_path, variable):
    done = autophagy(tmp_path / "home", "status", **{variable: "tomorrow"})
    said = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(said) == 1, said
    assert said[0].startswith(f"Error: {variable} is ")
