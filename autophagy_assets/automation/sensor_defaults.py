"""How often the sensors look, and whether they run before anybody turns them on."""

from typing import Any

import dagster as dg

from autophagy_assets.config import settings


def sensor_defaults() -> dict[str, Any]:
    """Interval and first status of a sensor, for ``dagster.sensor``, as the settings say now."""
    running = dg.DefaultSensorStatus.RUNNING
    return {
        "minimum_interval_seconds": settings.watch_seconds(),
        "default_status": running if settings.automate() else dg.DefaultSensorStatus.STOPPED,
    }
