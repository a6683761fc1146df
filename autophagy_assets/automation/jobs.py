"""Jobs: of assets by their partitions, and jobs that ask for a refresh.

``make_samples``, ``make_genotypes``, ``make_knockouts``, ``make_models`` and ``make_study`` are
asset jobs, one for each kind of partitions. The sensors launch their runs, with the assets and the
partition that are out of date.

``imaging``, ``analysis`` and ``refresh_all`` are not asset jobs. An asset job has to be given its
partitions, or asks for all of them: the launchpad would have one choose samples for ``imaging``,
and could not offer ``analysis`` at all, which has genotypes, knockouts, models and assets without
partitions. A job looks at what is out of date and says so; the sensor ``refresh_on_request`` then
launches ordinary runs of assets, through Dagster's queue, until nothing is left.
"""

from collections.abc import Collection, Iterable
from typing import Any

import dagster as dg
from pydantic import Field

from autophagy_assets.assets.catalog import Definition, group_of, study_assets
from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.reconcile_job import repair
from autophagy_assets.automation.requests import ASSET_JOBS
from autophagy_assets.io_managers.steps import non_retryable
from autophagy_assets.staleness.upstream import partitions_name

REFRESH_TAG = "autophagy/refresh_groups"  # of the runs that ask: groups of assets, or ALL
ALL = "all"


class RefreshConfig(dg.Config):
    """Config of a refresh: what else is checked."""

    reconcile: bool = Field(
        default=False,
        description="First repair what does not agree between Dagster, LaminDB and the storage.",
    )
    verify: bool = Field(
        default=False,
        description="Read every file and compare it with its hash, not only sizes and times.",
    )


def define_asset_jobs(assets: Iterable[Definition]) -> list[Any]:
    """Define the jobs of ordinary asset runs.

    Parameters
    ----------
    assets : iterable of (dagster.AssetsDefinition or dagster.AssetSpec)

    Returns
    -------
    list
        One for each kind of partitions, with all assets that have them.
    """
    made = [one for one in assets if isinstance(one, dg.AssetsDefinition)]
    return [
        dg.define_asset_job(
            name,
            selection=[one for one in made if partitions_name(one.partitions_def) == space],
            description=f"Makes partitions of one {space}. Launched by the sensors."
            if space
            else "Makes the assets of the study as a whole. Launched by the sensors.",
        )
        for space, name in ASSET_JOBS.items()
    ]


_ASSETS = study_assets()
IMAGING = ("imaging",)
ANALYSIS = tuple(sorted({group_of(one) for one in _ASSETS} - set(IMAGING)))
asset_jobs = define_asset_jobs(_ASSETS)

NIGHTLY = {"ops": {"look_at_study": {"config": {"reconcile": True, "verify": True}}}}


@dg.op(description="Find what is out of date in the study, and request that it is made.")
def look_at_study(
    context: dg.OpExecutionContext, config: RefreshConfig, study: StudyResource
) -> None:
    """Ask for a refresh of everything."""
    # What is left is warned of and fails only the job reconcile: a file that somebody has put
    # into the store is no reason to be called every night, and a file that is needed and gone is
    # made again, or fails what needs it.
    more = {"left by reconcile": len(repair(context, study.load()))} if config.reconcile else {}
    _look(context, study, None, verify=config.verify, **more)


@dg.op(description="Find what is out of date in imaging, and request that it is made.")
def look_at_imaging(context: dg.OpExecutionContext, study: StudyResource) -> None:
    """Ask for a refresh of the group imaging."""
    _look(context, study, IMAGING)


@dg.op(description="Find what is out of date after imaging, and request that it is made.")
def look_at_analysis(context: dg.OpExecutionContext, study: StudyResource) -> None:
    """Ask for a refresh of all groups but imaging."""
    _look(context, study, ANALYSIS)


def _look(
    context: dg.OpExecutionContext,
    study: StudyResource,
    groups: Collection[str] | None,
    verify: bool = False,
    **metadata: int,
) -> None:
    from autophagy_assets.automation.next_runs import look

    with non_retryable():
        state = look(context.instance, study.study_file, groups, verify=verify)
    for target in state.todo:
        context.log.info(f"to make: {target}: {state.plan.ready[target]}")
    counts = {"to make": len(state.todo), "waiting": len(state.plan.waiting)}
    counts |= {"up to date": len(state.plan.fresh), "held up": len(state.held)}
    context.add_output_metadata(metadata | counts)
    if state.held and not state.todo:
        first = sorted(map(str, state.held))[0]
        raise dg.Failure(
            f"{len(state.held)} cannot be made before what they depend on, {first} for instance; "
            "run refresh_all.",
            allow_retries=False,
        )


@dg.job(
    name="imaging",
    tags={REFRESH_TAG: ",".join(IMAGING)},
    description="Segment and featurize what is new or out of date.",
)
def imaging() -> None:
    """One op, which asks for a refresh of imaging."""
    look_at_imaging()


@dg.job(
    name="analysis",
    tags={REFRESH_TAG: ",".join(ANALYSIS)},
    description="Make what is out of date from the features to the report; images nothing.",
)
def analysis() -> None:
    """One op, which asks for a refresh of all groups but imaging."""
    look_at_analysis()


@dg.job(
    name="refresh_all",
    tags={REFRESH_TAG: ALL},
    description="Make whatever is new or out of date in the study.",
)
def refresh_all() -> None:
    """One op, which asks for a refresh of everything, for the schedule and for the launchpad."""
    look_at_study()
