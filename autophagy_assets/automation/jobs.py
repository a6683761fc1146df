"""Jobs that make what is out of date: in imaging, in the analysis, or in all.

They are refreshes, not asset jobs. An asset job has to be given its partitions, or asks for all
of them: the launchpad would have one choose samples for ``imaging``, and could not offer
``analysis`` at all, which has genotypes, knockouts and assets without partitions. A refresh finds
the partitions that are out of date by itself, also those that came since the UI was started,
and makes nothing else.
"""

from collections.abc import Collection

import dagster as dg
from pydantic import Field

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.reconcile_job import mend
from autophagy_assets.io_managers.steps import told_once
from autophagy_assets.staleness.plan import Target

IMAGING = ("imaging",)
ANALYSIS = ("features", "classifier", "knockouts", "galleries", "report")


class RefreshConfig(dg.Config):
    """What a refresh does besides refreshing.

    Parameters
    ----------
    reconcile : bool
        Mend what is safe to mend before.
    """

    reconcile: bool = Field(
        default=False,
        description="First mend what does not agree between Dagster, LaminDB and the storage.",
    )


REFRESH_NIGHTLY = {"ops": {"refresh_study": {"config": {"reconcile": True}}}}


@dg.op(description="Make whatever is new or out of date, each in a run of its own.")
def refresh_study(
    context: dg.OpExecutionContext, config: RefreshConfig, study: StudyResource
) -> None:
    """Refresh the study, as the command line does."""
    # What is left is warned of and fails only the job reconcile: a file that somebody has put
    # into the store is no reason to be called every night, and a file that is needed and gone is
    # made again, or fails what needs it.
    more = {"left by reconcile": len(mend(context))} if config.reconcile else {}
    _refresh(context, study, None, **more)


@dg.op(description="Make what is out of date in imaging, each sample in a run of its own.")
def refresh_imaging(context: dg.OpExecutionContext, study: StudyResource) -> None:
    """Refresh the group imaging."""
    _refresh(context, study, IMAGING)


@dg.op(description="Make what is out of date after imaging, each in a run of its own.")
def refresh_analysis(context: dg.OpExecutionContext, study: StudyResource) -> None:
    """Refresh all groups but imaging."""
    _refresh(context, study, ANALYSIS)


def _refresh(
    context: dg.OpExecutionContext,
    study: StudyResource,
    parts: Collection[str] | None,
    **metadata: int,
) -> None:
    from autophagy_assets.automation.refresh import refresh
    from autophagy_assets.definitions import build_defs

    def progress(target: Target, state: str) -> None:
        context.log.info(f"{state}: {target}")

    with told_once():
        defs = build_defs(study_file=study.study_file)
        done = refresh(study.load(), defs, progress, parts=parts)
    metadata |= {"made": len(done.made), "up to date": done.fresh, "held up": len(done.held)}
    context.add_output_metadata(metadata)
    if done.failed:
        reasons = "; ".join(f"{target}: {error}" for target, error in done.failed.items())
        raise dg.Failure(f"{len(done.failed)} failed: {reasons}", allow_retries=False)
    if done.held and not done.made:
        first = sorted(map(str, done.held))[0]
        raise dg.Failure(
            f"{len(done.held)} cannot be made before what they depend on, {first} for instance; "
            "run refresh_all.",
            allow_retries=False,
        )


@dg.job(name="imaging", description="Segment and featurize what is new or out of date.")
def imaging() -> None:
    """One op, a refresh of imaging."""
    refresh_imaging()


@dg.job(
    name="analysis",
    description="Make what is out of date from the features to the report; images nothing.",
)
def analysis() -> None:
    """One op, a refresh of all groups but imaging."""
    refresh_analysis()


@dg.job(name="refresh_all", description="Make whatever is new or out of date in the study.")
def refresh_all() -> None:
    """One op, a refresh of everything, for the schedule and for the launchpad."""
    refresh_study()
