"""What made what: one LaminDB run for each materialization, of one transform per asset.

A :class:`Recorder` lives as long as a step: it notes what the step reads and the files
that the step has put in place, and registers all of it in one transaction at the end, so
the records of a step are there whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from autophagy_assets.registry import files
from autophagy_assets.registry.artifacts import (
    KEPT,
    Output,
    Record,
    fetch,
    folder,
    locate,
    register,
    renew,
)
from autophagy_assets.registry.instance import retried, source, writing
from autophagy_assets.registry.labels import Labels, annotate, attach
from autophagy_assets.registry.presence import announce
from autophagy_assets.registry.uids import artifact_uid, derived

T = TypeVar("T")
REFERENCE_TYPE = "dagster_run_id"
STARTED, FINISHED, ERRORED = -1, 0, 1
ENVIRONMENT_KEY = "environment/packages.txt"
MADE_FROM = "made_from"


@dataclass(frozen=True)
class Step:
    """A step as its records name it.

    Parameters
    ----------
    asset : str
        Name of the asset, or of the command for work outside Dagster.
    partition : str or None
        Partition key.
    dagster_run : str or None
        Id of the Dagster run.
    code : str
        Source code of the step; a new version of it is a new version of the transform.
    code_version : str
        The asset's code version.
    parameters : mapping
        What the step was told, JSON-like.
    """

    asset: str
    partition: str | None
    dagster_run: str | None
    code: str
    code_version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Recorder:
    """Notes what a step reads and writes, and registers it.

    Parameters
    ----------
    step : Step

    Attributes
    ----------
    reads : dict
        Uid to :class:`Record` of every artifact that the step has read.
    columns : dict
        Columns of each upstream table that the step has read, by asset.
    outputs : list of Output
        Files in their place that are registered when the step ends.
    kept : dict
        Uid to labels of artifacts of an earlier run that are part of what the step gives.
    notes : dict
        JSON-like remarks that are kept with the run.
    began : float
        When the step began, on the clock of this process, s.
    annotations : list of (str, dict)
        Uid of an artifact and the numbers by which people shall find it.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.reads: dict[str, Record] = {}
        self.columns: dict[str, list[str]] = {}
        self.outputs: list[Output] = []
        self.kept: dict[str, Labels] = {}
        self.notes: dict[str, Any] = {}
        self.annotations: list[tuple[str, dict[str, Any]]] = []
        self.began = monotonic()
        self._process = announce()
        self._run_uid: str | None = None

    @property
    def run_uid(self) -> str | None:
        """Uid of the LaminDB run, once it has started."""
        return self._run_uid

    def start(self) -> None:
        """Register the run as started, unless it has."""
        if self._run_uid is None:
            self._run_uid = retried(self._start)

    def _start(self) -> str:
        with writing() as ln:
            run = ln.Run(
                _transform(ln, self.step),
                name=f"{self.step.asset}[{self.step.partition or ''}]"[:150],
                entrypoint=self.step.asset,
                params=dict(self.step.parameters),
                reference=self.step.dagster_run,
                reference_type=REFERENCE_TYPE if self.step.dagster_run else None,
                status="started",
            )
            run.extra_data = {
                "asset": self.step.asset,
                "partition": self.step.partition,
                "code_version": self.step.code_version,
                "process": self._process,
            }
            run.environment = _environment(ln)
            run.save()
            return run.uid

    def read(self, uid: str, expected: Mapping[str, Any] | None = None) -> Path:
        """Fetch an artifact and note it as read.

        Parameters
        ----------
        uid : str
        expected : mapping, optional
            ``sha256`` as recorded in a Dagster materialization.

        Returns
        -------
        pathlib.Path
            A verified local file or folder.
        """
        path, record = fetch(uid, expected)
        self.reads[uid] = record
        return path

    def load(self, uid: str, expected: Mapping[str, Any] | None, read: Callable[[Path], T]) -> T:
        """Read an artifact while it is being verified, and note it as read.

        Only for formats that cannot do harm by being opened: hashing goes on beside the
        reading, and what was read is given away only if the file is the recorded one.

        Parameters
        ----------
        uid, expected
            As for :meth:`read`.
        read : callable
            Takes the path.

        Returns
        -------
        object
            What `read` returns.

        Raises
        ------
        IntegrityError
            If the file is gone or changed, whatever became of reading it.
        """
        path, record, verify = locate(uid, expected)
        with ThreadPoolExecutor(1) as pool:
            verified = pool.submit(verify)
            try:
                value = read(path)
            finally:
                verified.result()
        self.reads[uid] = record
        return value

    def put(self, write: Any, key: str, description: str, labels: Labels, **more: Any) -> Output:
        """Put a file in its place; it is registered when the step ends.

        Parameters
        ----------
        write : callable
            Takes a path and writes a file or folder there.
        key, description, labels, **more
            As in :class:`~autophagy_assets.registry.artifacts.Output`.

        Returns
        -------
        Output
        """
        suffix = "." + key.rsplit(".", 1)[1]
        output = Output(files.put(write, folder(key), suffix), key, description, labels, **more)
        self.outputs.append(output)
        return output

    def keep(self, labels: Mapping[str, Labels]) -> None:
        """Leave what an earlier run made as a part of what this step gives: all of it or none.

        It is an input of this run, and its lineage stays that of the run that made it.

        Parameters
        ----------
        labels : mapping
            Uids to the labels as they are now; they may have been corrected meanwhile.

        Raises
        ------
        IntegrityError
            If a file is gone or changed.
        """
        self.reads |= {uid: fetch(uid)[1] for uid in labels}
        self.kept |= labels

    @property
    def results(self) -> list[Record]:
        """All that the step gives, put in place or kept, in the order of the keys.

        The order does not depend on which worker was done first, nor on what was kept.
        """
        records = [output.record for output in self.outputs]
        records += [self.reads[uid] for uid in self.kept]
        return sorted(records, key=lambda record: (record.key, record.uid))

    def annotate(self, uid: str, numbers: Mapping[str, float]) -> None:
        """Give an artifact numbers by which people find it, when the step ends.

        Parameters
        ----------
        uid : str
            An artifact that the step has read, or one that those were made from.
        numbers : mapping
            Such as ``{"auc": 0.79}``; they replace earlier ones of the same name.
        """
        self.annotations.append((uid, dict(numbers)))

    def finish(self) -> None:
        """Register the outputs and the inputs, and the run as finished: all or nothing."""
        self.start()
        retried(self._finish)

    def _finish(self) -> None:
        with writing() as ln:
            run = ln.Run.get(uid=self._run_uid)
            for output in self.outputs:
                register(ln, output, run)
            for uid, labels in self.kept.items():
                artifact = ln.Artifact.get(uid=uid)
                renew(ln, artifact)
                attach(ln, artifact, labels)
            link_inputs(ln, run, list(self.reads))
            for uid, numbers in self.annotations:
                annotate(ln, ln.Artifact.get(uid=uid), numbers)
            run.extra_data = {**(run.extra_data or {}), **self.notes, **self._origins()}
            _end(run, FINISHED)

    def _origins(self) -> dict[str, Any]:
        """Which inputs an output was made from, where not from all; and which were kept."""
        known = {o.record.uid: list(o.made_from) for o in self.outputs if o.made_from}
        noted: dict[str, Any] = {MADE_FROM: known} if known else {}
        return noted | ({KEPT: sorted(self.kept)} if self.kept else {})

    def fail(self, error: str) -> None:
        """Register the run as failed, with the error.

        Parameters
        ----------
        error : str
        """
        self.start()

        def _fail() -> None:
            with writing() as ln:
                run = ln.Run.get(uid=self._run_uid)
                run.extra_data = {**(run.extra_data or {}), "error": error[:4000]}
                link_inputs(ln, run, list(self.reads))
                _end(run, ERRORED)

        retried(_fail)


