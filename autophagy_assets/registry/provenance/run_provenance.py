"""The LaminDB run that made an artifact, and its inputs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from autophagy_assets.registry.provenance.runs import MADE_FROM
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.lamin_internals import ERRORED, FINISHED, STARTED, status_of

# LaminDB's key of the run under which it files what was copied from another instance.
_TRANSFER = "__lamindb_transfer__/"
_STATUS = {STARTED: "started", FINISHED: "finished", ERRORED: "errored"}


@dataclass(frozen=True)
class RunRecord:
    """The run that made an artifact.

    Parameters
    ----------
    uid : str
        LaminDB run.
    asset, partition : str
        What was materialized; the partition is empty where there is none.
    dagster_run : str
        Id of the Dagster run; empty for work outside Dagster, such as an ingest.
    code_version, transform : str
        The asset's code version, and the uid of the LaminDB transform with its source code.
    parameters : dict
        Parameters of the step.
    status : str
        ``finished``, ``errored``, ``started`` or another status of LaminDB.
    started, finished : datetime.datetime or None
        In UTC.
    environment : str
        Uid of the artifact that lists the packages.
    error : str
        Why it failed, if it has.
    source : str
        LaminDB instance that the artifact was read from; empty for what was made here.
    """

    uid: str
    asset: str
    partition: str = ""
    dagster_run: str = ""
    code_version: str = ""
    transform: str = ""
    parameters: dict[str, Any] = field(default_factory=dict, hash=False)
    status: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    environment: str = ""
    error: str = ""
    source: str = ""

    @property
    def name(self) -> str:
        """The asset, with its partition if it has one."""
        return f"{self.asset}[{self.partition}]" if self.partition else self.asset


def maker_of(artifact: Any, before: int | None = None) -> Any:
    """Run that had made an artifact when a later run read it.

    Parameters
    ----------
    artifact : lamindb.Artifact
    before : int, optional
        Id of the run that read it. The same content may have been made several times, from
        other inputs; what counts is the last time before it was read.

    Returns
    -------
    lamindb.Run or None
        None for an artifact that was registered without a run.
    """
    runs = [artifact.run] if artifact.run_id is not None else []
    runs += artifact.recreating_runs.all()
    known = sorted(runs, key=lambda run: run.id)
    earlier = [run for run in known if before is None or run.id < before]
    return earlier[-1] if earlier else (known[0] if known else None)


def inputs_of(artifact: Any, run: Any) -> list[Any]:
    """Artifacts that one was made from.

    Parameters
    ----------
    artifact : lamindb.Artifact
    run : lamindb.Run
        What made it.

    Returns
    -------
    list of lamindb.Artifact
        All that the run read, or those of it that the step has named for this artifact;
        sorted by key. Not the artifact itself: what comes from another instance of this platform
        may be what would be made of it here, under the same uid.
    """
    # What is asked next of each input comes with it: queries are what a walk spends its time on.
    found = run.input_artifacts.select_related("run__transform", "run__environment")
    found = found.prefetch_related("recreating_runs").exclude(id=artifact.id)
    if named := (run.extra_data or {}).get(MADE_FROM, {}).get(artifact.uid):
        found = found.filter(uid__in=named)
    return sorted(found.distinct(), key=lambda each: (each.key or "", each.uid))


def describe_run(run: Any) -> RunRecord:
    """Describe a run.

    Parameters
    ----------
    run : lamindb.Run
    """
    if (key := run.transform.key or "").startswith(_TRANSFER):
        # One run for all that was ever read of an instance, and never finished: it made nothing.
        named = re.search("`(.+)`", run.transform.description or "")
        return RunRecord(run.uid, "", source=named[1] if named else key.removeprefix(_TRANSFER))
    notes = run.extra_data or {}
    environment = run.environment.uid if run.environment_id is not None else ""
    return RunRecord(
        uid=run.uid,
        asset=notes.get("asset") or run.transform.key or run.transform.uid,
        partition=notes.get("partition") or "",
        dagster_run=run.reference or "",
        code_version=notes.get("code_version") or "",
        transform=run.transform.uid,
        parameters=run.params or {},
        status=_STATUS.get(status_of(run), run.status or ""),
        started=run.started_at,
        finished=run.finished_at,
        environment=environment,
        error=notes.get("error") or "",
    )


def notes_of(run_uid: str) -> dict[str, Any]:
    """Notes of a run.

    Returns
    -------
    dict
        Empty where LaminDB has no such run (any more).
    """
    notes = connect().Run.filter(uid=run_uid).values_list("extra_data", flat=True).first()
    return notes or {}
