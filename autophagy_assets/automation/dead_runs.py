"""Runs that are recorded as started although their process has ended: found and marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import dagster as dg

from autophagy_assets.automation.requests import PROCESS_TAG
from autophagy_assets.registry.consistency import records
from autophagy_assets.registry.consistency.records import Disagreement
from autophagy_assets.registry.store.database import is_sqlite
from autophagy_assets.registry.store.instance import connect

_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_AT_WORK = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def end_dead_runs(instance: dg.DagsterInstance) -> list[Disagreement]:
    """Mark runs as failed whose process has ended without reporting it.

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
    return list(check_runs(instance, fix=True))


def check_runs(instance: dg.DagsterInstance, fix: bool) -> Iterator[Disagreement]:
    """Find runs that are recorded as started although they have ended: Dagster's, then LaminDB's.

    Parameters
    ----------
    fix : bool
        Mark Dagster's as failed, and LaminDB's as aborted.

    Yields
    ------
    Disagreement
        One for each.
    """
    started = records.started_runs()
    processes: dict[str, list[str]] = {}
    for _, _, dagster_run, process in started:
        processes.setdefault(dagster_run, []).append(process)
    for run in instance.get_runs(dg.RunsFilter(statuses=list(_AT_WORK))):
        tagged = [run.tags[PROCESS_TAG]] if PROCESS_TAG in run.tags else []
        if not _is_dead(instance, run, processes.get(run.run_id, []) + tagged):
            continue
        reason = "its process has ended without reporting it"
        if fix:
            instance.report_run_failed(run, f"Ended by reconcile: {reason}.")
        yield Disagreement("run", f"Dagster run {run.run_id}", reason, "mark it as failed", fix)
    for uid, name, dagster_run, process in started:
        over = _why_over(instance, dagster_run, process, fix)
        if over is None:
            continue
        disagreement = Disagreement("run", f"LaminDB run {uid}, {name}", over, "mark it as aborted")
        if fix:
            records.abort(uid, over)
        yield replace(disagreement, fixed=fix)


def _why_over(
    instance: dg.DagsterInstance, dagster_run: str, process: str, fix: bool
) -> str | None:
    """Why a LaminDB run that is recorded as started has ended; None if it may go on."""
    run = instance.get_run_by_id(dagster_run) if dagster_run else None
    if run is not None and run.status in _ENDED:
        return f"still started, but its Dagster run {dagster_run} has ended ({run.status.value})"
    if not records.process_is_gone(process):
        return None
    if dagster_run and run is None:
        return f"still started, but Dagster does not know its run {dagster_run}"
    return "still started, but its process has ended"


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun, processes: list[str]) -> bool:
    """Whether the process of a run has ended.

    The processes that its steps and its tag name decide; where there are none, those that Dagster
    noted, which can only be looked up on the machine of an embedded store.
    """
    if processes and not all(records.process_is_gone(process) for process in processes):
        return False
    if not is_sqlite():
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
