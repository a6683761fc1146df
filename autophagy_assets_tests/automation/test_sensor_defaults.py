"""Interval and status of sensors and schedule follow the settings when the code is loaded."""

from __future__ import annotations

import dagster as dg

from autophagy_assets.definitions import build_defs


def found() -> tuple[dict[str, tuple[int | None, bool]], dg.ScheduleDefinition]:
    repository = build_defs().get_repository_def()
    running = dg.DefaultSensorStatus.RUNNING
    sensors = {
        sensor.name: (sensor.minimum_interval_seconds, sensor.default_status == running)
        for sensor in repository.sensor_defs
    }
    return sensors, repository.get_schedule_def("nightly_refresh")


def test_settings_count_as_they_are_when_the_definitions_are_built(monkeypatch):
    for variable in ("AUTOMATE", "NIGHTLY", "TIMEZONE", "WATCH_SECONDS"):
        monkeypatch.delenv(f"AUTOPHAGY_{variable}", raising=False)
    sensors, nightly = found()
    assert sensors == {
        "refresh_on_change": (60, False),
        "watch_inbox": (60, False),
        "report_failures": (60, False),
        "refresh_on_request": (10, True),
    }
    assert nightly.default_status == dg.DefaultScheduleStatus.STOPPED

    monkeypatch.setenv("AUTOPHAGY_AUTOMATE", "1")
    monkeypatch.setenv("AUTOPHAGY_WATCH_SECONDS", "7")
    monkeypatch.setenv("AUTOPHAGY_NIGHTLY", "30 3 * * *")
    monkeypatch.setenv("AUTOPHAGY_TIMEZONE", "Europe/Vienna")
    sensors, nightly = found()
    assert set(sensors.values()) == {(7, True)}
    assert (nightly.cron_schedule, nightly.execution_timezone) == ("30 3 * * *", "Europe/Vienna")
    assert nightly.default_status == dg.DefaultScheduleStatus.RUNNING
