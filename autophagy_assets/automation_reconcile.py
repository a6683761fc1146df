"""Reconciling as a Dagster job, for the launchpad and for a schedule."""

import dagster as dg
from pydantic import Field

from autophagy_assets.reconcile import left, reconcile


class ReconcileConfig(dg.Config):
    """What the job may do.

    Parameters
    ----------
    fix : bool
        Mend what is safe to mend.
    """

    fix: bool = Field(default=False, description="Mend what is safe to mend.")


@dg.op(description="Compares Dagster's materializations, LaminDB and storage.")
def compare_records(context: dg.OpExecutionContext, config: ReconcileConfig) -> None:
    """Log every finding; fail where something is left for a person."""
    findings = reconcile(context.instance, fix=config.fix)
    for finding in findings:
        said = f"{finding.kind}: {finding.what}: {finding.problem}"
        if finding.fixed:
            context.log.info(f"mended {said}")
        else:
            context.log.warning(f"{said}; to do: {finding.remedy}")
    if remaining := left(findings):
        raise dg.Failure(
            f"{len(remaining)} of {len(findings)} findings are left; the log names each with what "
            "to do. The config fix: true mends what is safe.",
            allow_retries=False,
        )


@dg.job(
    description="Compares Dagster's materializations, LaminDB and storage; mends with fix: true.",
    executor_def=dg.in_process_executor,
)
def reconcile_job() -> None:
    """One op; see :mod:`autophagy_assets.reconcile`."""
    compare_records()
