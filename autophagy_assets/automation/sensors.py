"""Jobs, schedules and sensors. All are off until somebody turns them on.

Two ways lead to a fresh study. ``nightly_refresh`` makes once a night what is out of date,
as ``autophagy refresh`` does. ``watch_registry`` and ``refresh_when_content_changes``
together do so within a minute or two of new images: the first tells Dagster what is new in
LaminDB, the second follows the automation conditions of the assets. ``watch_inbox`` brings
images in and ``tell_of_failures`` tells somebody what went wrong. Each can be turned on in the
Dagster UI; ``AUTOPHAGY_NIGHTLY`` turns the schedule on, ``AUTOPHAGY_AUTOMATE`` the sensors.
"""

import dagster as dg

from autophagy_assets import settings
from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.alerts import tell_of_failures
from autophagy_assets.automation.inbox import ingest_drop, watch_inbox
from autophagy_assets.automation.jobs import REFRESH_NIGHTLY, analysis, imaging, refresh_all
from autophagy_assets.automation.reconcile_job import reconcile_job

settings.check()
_SENSOR_STATUS = (
    dg.DefaultSensorStatus.RUNNING if settings.automate() else dg.DefaultSensorStatus.STOPPED
)

nightly_refresh = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=refresh_all,
    run_config=REFRESH_NIGHTLY,
    cron_schedule=settings.nightly() or settings.AT_TWO,
    execution_timezone=settings.timezone(),
    default_status=(
        dg.DefaultScheduleStatus.RUNNING if settings.nightly() else dg.DefaultScheduleStatus.STOPPED
    ),
    description="Mend records, look for new data and make whatever is out of date, every night.",
)


@dg.sensor(
    name="watch_registry",
    minimum_interval_seconds=settings.watch_seconds(),
    default_status=_SENSOR_STATUS,
    description="Tells Dagster of samples, genotypes and tables that are new in LaminDB.",
)
def watch_registry(context: dg.SensorEvaluationContext, study: StudyResource) -> dg.SkipReason:
    """Report what is new; the automation conditions do the rest."""
    from autophagy_assets.automation.sync import sync

    reported = sync(context.instance, study.load())
    return dg.SkipReason(f"New or changed: {', '.join(reported)}" if reported else "Nothing new.")


refresh_when_content_changes = dg.AutomationConditionSensorDefinition(
    name="refresh_when_content_changes",
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=settings.watch_seconds(),
    default_status=_SENSOR_STATUS,
    description="Launches the assets whose upstream content has changed, or that are new.",
)

jobs = [imaging, analysis, refresh_all, reconcile_job, ingest_drop]
schedules = [nightly_refresh]
sensors = [watch_registry, watch_inbox, refresh_when_content_changes, tell_of_failures]