def link_inputs(ln: Any, run: Any, uids: list[str]) -> None:
    """Note artifacts as inputs of a run; those of a source are transferred first.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    run : lamindb.Run
    uids : list of str
        Full uids, in the store or in the source.
    """
    known = dict(ln.Artifact.filter(uid__in=uids).values_list("uid", "id"))
    for uid in uids:
        if uid not in known:
            # Copies the record under the same uid into the store; the source is only read.
            transferred = source().Artifact.get(uid=uid)
            transferred.save()
            known[uid] = transferred.id
    run.input_artifacts.add(*known.values())


def _end(run: Any, status: int) -> None:
    run._status_code = status
    run.finished_at = datetime.now(UTC)
    run.save()


def transform_key(asset: str) -> str:
    """Key of the transform that stands for an asset.

    Parameters
    ----------
    asset : str

    Returns
    -------
    str
    """
    return f"autophagy_assets/{asset}"


def _transform(ln: Any, step: Step) -> Any:
    """One transform per asset; a new version where the code of the asset has changed."""
    key = transform_key(step.asset)
    stem = derived(12, "transform", key)
    uid = stem + derived(4, "code", step.code)
    found = ln.Transform.filter(uid=uid).one_or_none()
    if found is not None:
        return found
    latest = ln.Transform.filter(uid__startswith=stem, is_latest=True).one_or_none()
    transform = ln.Transform(
        key=key, kind="pipeline", source_code=step.code, revises=latest, skip_hash_lookup=True
    )
    transform.uid = uid
    return transform.save()


@cache
def _packages() -> str:
    told = (d.metadata for d in distributions())  # each look at it parses the file
    names = {f"{metadata['Name']}=={metadata['Version']}" for metadata in told}
    return "\n".join(sorted(names, key=str.lower)) + "\n"


def _environment(ln: Any) -> Any:
    """The installed packages as an artifact: one per environment, shared by its runs."""
    sha256 = hashlib.sha256(_packages().encode()).hexdigest()
    found = ln.Artifact.filter(uid=artifact_uid(ENVIRONMENT_KEY, sha256)).one_or_none()
    if found is not None:
        return found
    file = files.put(lambda path: path.write_text(_packages()), folder(ENVIRONMENT_KEY), ".txt")
    output = Output(file, ENVIRONMENT_KEY, "Python packages that steps ran with", {}, "environment")
    return register(ln, output, None)
