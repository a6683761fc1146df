"""Schedule and sensors that launch what is out of date. All go by the one judge.

``refresh_on_change`` looks again and again and launches whatever is out of date.
``nightly_refresh`` asks for a refresh once a night, as the jobs do that a person launches;
``refresh_on_request`` carries out what was asked for. Both sensors launch ordinary runs of assets
through Dagster's queue, level by level. ``watch_inbox`` brings images in, ``report_failures``
reports what went wrong. What can launch something by itself is off until it is turned on:
in the Dagster UI, by ``AUTOPHAGY_NIGHTLY`` (the schedule) or ``AUTOPHAGY_AUTOMATE`` (the sensors).
Dagster wants interval, time and status in the definition, so they are read when the code location
is loaded, and not when this module is imported.
"""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.alerts import define_report_failures
from autophagy_assets.automation.inbox import define_watch_inbox, ingest_submission
from autophagy_assets.automation.jobs import (
    ALL,
    NIGHTLY,
    REFRESH_TAG,
    analysis,
    asset_jobs,
    imaging,
    refresh_all,
)
from autophagy_assets.automation.next_runs import Look, look, not_tried
from autophagy_assets.automation.reconcile_job import reconcile_job
from autophagy_assets.automation.refresh import report_refreshed
from autophagy_assets.automation.sensor_defaults import sensor_defaults
from autophagy_assets.config import settings

ASKED_TAG = "autophagy/asked_by"  # of runs that carry out a request: the run that asked
# Of the run that asked, when all is done. A cursor would not do: a nightly run that verifies every
# file begins before a short one that somebody launches meanwhile, and ends after it.
CARRIED_OUT_TAG = "autophagy/carried_out"
_MOST_AT_ONCE = 200  # runs that are queued in one look
_NEXT_LOOK_S = 10


def define_schedules() -> list[dg.ScheduleDefinition]:
    """Define the nightly refresh, as the settings are now."""
    cron = settings.nightly()
    nightly_refresh = dg.ScheduleDefinition(
        name="nightly_refresh",
        job=refresh_all,
        run_config=NIGHTLY,
        cron_schedule=cron or settings.AT_TWO,
        execution_timezone=settings.timezone(),
        default_status=(
            dg.DefaultScheduleStatus.RUNNING if cron else dg.DefaultScheduleStatus.STOPPED
        ),
        description="Every night: repairs records, verifies files, makes whatever is out of date.",
    )
    return [nightly_refresh]


def define_sensors() -> list[dg.SensorDefinition]:
    """Define all sensors, as the settings are now."""
    return [
        define_refresh_on_change(),
        define_refresh_on_request(),
        define_watch_inbox(),
        define_report_failures(),
    ]


def define_refresh_on_change() -> dg.SensorDefinition:
    """Define the sensor that launches whatever is out of date."""
    define = dg.sensor(
        name="refresh_on_change",
        jobs=asset_jobs,
        description="Launches whatever is new or out of date, here or in the source. What has "
        "failed is not tried again before something changes.",
        **sensor_defaults(),
    )
    return define(_refresh_on_change)


def define_refresh_on_request() -> dg.SensorDefinition:
    """Define the sensor that launches what the jobs of refreshes have asked for."""
    define = dg.sensor(
        name="refresh_on_request",
        jobs=asset_jobs,
        minimum_interval_seconds=min(_NEXT_LOOK_S, settings.watch_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Launches what the jobs imaging, analysis and refresh_all found to be out of "
        "date, until nothing is left. It launches nothing that was not asked for.",
    )
    return define(_refresh_on_request)


def _refresh_on_change(
    context: dg.SensorEvaluationContext, study: StudyResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the runs that could begin now."""
    state = look(context.instance, study.study_file)
    wanted = not_tried(context.instance, state.plan, state.untried)[:_MOST_AT_ONCE]
    if not wanted:
        return dg.SkipReason(summary_of(state))
    _log(context, state)
    return dg.SensorResult([request.run_request(state.plan) for request in wanted])


def _refresh_on_request(
    context: dg.SensorEvaluationContext, study: StudyResource
) -> dg.SensorResult | dg.SkipReason:
    """Carry out the requests that have not been carried out yet."""
    done = _number(context.cursor)  # of an earlier release, whose requests have no such tag
    asked = [
        record
        for record in context.instance.get_run_records(
            dg.RunsFilter(
                statuses=[dg.DagsterRunStatus.SUCCESS], tags={REFRESH_TAG: _known_tags()}
            ),
            limit=20,
        )
        if record.storage_id > done and CARRIED_OUT_TAG not in record.dagster_run.tags
    ]
    if not asked:
        return dg.SkipReason("Nothing has been asked for.")
    groups = _groups(record.dagster_run.tags[REFRESH_TAG] for record in asked)
    newest = max(asked, key=lambda record: record.end_time or 0)
    tag = {ASKED_TAG: newest.dagster_run.run_id}
    state = look(context.instance, study.study_file, groups)
    wanted = not_tried(context.instance, state.plan, state.requests, **tag)[:_MOST_AT_ONCE]
    if wanted:
        _log(context, state)
        runs = [r.run_request(state.plan, f"{newest.dagster_run.run_id}-") for r in wanted]
        return dg.SensorResult([run.with_replaced_attrs(tags={**run.tags, **tag}) for run in runs])
    if state.busy:
        return dg.SkipReason(summary_of(state))
    if groups is None and not (state.plan.ready or state.plan.waiting):
        launched = context.instance.get_run_ids(dg.RunsFilter(tags=tag))
        report_refreshed(context.instance, len(launched), len(state.plan.fresh))
    for record in asked:
        context.instance.add_run_tags(record.dagster_run.run_id, {CARRIED_OUT_TAG: "true"})
    return dg.SkipReason(f"The refresh has ended. {summary_of(state)}")


def summary_of(state: Look) -> str:
    """State of a study in a sentence."""
    plan = state.plan
    if not plan.ready and not plan.waiting:
        return f"All {len(plan.fresh)} are up to date."
    reasons = [f"{target}: {reason}" for target, reason in list(plan.ready.items())[:5]]
    busy = f" {len(state.busy)} are being made." if state.busy else ""
    return (
        f"{len(plan.fresh)} are up to date, {len(plan.ready)} out of date, {len(plan.waiting)} "
        f"wait for those.{busy} " + "; ".join(reasons)
    )


def _log(context: dg.SensorEvaluationContext, state: Look) -> None:
    context.log.info(summary_of(state))


def _number(cursor: str | None) -> int:
    return int(cursor) if cursor and cursor.isdecimal() else 0


def _known_tags() -> list[str]:
    return sorted({job.tags[REFRESH_TAG] for job in (imaging, analysis, refresh_all)})


def _groups(tags: Iterable[str]) -> set[str] | None:
    """Groups of assets that were asked for by any of some requests; None for all."""
    named = {name for tag in tags for name in tag.split(",")}
    return None if ALL in named else named


jobs: list[Any] = [*asset_jobs, imaging, analysis, refresh_all, reconcile_job, ingest_submission]
