"""The inbox in Dagster: the sensor that watches it, and the job that ingests a submission."""

import json
from dataclasses import asdict, replace

import dagster as dg
from pydantic import Field

from autophagy_assets.assets.definition import RETRIES, StudyResource
from autophagy_assets.automation.dead_runs import end_dead_runs
from autophagy_assets.automation.home_study import claim
from autophagy_assets.automation.sensor_defaults import sensor_defaults
from autophagy_assets.automation.submissions import (
    Submission,
    SubmissionState,
    content_of,
    find_submissions,
    loose_files,
    submission_folder,
)
from autophagy_assets.config import settings
from autophagy_assets.config.home import INGEST_TAG
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.steps import non_retryable

SUBMISSION_TAG, CONTENT_TAG = "autophagy/submission", "autophagy/submission_content"
CHANGED_TAG = "autophagy/submission_changed"  # of a run that found other content, and took none
OP = "ingest_images"


class SubmissionConfig(dg.Config):
    """Which submission is ingested.

    Parameters
    ----------
    folder : str
        Name of a folder in the inbox.
    content : str
        Fingerprint of the submission when it was asked for; empty for whatever it is now.
    replace : bool
        Whether its images may take the place of registered ones.
    """

    folder: str = Field(description="Name of a folder in the inbox (AUTOPHAGY_INBOX).")
    content: str = Field(
        default="", description="Set by watch_inbox; leave it empty to ingest what is there now."
    )
    replace: bool = Field(
        default=False, description="Images may take the place of registered ones."
    )


@dg.op(name=OP, retry_policy=RETRIES, description="Register the images of a folder in the inbox.")
def ingest_images(
    context: dg.OpExecutionContext, config: SubmissionConfig, study: StudyResource
) -> None:
    """Ingest a submission, then add its samples to the partitions."""
    with non_retryable():
        _ingest(context, config, study.load())


def _ingest(context: dg.OpExecutionContext, config: SubmissionConfig, study: Study) -> None:
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.registry.ingest.ingest import ingest

    inbox = settings.inbox()
    if inbox is None:
        raise InputError(f"There is no inbox; set {settings.INBOX_VARIABLE} to a folder.")
    if context.instance.is_persistent:
        claim(study.name)
    folder = submission_folder(inbox, config.folder)
    if config.content and content_of(folder, study) != config.content:
        # watch_inbox asks for it again as soon as it is at rest, also where it is as it was then.
        context.instance.add_run_tags(context.run_id, {CHANGED_TAG: "true"})
        context.log.info(
            f"{config.folder} has changed since its ingest was requested: not ingested now."
        )
        return
    done = ingest(folder, study, lambda field: context.log.info(f"reading {field}"), config.replace)
    for field, reason in done.excluded.items():
        context.log.warning(f"excluded {field}: {reason}")
    context.add_output_metadata(
        {
            "new images": done.new_images,
            "unchanged images": done.unchanged_images,
            "images with corrected labels": done.corrected_images,
            "restored images": done.restored_images,
            "fields excluded": done.excluded,
            "new or changed": sync(context.instance, study),
        }
    )


@dg.job(
    description="Registers the images of a folder in the inbox, as `autophagy ingest` does.",
    executor_def=dg.in_process_executor,
    tags={INGEST_TAG: "true"},
)
def ingest_submission() -> None:
    """One op; the folder is in its config."""
    ingest_images()


def define_watch_inbox() -> dg.SensorDefinition:
    """Define the sensor that watches the inbox."""
    define = dg.sensor(
        name="watch_inbox",
        job_name=ingest_submission.name,
        description="Ingests each folder in the inbox once it is complete and nothing changes it.",
        **sensor_defaults(),
    )
    return define(_watch)


