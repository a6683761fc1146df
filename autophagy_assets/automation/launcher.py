"""Dagster runs: of samples, in several processes at once; of all others, in this one."""

import os
from collections.abc import Iterator
from functools import partial

import dagster as dg

from autophagy_assets.automation.failures import reason_of
from autophagy_assets.automation.requests import Group, due
from autophagy_assets.home import WORKERS_VARIABLE, dagster_instance
from autophagy_assets.staleness.partitions import SAMPLE_SPACE
from autophagy_assets.staleness.plan import Target
from autophagy_assets.study import Study

TAG = "autophagy/refresh"


def run_groups(
    batch: list[Group], defs: dg.Definitions, instance: dg.DagsterInstance, workers: int | None
) -> Iterator[tuple[Group, dict[Target, str]]]:
    """Run groups: those of samples in several processes at once, all others here.

    Parameters
    ----------
    batch : list of Group
        Of samples only, or of others only.
    defs : dagster.Definitions
    instance : dagster.DagsterInstance
    workers : int or None
        Processes; None for as many as this machine can run.

    Yields
    ------
    tuple of (Group, dict)
        A group as it ends, with errors by target, empty where all went well. Of samples, what
        waited for a group follows it, where that is out of date.
    """
    if not batch or batch[0].space != SAMPLE_SPACE:
        for group in batch:
            yield group, run_group(group, defs, instance)
        return
    from autophagy_assets.analysis.compute import PRELOAD, default_workers, map_fields

    cores = workers or default_workers()
    # What samples do not use of the cores, the fields within a sample do.
    study_file = (defs.resources or {})["study"].study_file
    job = partial(_run_elsewhere, study_file=study_file, workers=max(1, cores // len(batch)))
    preload = [*PRELOAD, "autophagy_assets.definitions"]
    for group, outcome in map_fields(job, batch, cores, preload, apart=True):
        if isinstance(outcome, Exception):  # what ended its process
            yield group, dict.fromkeys(group.targets, str(outcome))
        else:
            yield from outcome


def _run_elsewhere(
    group: Group, study_file: str | None, workers: int
) -> list[tuple[Group, dict[Target, str]]]:
    """Run a group in a worker process, which has the same environment and so the same home.

    What waits for the group is run in the same process: another would import scPortrait again.
    """
    from autophagy_assets.definitions import build_defs

    study, instance = Study.load(study_file), dagster_instance(capture=False)
    defs = build_defs(study_file=study_file)
    # Set for the steps only: what Dagster may run at once, in the home, follows from it too.
    before = os.environ.get(WORKERS_VARIABLE)
    os.environ[WORKERS_VARIABLE] = str(workers)
    done: list[tuple[Group, dict[Target, str]]] = []
    left: Group | None = group
    try:
        while left is not None:
            done.append((left, run_group(left, defs, instance)))
            left = None if done[-1][1] else due(instance, defs, study, left)
        return done
    finally:
        if before is None:
            del os.environ[WORKERS_VARIABLE]
        else:
            os.environ[WORKERS_VARIABLE] = before


def run_group(
    group: Group, defs: dg.Definitions, instance: dg.DagsterInstance
) -> dict[Target, str]:
    """Make the targets of a group in one Dagster run, in this process.

    Parameters
    ----------
    group : Group
    defs : dagster.Definitions
    instance : dagster.DagsterInstance

    Returns
    -------
    dict
        Target to error, for those that failed. A check that could not be run, or that failed
        and blocks what is downstream, is a failure of the asset that it checks.
    """
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        partition_key=group.partition,
        asset_selection=[dg.AssetKey(target.asset) for target in group.targets],
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={TAG: "true"},
        raise_on_error=False,
    )
    return _errors_of(result, defs, group)


def _errors_of(
    result: dg.ExecuteInProcessResult, defs: dg.Definitions, group: Group
) -> dict[Target, str]:
    checked = {  # one step has all checks of an asset
        checks.node_def.name: key.asset_key.to_user_string()
        for checks in defs.asset_checks or []
        for key in checks.check_keys
    }
    errors = {}
    for event in result.filter_events(lambda event: event.is_step_failure):
        step = event.step_key or ""
        errors[Target(checked.get(step, step), group.partition)] = reason_of(event)
    blocked: dict[Target, list[str]] = {}
    for check in result.get_asset_check_evaluations():
        if check.blocking and not check.passed:
            target = Target(check.asset_key.to_user_string(), group.partition)
            told = check.description or f"check {check.check_name} failed"
            blocked[target] = [*(one for one in blocked.get(target, []) if one != told), told]
    errors |= {target: " ".join(told) for target, told in blocked.items()}
    return errors
