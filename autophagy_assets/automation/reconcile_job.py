"""Reconciling as a Dagster job, for the launchpad and for the nightly refresh."""

import dagster as dg
from pydantic import Field

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.reconcile import left, reconcile
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency.records import Finding


class ReconcileConfig(dg.Config):
    """What the job may do.

    Parameters
    ----------
    fix : bool
        Mend what is safe to mend.
    """

    fix: bool = Field(default=False, description="Mend what is safe to mend.")


def mend(context: dg.OpExecutionContext, study: Study, fix: bool = True) -> list[Finding]:
    """Compare Dagster, LaminDB and storage; log every finding.

    Parameters
    ----------
    context : dagster.OpExecutionContext
    study : Study
    fix : bool
        Mend what is safe to mend.

    Returns
    -------
    list of Finding
        What is left.
    """
    findings = reconcile(context.instance, fix=fix, study=study)
    for finding in findings:
        said = f"{finding.kind}: {finding.what}: {finding.problem}"
        if finding.fixed:
            context.log.info(f"mended {said}")
        else:
            context.log.warning(f"{said}; to do: {finding.remedy}")
    return left(findings)


@dg.op(description="Compares Dagster's materializations, LaminDB and storage.")
def compare_records(
    context: dg.OpExecutionContext, config: ReconcileConfig, study: StudyResource
) -> None:
    """Log every finding; fail where something is left for a person."""
    if remaining := mend(context, study.load(), config.fix):
        raise dg.Failure(
            f"{len(remaining)} findings are left; the log names each with what to do. The config "
            "fix: true mends what is safe.",
            allow_retries=False,
        )


@dg.job(
    name="reconcile",
    description="Compares Dagster's materializations, LaminDB and storage; mends with fix: true.",
    executor_def=dg.in_process_executor,
)
def reconcile_job() -> None:
    """One op; see :mod:`autophagy_assets.automation.reconcile`."""
    compare_records()
