"""Consistency of the records with each other and with their files, and repairs.

Files that no record is about are found by ``loose_files``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.consistency.damage import fault_in_bucket
from autophagy_assets.registry.provenance.runs import end, transform_key
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.database import is_sqlite
from autophagy_assets.registry.store.instance import connect, retried, writing
from autophagy_assets.registry.store.lamin_internals import (
    ABORTED,
    RUN_STATUS,
    STARTED,
    content_hash,
    end_upload,
    every_artifact,
    is_in_trash,
    uploading,
)
from autophagy_assets.registry.store.objects import grouped
from autophagy_assets.registry.store.processes import at_work, forget_gone
from autophagy_assets.registry.store.storage import bucket, in_bucket, local_path

ASIDE = ".changed-"  # so begins the name of a file that was moved aside


@dataclass(frozen=True)
class Disagreement:
    """Something that does not agree.

    Parameters
    ----------
    kind : str
        ``file``, ``record``, ``upload``, ``latest``, ``run``, ``stale`` or ``materialization``.
    what : str
        Which one.
    problem : str
        What is wrong with it.
    remedy : str
        What repairs it.
    fixed : bool
        Whether it has been repaired.
    """

    kind: str
    what: str
    problem: str
    remedy: str
    fixed: bool = False


def check_records(fix: bool) -> Iterator[tuple[str, Disagreement]]:
    """Find records whose file is gone or has changed.

    Parameters
    ----------
    fix : bool
        Move changed files aside, so that they are missed and made again. They are kept beside
        their place, under a name that begins with ``.changed-``.

    Yields
    ------
    tuple of (str, Disagreement)
        Uid of the artifact, and what is wrong.
    """
    ln, there = connect(), bucket()
    listed = grouped(there.list()) if there is not None else None
    for artifact in every_artifact(ln).order_by("key", "id").select_related("storage"):
        what = f"{artifact.key} ({artifact.uid})"
        if in_bucket(artifact):  # what is wrong is replaced when it is made again
            if fault := fault_in_bucket(artifact, True, listed):
                yield artifact.uid, Disagreement("record", what, fault, _remedy(artifact))
            continue
        path = local_path(artifact)
        sha256 = files.recorded_hash(path)
        if not sha256 or not _reachable(artifact):
            continue  # not written by this platform, or kept elsewhere
        try:
            files.verify(path, sha256, artifact.key)
        except IntegrityError as error:
            if fix and path.exists():
                path.rename(path.with_name(f"{ASIDE}{uuid.uuid4().hex[:8]}-{path.name}"))
            problem = str(error).partition("; ")[0].partition(": ")[2]
            yield artifact.uid, Disagreement("record", what, problem, _remedy(artifact))


def _remedy(artifact: Any) -> str:
    maker = artifact.run.transform.key if artifact.run_id is not None else ""
    if maker == transform_key("ingest"):
        return "run 'autophagy ingest' on its folder again"
    if maker == transform_key("annotate"):
        return "put the file back, or run 'autophagy annotate' on the answers again"
    if maker == transform_key("review"):
        return "put the file back, or run 'autophagy review' again"
    if is_in_trash(artifact):
        return "it is in LaminDB's trash: put the file back, or delete the artifact for good"
    if not artifact.is_latest:
        return "an older version: put the file back, or delete the artifact in LaminDB"
    return "run 'autophagy refresh', which makes it again"


def _reachable(artifact: Any) -> bool:
    return Path(str(artifact.storage.root)).is_dir()


def check_uploads(fix: bool) -> Iterator[Disagreement]:
    """Find artifacts whose upload LaminDB had begun and not ended.

    Parameters
    ----------
    fix : bool
        Mark those as ended whose file is whole.
    """
    ln = connect()
    for artifact in uploading(ln).order_by("id"):
        path = local_path(artifact)
        whole = bool(path.exists() and artifact.hash) and content_hash(path) == artifact.hash
        what = f"{artifact.key} ({artifact.uid})"
        if whole and fix:
            end_upload(artifact)
            retried(artifact.save)
        problem = "its upload has not ended" + ("" if whole else ", and its file is not whole")
        remedy = "mark it as ended" if whole else "delete the artifact and register it again"
        yield Disagreement("upload", what, problem, remedy, whole and fix)


def check_latest(fix: bool) -> Iterator[Disagreement]:
    """Find families of versions of which not exactly one is the latest.

    Parameters
    ----------
    fix : bool
        Make the one that was registered last the latest.
    """
    ln = connect()
    families: dict[str, list[tuple[int, bool, str]]] = {}
    rows = ln.Artifact.filter(key__isnull=False).values_list("uid", "id", "is_latest", "key")
    for uid, number, is_latest, key in rows:
        families.setdefault(uid[:16], []).append((number, is_latest, key))
    for versions in families.values():
        latest = [version for version in versions if version[1]]
        if len(latest) == 1:
            continue
        newest = max(latest or versions)
        if fix:

            def repair(versions: Any = versions, newest: Any = newest) -> None:
                with writing() as ln:
                    ids = [version[0] for version in versions]
                    ln.Artifact.filter(id__in=ids).update(is_latest=False)
                    ln.Artifact.filter(id=newest[0]).update(is_latest=True)

            retried(repair)
        problem = f"{len(latest)} of its {len(versions)} versions are the latest"
        yield Disagreement("latest", newest[2], problem, "make the newest the latest", fix)


def started_runs() -> list[tuple[str, str, str, str]]:
    """Runs of this platform that LaminDB has as started.

    Returns
    -------
    list of (str, str, str, str)
        Uid, name, Dagster run and process of each; empty where there is none.
    """
    mine = connect().Run.filter(transform__key__startswith=transform_key("")).order_by("id")
    columns = ("uid", "name", "reference", "extra_data", RUN_STATUS)
    return [
        (uid, name or uid, reference or "", (notes or {}).get("process", ""))
        for uid, name, reference, notes, status in mine.values_list(*columns)
        if status == STARTED
    ]


def abort(uid: str, reason: str) -> None:
    """Mark a run as aborted."""

    def _abort() -> None:
        with writing() as ln:
            run = ln.Run.get(uid=uid)
            run.extra_data = {**(run.extra_data or {}), "error": reason}
            end(run, ABORTED)

    retried(_abort)


def process_is_gone(name: str) -> bool:
    """Whether the process that held a run has certainly ended.

    Parameters
    ----------
    name : str
        As the run names it; empty where it does not.
    """
    alive = at_work(name)
    # In SQLite every process was one of this home, whose locks are here.
    return alive is False or (alive is None and is_sqlite())


def forget_processes(needed: Iterable[str]) -> None:
    """Delete what ended processes left of their locks.

    Parameters
    ----------
    needed : iterable of str
        Processes that a run still names as its own.
    """
    forget_gone(set(needed))
