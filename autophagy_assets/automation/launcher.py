"""Executes run requests in this process and its workers, without a daemon.

Samples are imaged in several processes at once; all others are run here. Each is an ordinary
Dagster run of the same assets that a sensor would have asked for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import dagster as dg

from autophagy_assets.automation.asset_definitions import asset_definitions
from autophagy_assets.automation.failures import reason_of
from autophagy_assets.automation.requests import PROCESS_TAG, Request
from autophagy_assets.config import settings
from autophagy_assets.config.home import concurrent_runs, dagster_instance
from autophagy_assets.config.settings import COMPUTE_VARIABLE, WORKERS_VARIABLE
from autophagy_assets.config.study import Study
from autophagy_assets.registry.store.processes import announce
from autophagy_assets.staleness.judge import Judge
from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS
from autophagy_assets.staleness.upstream import Target

Tags = dict[str, str]


def run_requests(
    batch: list[tuple[Request, Tags]],
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    workers: int | None,
) -> Iterator[tuple[Request, dict[Target, str]]]:
    """Run requests: those of samples in several processes at once, all others here.

    Parameters
    ----------
    batch : list of (Request, dict)
        Of samples only, or of others only, each with the tags of its run.
    workers : int or None
        Processes; None for as many as this machine can run.

    Yields
    ------
    tuple of (Request, dict)
        A request as it ends, with errors by target, empty where all went well. Of samples, what
        waited for a request follows it, where that is out of date.
    """
    if not batch or batch[0][0].partitions_name != SAMPLE_PARTITIONS:
        for request, tags in batch:
            yield request, run_request(request, tags, defs, instance)
        return
    from autophagy_assets.compute.pool import PRELOAD, default_workers, map_fields

    place = settings.compute()  # where it is not here, a process only waits, and needs no core
    cores = concurrent_runs() if place else workers or default_workers()
    # What samples do not use of the cores, the fields within a sample do.
    study_file = (defs.resources or {})["study"].study_file
    preload = [*(() if place else PRELOAD), "autophagy_assets.automation.asset_definitions"]
    with _shared(place) as address:
        given = {WORKERS_VARIABLE: str(max(1, cores // len(batch))), COMPUTE_VARIABLE: address}
        job = partial(_run_elsewhere, study_file=study_file, given=given)
        for (request, _), outcome in map_fields(job, batch, cores, preload, apart=True):
            if isinstance(outcome, Exception):  # what ended its process
                yield request, dict.fromkeys(request.targets, str(outcome))
            else:
                yield from outcome


@contextmanager
def _shared(place: str | None) -> Iterator[str]:
    """Address of workers that all runs share; empty for this machine."""
    from autophagy_assets.compute.slurm import scheduler_of

    if place is None:
        yield ""
        return
    with scheduler_of(place) as address:
        yield address


def _run_elsewhere(
    job: tuple[Request, Tags], study_file: str | None, given: dict[str, str]
) -> list[tuple[Request, dict[Target, str]]]:
    """Run a request in a worker process, which has the same environment and so the same home.

    What waits for it is run in the same process: another would import scPortrait again.
    """
    instance, defs = dagster_instance(capture=False), asset_definitions(study_file)
    # Set for the steps only: what Dagster may run at once, in the home, follows from it too.
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    done: list[tuple[Request, dict[Target, str]]] = []
    left: Request | None = job[0]
    try:
        while left is not None:
            done.append((left, run_request(left, job[1], defs, instance)))
            left = None if done[-1][1] else _follow_up(instance, defs, study_file, left)
        return done
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _follow_up(
    instance: dg.DagsterInstance, defs: dg.Definitions, study_file: str | None, request: Request
) -> Request | None:
    """Request for the next target that waited for a request and is out of date now, if any."""
    judge = Judge(instance, defs, Study.load(study_file))
    for number, target in enumerate(request.then, 1):
        assets = judge.graph.assets_def_for_key(target.key)
        if judge.verdicts(assets, [target.partition])[target.partition].reason:
            return Request(
                request.partitions_name, request.partition, (target,), request.then[number:]
            )
    return None


def run_request(
    request: Request, tags: Tags, defs: dg.Definitions, instance: dg.DagsterInstance
) -> dict[Target, str]:
    """Make the targets of a request in one Dagster run, in this process.

    Parameters
    ----------
    tags : dict
        Of the run, beside the one that names its process.

    Returns
    -------
    dict
        Target to error, for those that failed. A check that could not be run, or that failed
        and blocks what is downstream, is a failure of the asset that it checks.
    """
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        partition_key=request.partition,
        asset_selection=[target.key for target in request.targets],
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        # A run that is killed before its first step has noted no process: its tag names it.
        tags={PROCESS_TAG: announce(), **tags},
        raise_on_error=False,
    )
    return _errors_of(result, defs, request)


def _errors_of(
    result: dg.ExecuteInProcessResult, defs: dg.Definitions, request: Request
) -> dict[Target, str]:
    checked = {  # one step has all checks of an asset
        checks.node_def.name: key.asset_key.to_user_string()
        for checks in defs.asset_checks or []
        for key in checks.check_keys
    }
    errors = {}
    for event in result.filter_events(lambda event: event.is_step_failure):
        step = event.step_key or ""
        errors[Target(checked.get(step, step), request.partition)] = reason_of(event)
    blocked: dict[Target, list[str]] = {}
    for check in result.get_asset_check_evaluations():
        if check.blocking and not check.passed:
            target = Target(check.asset_key.to_user_string(), request.partition)
            reason = check.description or f"check {check.check_name} failed"
            blocked[target] = [*(one for one in blocked.get(target, []) if one != reason), reason]
    errors |= {target: " ".join(reason) for target, reason in blocked.items()}
    return errors