def _watch(
    context: dg.SensorEvaluationContext, study: StudyResource
) -> dg.SensorResult | dg.SkipReason:
    """Request the ingest of submissions that are ready; report why the others are not."""
    from autophagy_assets.registry.store.instance import source_name

    inbox = settings.inbox()
    if inbox is None:
        return dg.SkipReason(f"There is no inbox: set {settings.INBOX_VARIABLE} to a folder.")
    if source_name() is not None:
        return dg.SkipReason(
            f"Images are read from {source_name()}: unset {settings.SOURCE_VARIABLE} to use the "
            "inbox."
        )
    end_dead_runs(context.instance)  # one ingest at a time: a dead one would hold up all others
    try:
        submissions = find_submissions(inbox, study.load(), read_cursor(context.cursor))
        loose = loose_files(inbox)
    except OSError as error:
        # What is remembered stays: a network folder that is away comes back as it was.
        return dg.SkipReason(
            f"{settings.INBOX_VARIABLE} {inbox} cannot be read ({error.strerror}): make the folder "
            "or mount it, and let the user who runs the daemon read it."
        )
    runs = {submission.name: _last_run(context.instance, submission) for submission in submissions}
    submissions = [_once_more(submission, runs[submission.name]) for submission in submissions]
    said = [
        f"{_printable(one.name)}: {_outcome(context.instance, one, runs[one.name])}"
        for one in submissions
        if not one.ready
    ]
    if loose:
        said.append(f"{loose} files lie outside of any folder: put images and metadata into one.")
    # By content: a copy under another name is the same submission.
    ready = {submission.state.content: submission for submission in submissions if submission.ready}
    if ready:
        for line in said:
            context.log.info(line)
        requests = [ingest_request(submission) for submission in ready.values()]
        return dg.SensorResult(requests, cursor=cursor_with(submissions))
    reason = "\n".join(said) or f"{inbox} is empty."
    return dg.SensorResult(skip_reason=reason, cursor=cursor_with(submissions))


def _printable(name: str) -> str:
    """A name of a folder, of which a file system takes any bytes."""
    return name.encode(errors="backslashreplace").decode()


def ingest_request(submission: Submission) -> dg.RunRequest:
    """Run request for the ingest of a submission; Dagster launches one run for a run key, ever."""
    content = submission.state.content
    config = {"folder": submission.name, "content": content}
    return dg.RunRequest(
        run_key=submission.state.key,
        run_config={"ops": {OP: {"config": config}}},
        tags={SUBMISSION_TAG: submission.name[:63], CONTENT_TAG: content},
    )


def _last_run(instance: dg.DagsterInstance, submission: Submission) -> dg.DagsterRun | None:
    """The last run that was to ingest a submission as it is, if it is not left alone anyway."""
    if submission.reason or submission.ready:
        return None
    wanted = dg.RunsFilter(tags={CONTENT_TAG: submission.state.content})
    return next(iter(instance.get_runs(wanted, limit=1)), None)


def _once_more(submission: Submission, last: dg.DagsterRun | None) -> Submission:
    """Ready, where its run came in between two changes and so has not ingested it."""
    if last is None or CHANGED_TAG not in last.tags:
        return submission
    state = replace(submission.state, attempt=submission.state.attempt + 1)
    return replace(submission, state=state, ready=True)


def _outcome(
    instance: dg.DagsterInstance, submission: Submission, last: dg.DagsterRun | None
) -> str:
    """State of the ingest of a submission, in words."""
    if submission.reason:
        return submission.reason
    if last is None:
        return "its ingest was requested."
    status, run = last.status, last.run_id
    if status is dg.DagsterRunStatus.SUCCESS:
        return "ingested."
    if status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        why = _reason(instance, run)
        return (
            f"its ingest has failed{f': {why} See' if why else ','} run {run}; fix the folder, or "
            "launch that run again (with replace: true, if images are to be replaced): it is not "
            "tried again before it changes."
        )
    return f"is being ingested, run {run}."


def _reason(instance: dg.DagsterInstance, run: str) -> str:
    """Why an ingest has failed, where it was for bad input."""
    failed = instance.get_records_for_run(run, of_type=dg.DagsterEventType.STEP_FAILURE).records
    for record in failed:
        event = record.event_log_entry.dagster_event
        data = event.step_failure_data.user_failure_data if event is not None else None
        if data is not None and data.description:
            return data.description
    return ""


def read_cursor(cursor: str | None) -> dict[str, SubmissionState]:
    """Read the states of submissions from the cursor of a sensor.

    Returns
    -------
    dict
        Empty where the cursor is none that was written here.
    """
    try:
        return {
            name: SubmissionState(**entry) for name, entry in json.loads(cursor or "{}").items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def cursor_with(submissions: list[Submission]) -> str:
    """Write the states of submissions into a cursor; those that are gone are dropped."""
    return json.dumps({submission.name: asdict(submission.state) for submission in submissions})
