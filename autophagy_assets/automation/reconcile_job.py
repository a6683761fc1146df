"""Reconciling as a Dagster job, for the launchpad and for the nightly refresh."""

import dagster as dg
from pydantic import Field

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.reconcile import reconcile, unrepaired
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency.records import Disagreement


class ReconcileConfig(dg.Config):
    """Config of the job: whether it repairs.

    Parameters
    ----------
    fix : bool
        Repair what is safe to repair.
    """

    fix: bool = Field(default=False, description="Repair what is safe to repair.")


def repair(context: dg.OpExecutionContext, study: Study, fix: bool = True) -> list[Disagreement]:
    """Compare Dagster, LaminDB and storage; log every disagreement.

    Parameters
    ----------
    fix : bool
        Repair what is safe to repair.

    Returns
    -------
    list of Disagreement
        What is left.
    """
    disagreements = reconcile(context.instance, fix=fix, study=study)
    for disagreement in disagreements:
        said = f"{disagreement.kind}: {disagreement.what}: {disagreement.problem}"
        if disagreement.fixed:
            context.log.info(f"repaired {said}")
        else:
            context.log.warning(f"{said}; to do: {disagreement.remedy}")
    return unrepaired(disagreements)


@dg.op(description="Compares Dagster's materializations, LaminDB and storage.")
def compare_records(
    context: dg.OpExecutionContext, config: ReconcileConfig, study: StudyResource
) -> None:
    """Log every disagreement; fail where something is left for a person."""
    if remaining := repair(context, study.load(), config.fix):
        raise dg.Failure(
            f"{len(remaining)} disagreements are left; the log says what to do. The config "
            "fix: true repairs what is safe.",
            allow_retries=False,
        )


@dg.job(
    name="reconcile",
    description="Compares Dagster's materializations, LaminDB and storage; repairs with fix: true.",
    executor_def=dg.in_process_executor,
)
def reconcile_job() -> None:
    """One op; see :mod:`autophagy_assets.automation.reconcile`."""
    compare_records()
