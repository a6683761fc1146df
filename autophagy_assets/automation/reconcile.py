"""Whether Dagster, LaminDB and the storage agree, and repairing what is safe to repair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import dagster as dg

from autophagy_assets.assets.imaging.finished_fields import hashes_of_finished_fields
from autophagy_assets.automation.requests import PROCESS_TAG
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency import records as consistency
from autophagy_assets.registry.consistency.loose_files import GRACE_S, check_loose
from autophagy_assets.registry.consistency.records import Disagreement
from autophagy_assets.registry.consistency.run_outputs import held_by
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.retire import field_keys, stale
from autophagy_assets.registry.store.instance import connect, source, source_name
from autophagy_assets.staleness.materializations import (
    HASH,
    RUN,
    TABLE_HASH,
    TABLE_UID,
    UID,
    latest,
)
from autophagy_assets.staleness.partitions import (
    GENOTYPE_PARTITIONS,
    KNOCKOUT_PARTITIONS,
    MODEL_PARTITIONS,
    SAMPLE_PARTITIONS,
)

_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_AT_WORK = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def reconcile(
    instance: dg.DagsterInstance,
    fix: bool = False,
    grace_s: float = GRACE_S,
    study: Study | None = None,
) -> list[Disagreement]:
    """Compare Dagster's materializations, LaminDB and storage; repair what is safe.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    fix : bool
        Repair. Deleted are only temporary files, and files that neither LaminDB nor Dagster
        knows.
    grace_s : float
        In a store that other machines write to, files younger than this are left alone, in s.
    study : Study, optional
        Look also for results that no longer follow from the images of that study.

    Returns
    -------
    list of Disagreement
        All that did not agree. What is left for a person has ``fixed=False``.
    """
    materialized = list(_materialized(instance))
    needed = {sha256 for made in materialized for sha256 in made.hashes.values()}
    needed |= hashes_of_finished_fields()
    # Deleting first: on a full disk all else fails.
    disagreements = [
        *check_loose(fix, needed, grace_s),
        *_check_runs(instance, fix),
        *consistency.check_uploads(fix),
        *consistency.check_latest(fix),
    ]
    broken = dict(consistency.check_records(fix))
    there = [made for made in materialized if not made.gone]
    disagreements += [*broken.values(), *_check_materializations(there, broken)]
    if study is not None:
        disagreements += _check_stale(instance, study)
    if fix:
        consistency.forget_processes(process for *_, process in consistency.started_runs())
    return disagreements


def end_dead_runs(instance: dg.DagsterInstance) -> list[Disagreement]:
    """Mark runs as failed whose process has ended without saying so.

    Parameters
    ----------
    instance : dagster.DagsterInstance

    Returns
    -------
    list of Disagreement
        One for each; those that go on are left alone.

    Notes
    -----
    Dagster counts a run that was cut off with the machine's power as going on, for ever. Where
    as many are left as may run at a time, nothing that is queued would run any more.
    """
    if not instance.get_run_ids(dg.RunsFilter(statuses=list(_AT_WORK)), limit=1):
        return []  # and LaminDB need not be imported
    connect()
    return list(_check_runs(instance, fix=True))


def left(disagreements: list[Disagreement]) -> list[Disagreement]:
    """Disagreements that were not repaired.

    Parameters
    ----------
    disagreements : list of Disagreement

    Returns
    -------
    list of Disagreement
    """
    return [disagreement for disagreement in disagreements if not disagreement.fixed]


@dataclass(frozen=True)
class _Made:
    """A materialization: its name, and hash by uid of all that its step left.

    ``gone`` says that it is of a partition that there is no longer: what was left of it may be
    brought back, and nobody is to make it again.
    """

    name: str
    hashes: dict[str, str]
    gone: bool


def _materialized(instance: dg.DagsterInstance) -> Iterator[_Made]:
    known = _known_partitions(instance)
    for asset in sorted(instance.get_asset_keys()):
        partitions: list[str | None] = [*sorted(instance.get_materialized_partitions(asset))]
        for partition in partitions or [None]:
            found = latest(instance, asset, partition)
            if found is None or UID not in found.metadata:
                continue
            hashes = {
                str(found.metadata[uid]): str(found.metadata[sha256])
                for uid, sha256 in ((UID, HASH), (TABLE_UID, TABLE_HASH))
                if uid in found.metadata
            }
            run = str(found.metadata.get(RUN, ""))
            more = dict.fromkeys(sorted(held_by([run])[run]), "")
            name = asset.to_user_string() + (f"[{partition}]" if partition else "")
            yield _Made(name, more | hashes, partition not in (None, *known))


def _known_partitions(instance: dg.DagsterInstance) -> set[str]:
    names = (SAMPLE_PARTITIONS, GENOTYPE_PARTITIONS, KNOCKOUT_PARTITIONS, MODEL_PARTITIONS)
    return {key for name in names for key in instance.get_dynamic_partitions(name)}


def _check_stale(instance: dg.DagsterInstance, study: Study) -> Iterator[Disagreement]:
    known = _known_partitions(instance)
    partitions = {asset.to_user_string(): known for asset in instance.get_asset_keys()}
    for one in stale(study, partitions, field_keys(raw_fields(study))):
        problem = "it is found as the latest, and its images are no longer in the study"
        yield Disagreement("stale", one.key, problem, "run 'autophagy refresh', which retires it")


def _check_materializations(
    materialized: list[_Made], broken: dict[str, Disagreement]
) -> Iterator[Disagreement]:
    wanted = [uid for made in materialized for uid in made.hashes]
    known = set(connect().Artifact.filter(uid__in=wanted).values_list("uid", flat=True))
    if source_name() is not None:
        known |= set(source().Artifact.filter(uid__in=wanted).values_list("uid", flat=True))
    for made in materialized:
        for uid in made.hashes:
            if uid not in known:
                problem = f"its artifact {uid} is gone from LaminDB"
            elif uid in broken:
                problem = f"the file of its artifact {uid} is gone or has changed"
            else:
                continue
            remedy = "run 'autophagy refresh', or materialize it in Dagster"
            yield Disagreement("materialization", made.name, problem, remedy)


def _check_runs(instance: dg.DagsterInstance, fix: bool) -> Iterator[Disagreement]:
    """Runs that are said to go on and do not: Dagster's first, then LaminDB's."""
    started = consistency.started_runs()
    processes: dict[str, list[str]] = {}
    for _, _, dagster_run, process in started:
        processes.setdefault(dagster_run, []).append(process)
    for run in instance.get_runs(dg.RunsFilter(statuses=list(_AT_WORK))):
        tagged = [run.tags[PROCESS_TAG]] if PROCESS_TAG in run.tags else []
        if not _is_dead(instance, run, processes.get(run.run_id, []) + tagged):
            continue
        reason = "its process has ended without saying so"
        if fix:
            instance.report_run_failed(run, f"Ended by reconcile: {reason}.")
        yield Disagreement("run", f"Dagster run {run.run_id}", reason, "mark it as failed", fix)
    for uid, name, dagster_run, process in started:
        over = _why_over(instance, dagster_run, process, fix)
        if over is None:
            continue
        disagreement = Disagreement("run", f"LaminDB run {uid}, {name}", over, "mark it as aborted")
        if fix:
            consistency.abort(uid, over)
        yield replace(disagreement, fixed=fix)


def _why_over(
    instance: dg.DagsterInstance, dagster_run: str, process: str, fix: bool
) -> str | None:
    """Why a LaminDB run that is still started does not go on; None if it may."""
    run = instance.get_run_by_id(dagster_run) if dagster_run else None
    if run is not None and run.status in _ENDED:
        return f"still started, but its Dagster run {dagster_run} has ended ({run.status.value})"
    if not consistency.process_is_gone(process):
        return None
    if dagster_run and run is None:
        return f"still started, but Dagster does not know its run {dagster_run}"
    return "still started, but its process has ended"


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun, processes: list[str]) -> bool:
    """Whether a run goes on only on paper.

    The processes that its steps and its tag name decide; where there are none, those that Dagster
    noted, which can only be looked up on the machine of an embedded store.
    """
    if processes and not all(consistency.process_is_gone(process) for process in processes):
        return False
    from django.db import connection

    if connection.vendor != "sqlite":
        return bool(processes)
    noted = _noted_processes(instance, run.run_id)
    return bool(noted or processes) and not any(_goes_on(pid, since) for pid, since in noted)


def _noted_processes(instance: dg.DagsterInstance, run_id: str) -> list[tuple[int, float]]:
    noted = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event is not None else None
        if pid is not None and str(pid.value).isdecimal():
            noted.append((int(str(pid.value)), entry.timestamp))
    return noted


def _goes_on(pid: int, since: float) -> bool:
    """Whether a process is there that was there then; numbers of processes come again."""
    import psutil

    try:
        return psutil.Process(pid).create_time() <= since + 1
    except psutil.NoSuchProcess:
        return False
