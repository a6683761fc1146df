"""What made what: one LaminDB run for each materialization, of one transform per asset.

A :class:`Recorder` lives as long as a step: it notes what the step reads and the files
that the step has put in place, and registers all of it in one transaction at the end, so
the records of a step are there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from autophagy_assets.registry.provenance.runs import (
    ERRORED,
    FINISHED,
    KEPT,
    MADE_FROM,
    Step,
    begin,
    end,
    find_transform,
    link_inputs,
    transform_key,
)
from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.artifacts import fetch, locate, register, renew
from autophagy_assets.registry.store.instance import retried, writing
from autophagy_assets.registry.store.labels import Labels, annotate, attach
from autophagy_assets.registry.store.outputs import Output, Record, place_of
from autophagy_assets.registry.store.processes import announce

T = TypeVar("T")


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
    named : dict
        As `reads`, of artifacts that the step names but does not open: inputs, too.
    consulted : set of str
        Those of `reads` that only decided which work could be left out. They are inputs, but the
        content is the same without them, so the lineage of the outputs leaves them out.
    kept : dict
        Uid to labels of artifacts of an earlier run that are part of what the step gives.
    notes : dict
        JSON-like remarks that are kept with the run.
    parameters : dict
        Parameters of the step, JSON-like: as far as it is known when it begins, and all of it
        when it ends.
    began : float
        When the step began, on the clock of this process, s.
    guard : callable
        Called in the transaction, before anything is registered; raises to prevent it.
    annotations : list of (str, dict)
        Uid of an artifact and the numbers by which people shall find it.
    afterwards : list of callable
        Called once all is registered; take nothing, and only tidy up.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.reads: dict[str, Record] = {}
        self.named: dict[str, Record] = {}
        self.consulted: set[str] = set()
        self.columns: dict[str, list[str]] = {}
        self.outputs: list[Output] = []
        self.kept: dict[str, Labels] = {}
        self.notes: dict[str, Any] = {}
        self.annotations: list[tuple[str, dict[str, Any]]] = []
        self.parameters: dict[str, Any] = dict(step.parameters)
        self.afterwards: list[Callable[[], object]] = []
        self.guard: Callable[[], object] = lambda: None
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
            transform = find_transform(ln, transform_key(self.step.asset), self.step.code)
            return begin(ln, transform, self.step, self._process).uid

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
            As in :class:`~autophagy_assets.registry.store.outputs.Output`.

        Returns
        -------
        Output
        """
        return self.add(files.put(write, *place_of(key)), key, description, labels, **more)

    def add(
        self, file: files.StoredFile, key: str, description: str, labels: Labels, **more: Any
    ) -> Output:
        """Register a file that is in its place already, when the step ends.

        Parameters
        ----------
        file : StoredFile
            Whole, and verified.
        key, description, labels, **more
            As in :class:`~autophagy_assets.registry.store.outputs.Output`.

        Returns
        -------
        Output
        """
        output = Output(file, key, description, labels, **more)
        self.outputs.append(output)
        return output

    def keep(self, labels: Mapping[str, Labels]) -> None:
        """Keep files of an earlier run as results of this step: all of them, or none.

        They become inputs of this run, and their lineage stays that of the run that made them.

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
            An artifact that the step has read. It has to be an input of the asset: so the step
            runs again for each version of it, even where all else that it reads is the same.
        numbers : mapping
            Such as ``{"auc": 0.79}``; they replace earlier ones of the same name.
        """
        self.annotations.append((uid, dict(numbers)))

    def finish(self) -> None:
        """Register the outputs and the inputs, and the run as finished: all or nothing."""
        self.start()
        retried(self._finish)
        for tidy in self.afterwards:
            tidy()

    def _finish(self) -> None:
        with writing() as ln:
            self.guard()
            run = ln.Run.get(uid=self._run_uid)
            for output in self.outputs:
                register(ln, output, run)
            for uid, labels in self.kept.items():
                artifact = ln.Artifact.get(uid=uid)
                renew(ln, artifact)
                attach(ln, artifact, labels)
            link_inputs(ln, run, [*self.reads, *self.named])
            for uid, numbers in self.annotations:
                annotate(ln, ln.Artifact.get(uid=uid), numbers)
            run.params = self.parameters
            run.extra_data = {**(run.extra_data or {}), **self.notes, **self._made_from()}
            end(run, FINISHED)

    def _made_from(self) -> dict[str, Any]:
        """Which inputs an output was made from, where not from all; and which were kept."""
        every = sorted(set(self.reads) - self.consulted) if self.consulted else []
        inputs = {o.record.uid: list(o.made_from) or every for o in self.outputs}
        known = {uid: made_from for uid, made_from in inputs.items() if made_from}
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
                run.params = self.parameters
                run.extra_data = {**(run.extra_data or {}), "error": error[:4000]}
                link_inputs(ln, run, list(self.reads))
                end(run, ERRORED)

        retried(_fail)
