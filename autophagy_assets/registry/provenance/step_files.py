"""Files that a step reads and writes: noted while it runs, registered when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from autophagy_assets.registry.provenance.runs import KEPT, MADE_FROM
from autophagy_assets.registry.store import files, storage
from autophagy_assets.registry.store.artifacts import fetch, locate
from autophagy_assets.registry.store.labels import Labels
from autophagy_assets.registry.store.outputs import Output, Record, place_of

T = TypeVar("T")


class StepFiles:
    """Notes the artifacts that a step reads, and the files that it writes.

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
    """

    def __init__(self) -> None:
        self.reads: dict[str, Record] = {}
        self.named: dict[str, Record] = {}
        self.consulted: set[str] = set()
        self.columns: dict[str, list[str]] = {}
        self.outputs: list[Output] = []
        self.kept: dict[str, Labels] = {}

    def read(self, uid: str, expected: Mapping[str, Any] | None = None) -> Path:
        """Fetch an artifact and note it as read.

        Parameters
        ----------
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
        """Write a file to the store; it is registered when the step ends.

        Parameters
        ----------
        write : callable
            Takes a path and writes a file or folder there.
        key, description, labels, **more
            As in :class:`~autophagy_assets.registry.store.outputs.Output`.
        """
        return self.add(storage.put(write, *place_of(key)), key, description, labels, **more)

    def add(
        self, file: files.StoredFile, key: str, description: str, labels: Labels, **more: Any
    ) -> Output:
        """Register a file that is in the store already, when the step ends.

        Parameters
        ----------
        file : StoredFile
            Whole, and verified.
        key, description, labels, **more
            As in :class:`~autophagy_assets.registry.store.outputs.Output`.
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
        found = {uid: fetch(uid) for uid in labels}
        for path, record in found.values():
            storage.mend(path, record.sha256)
        self.reads |= {uid: record for uid, (_, record) in found.items()}
        self.kept |= labels

    @property
    def results(self) -> list[Record]:
        """Outputs of the step, written or kept, in the order of the keys.

        The order does not depend on which worker was done first, nor on what was kept.
        """
        records = [output.record for output in self.outputs]
        records += [self.reads[uid] for uid in self.kept]
        return sorted(records, key=lambda record: (record.key, record.uid))

    @property
    def lineage_notes(self) -> dict[str, Any]:
        """Which inputs an output was made from, where not from all; and which were kept.

        As the notes of a run have it.
        """
        every = sorted(set(self.reads) - self.consulted) if self.consulted else []
        inputs = {o.record.uid: list(o.made_from) or every for o in self.outputs}
        known = {uid: made_from for uid, made_from in inputs.items() if made_from}
        noted: dict[str, Any] = {MADE_FROM: known} if known else {}
        return noted | ({KEPT: sorted(self.kept)} if self.kept else {})
