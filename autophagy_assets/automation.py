"""Jobs, schedules and sensors. All are off until somebody turns them on in the Dagster UI.

Two ways lead to a fresh study. ``nightly_refresh`` makes once a night what is out of date,
as ``autophagy refresh`` does. ``watch_registry`` and ``refresh_when_content_changes``
together do so within a minute or two of new images: the first tells Dagster what is new in
LaminDB, the second follows the automation conditions of the assets.
"""

import os

import dagster as dg

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.errors import InputError

SCHEDULE = "0 2 * * *"
WATCH_VARIABLE = "AUTOPHAGY_WATCH_SECONDS"


def watch_seconds() -> int:
    """Seconds between two looks of a sensor.

    Returns
    -------
    int
        ``AUTOPHAGY_WATCH_SECONDS``; 60 where it is not set.

    Raises
    ------
    InputError
        If it is not a whole number above 0.
    """
    told = os.environ.get(WATCH_VARIABLE) or "60"
    if not told.isdecimal() or int(told) == 0:
        raise InputError(f"{WATCH_VARIABLE} is {told!r}; give it a whole number of seconds.")
    return int(told)


@dg.op(description="Make whatever is new or out of date, each in a run of its own.")
def refresh_study(context: dg.OpExecutionContext, study: StudyResource) -> None:
    """Refresh the study, as the command line does."""
    from autophagy_assets.definitions import build_defs
    from autophagy_assets.refresh import refresh

    def tell(target, state):
        context.log.info(f"{state}: {target}")

    done = refresh(study.load(), build_defs(study_file=study.study_file), tell)
    if done.failed:
        reasons = "; ".join(f"{target}: {error}" for target, error in done.failed.items())
        raise dg.Failure(f"{len(done.failed)} failed: {reasons}", allow_retries=False)


@dg.job(description="Make whatever is new or out of date in the study.")
def refresh_job() -> None:
    """Refresh the study in one job, for schedules and for the launchpad."""
    refresh_study()


nightly_refresh = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=refresh_job,
    cron_schedule=SCHEDULE,
    description="Make whatever is out of date, every night at two.",
)


@dg.sensor(
    name="watch_registry",
    minimum_interval_seconds=watch_seconds(),
    description="Tells Dagster of samples, genotypes and tables that are new in LaminDB.",
)
def watch_registry(context: dg.SensorEvaluationContext, study: StudyResource) -> dg.SkipReason:
    """Report what is new; the automation conditions do the rest."""
    from autophagy_assets.sync import sync

    reported = sync(context.instance, study.load())
    return dg.SkipReason(f"New or changed: {', '.join(reported)}" if reported else "Nothing new.")


refresh_when_content_changes = dg.AutomationConditionSensorDefinition(
    name="refresh_when_content_changes",
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=watch_seconds(),
    default_status=dg.DefaultSensorStatus.STOPPED,
)

jobs = [refresh_job]
schedules = [nightly_refresh]
sensors = [watch_registry, refresh_when_content_changes]
