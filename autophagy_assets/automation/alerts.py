"""Reporting failed runs: a sensor that posts to a webhook, or logs."""

import dagster as dg

from autophagy_assets.automation.failures import reason_of_run
from autophagy_assets.automation.sensor_defaults import sensor_defaults
from autophagy_assets.automation.webhook import NotPosted, post
from autophagy_assets.config import settings
from autophagy_assets.config.secrets import without_secrets

_NAMED = 5  # assets that a message names; it counts the rest
PARTITION_TAGS = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def message_of(run: dg.DagsterRun, reason: str, ui_url: str | None) -> str:
    """Message about a failed run.

    Parameters
    ----------
    reason : str
        Why it failed.
    ui_url : str or None
        Address of the Dagster UI, for a link.
    """
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    partitions = list(dict.fromkeys(run.tags[tag] for tag in PARTITION_TAGS if tag in run.tags))
    # A run of some assets is of a job that Dagster has made up; its name says nothing.
    name = run.job_name
    lines = ["A run of assets has failed." if name.startswith("__") else f"{name} has failed."]
    if assets:
        more = f" and {len(assets) - _NAMED} more" if len(assets) > _NAMED else ""
        lines.append(f"Assets: {', '.join(assets[:_NAMED])}{more}")
    if partitions:
        lines.append(f"Partition: {' to '.join(partitions)}")
    if submission := run.tags.get("autophagy/submission"):
        lines.append(f"Folder in the inbox: {submission}")
    lines.append(without_secrets(reason))
    lines.append(f"Run: {ui_url}/runs/{run.run_id}" if ui_url else f"Run: {run.run_id}")
    return "\n".join(lines)


def define_report_failures() -> dg.SensorDefinition:
    """Define the sensor that reports failed runs."""
    define = dg.run_failure_sensor(
        name="report_failures",
        description="Posts each run that fails to the webhook (AUTOPHAGY_WEBHOOK), or logs it.",
        **sensor_defaults(),
    )
    return define(_report)


def _report(context: dg.RunFailureSensorContext) -> None:
    """Report one failed run; a webhook that is down is logged, and the run not tried again."""
    reason = reason_of_run(context.get_step_failure_events(), context.failure_event.message)
    message = message_of(context.dagster_run, reason, settings.ui_url())
    url = settings.webhook()
    if url is None:
        context.log.error(message)
        return
    try:
        post(url, message)
    except NotPosted as error:
        context.log.error(f"{error} It would have read:\n{message}")
