"""The storage protocol, the same for every format.

Storing, in :meth:`LaminIOManager.handle_output`::

    object --write--> .tmp-<random>      beside its place, fsynced
                      upload             where a bucket keeps the files
                      rename             to <group>/<asset>/<partition>/<sha256><suffix>
    one transaction:  artifact           under <group>/<asset>/<partition><suffix>
                      + labels + inputs + run finished
    Dagster event:    uid, key, hash, size, run; the hash is the data version

A kill before the rename leaves a temporary file that no reader looks at. A kill before
the transaction ends leaves a file without a record, named by its content: the step that
runs again writes the same name. A kill before Dagster's event leaves a record that the
step that runs again finds and reuses, as its content is the same.

Loading, in :meth:`LaminIOManager.load_input`: the uid and hash in the latest Dagster
event of the upstream asset name the artifact; its file is hashed and refused where it
differs, before it is opened or (tables) before what was read is given to the step; what
was loaded becomes an input of the LaminDB run. An upstream asset of which
several partitions may be needed comes as a mapping that loads a partition when it is
looked at, so what was not read is not recorded as read.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from time import monotonic, process_time
from typing import Any, ClassVar

import dagster as dg

from autophagy_assets.config.study import Study
from autophagy_assets.errors import IntegrityError
from autophagy_assets.io_managers import steps
from autophagy_assets.registry.fields import study_slug
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import Output
from autophagy_assets.registry.store.storage import uri_of
from autophagy_assets.staleness.materializations import (
    CORE_SECONDS,
    FINGERPRINT,
    HASH,
    KEY,
    RUN,
    SECONDS,
    SIZE,
    UID,
    Materialization,
    latest,
)
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS, control_of
from autophagy_assets.staleness.upstream import ANSWERS, CONTROL, Target, learns_from_answers

DESCRIPTION, LABELS, SCHEMA = "autophagy/description", "autophagy/labels", "autophagy/schema"
EVERY = "every_partition"


class LaminIOManager(dg.ConfigurableIOManager):
    """Stores values of one format, of which a subclass says how they are written and read.

    Parameters
    ----------
    study_file : str, optional
        The study; default as :meth:`~autophagy_assets.config.study.Study.load`.
    """

    study_file: str | None = None

    suffix: ClassVar[str]
    kind: ClassVar[str] = "dataset"

    @abstractmethod
    def write(self, value: Any, path: Path) -> None:
        """Write a value to a path, the same bytes for the same value."""

    @abstractmethod
    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> Any:
        """Read what :meth:`write` wrote."""

    @abstractmethod
    def metadata(self, value: Any, path: Path) -> dict[str, Any]:
        """What the Dagster UI shows of a value that is stored at a path."""

    def extra(
        self, recorder: Recorder, value: Any, output: Output, contract: str | None
    ) -> dict[str, Any]:
        """Store further files of a value, and return their metadata for Dagster."""
        return {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store a value, register it, and report to Dagster what was stored."""
        with steps.non_retryable():
            self._store(context, obj)

    def _store(self, context: dg.OutputContext, obj: Any) -> None:
        running = steps.running_step(context.step_context, self.study_file)
        recorder, study = running.recorder, running.study
        settings = context.definition_metadata or {}
        output = recorder.put(
            lambda path: self.write(obj, path),
            self._key(running.target, study, settings[steps.GROUP]),
            settings.get(DESCRIPTION) or running.target.asset,
            {lab.STUDY: study.name} | self._labels(settings, running),
            kind=self.kind,
            rows=self.rows(obj),
            schema=self.schema_of(obj, settings.get(SCHEMA), running.target.asset),
        )
        remembered = self.extra(recorder, obj, output, settings.get(SCHEMA))
        made_with = running.fingerprint()
        recorder.parameters = dict(made_with.study)
        recorder.finish()
        record = output.record
        contents = "".join(record.sha256 for record in recorder.results)
        version = sha256(contents.encode()).hexdigest()[:32]
        context.step_context.set_data_version(context.asset_key, dg.DataVersion(version))
        context.add_output_metadata(
            {
                **self.metadata(obj, output.file.path),
                **remembered,
                UID: record.uid,
                KEY: record.key,
                HASH: record.sha256,
                SIZE: record.size,
                RUN: recorder.run_uid,
                FINGERPRINT: dg.MetadataValue.json(made_with.as_json()),
                SECONDS: round(monotonic() - recorder.began, 2),
                CORE_SECONDS: round(process_time() - recorder.began_cpu, 2),
                **recorder.measured,
                "dagster/uri": uri_of(output.file.path),
            }
        )
        steps.forget(context.step_context)

    def schema_of(self, value: Any, contract: str | None, asset: str) -> Any:
        """Validate a value; returns the LaminDB schema that it fits, if its asset has one."""
        return None

    def rows(self, value: Any) -> int | None:
        """Count the observations of a value, if it has any."""
        return None

    def _key(self, target: Target, study: Study, group: str) -> str:
        partition = target.partition or None
        return str(ArtifactKey(study_slug(study), group, target.asset, self.suffix, partition))

    def _labels(self, settings: Mapping[str, Any], running: steps.RunningStep) -> dict:
        from autophagy_assets.registry.partition_labels import labels_of_partition

        study, partition = running.study, running.target.partition
        if settings.get(LABELS) == "control":
            return {lab.GENOTYPE: study.control}
        if partition is None or running.partitions == MODEL_PARTITIONS:
            return {}  # a model may be called as a genotype is
        return labels_of_partition(study, partition)

    def load_input(self, context: dg.InputContext) -> Any:
        """Load what Dagster recorded last of the upstream asset."""
        wanted = context.definition_metadata or {}
        if ANSWERS in wanted:
            running = steps.running_step(context.step_context, self.study_file)
            if not learns_from_answers(running.study, running.target.partition):
                return None
        if not context.has_asset_partitions:
            return self._load(context, None)
        if CONTROL in wanted:
            running = steps.running_step(context.step_context, self.study_file)
            return self._load(context, control_of(running.study))
        # Dagster has partitions in the order in which they were added, which is no part of a study.
        keys = sorted(context.asset_partition_keys)
        if wanted.get(EVERY):
            return Partitions(self, context, keys, self.left_out(context))
        return self._load(context, keys[0])

    def recorder(self, context: dg.InputContext) -> Recorder:
        """Recorder of the step that loads; that of a check only reads, and registers nothing."""
        if steps.definition_of(context.step_context) is None:
            return Recorder(Step(context.step_context.step.key, None, None, "", ""))
        return steps.running_step(context.step_context, self.study_file).recorder

    def recorded(self, context: dg.InputContext, partition: str | None) -> Materialization | None:
        """Materialization of the input, as it was when the step began."""
        target = Target(context.asset_key.to_user_string(), partition)
        if steps.definition_of(context.step_context) is None:
            return latest(context.step_context.instance, target.key, partition)
        return steps.running_step(context.step_context, self.study_file).input(target)

    def left_out(self, context: dg.InputContext) -> dict[str, str]:
        """Partitions of the input that could not be made, with the reason; none for a check."""
        if steps.definition_of(context.step_context) is None:
            return {}
        running = steps.running_step(context.step_context, self.study_file)
        asset = context.asset_key.to_user_string()
        return {t.partition or "": why for t, why in running.left_out.items() if t.asset == asset}

    def _load(self, context: dg.InputContext, partition: str | None) -> Any:
        with steps.non_retryable():
            found = self.recorded(context, partition)
            if found is None or UID not in found.metadata:
                what = Target(context.asset_key.to_user_string(), partition)
                raise IntegrityError(f"{what} has not been materialized yet; materialize it first.")
            recorder, expected = self.recorder(context), {"sha256": found.metadata[HASH]}
            if self.verified_first(context):
                return self.read(recorder.read(found.metadata[UID], expected), found, context)
            return recorder.load(
                found.metadata[UID], expected, lambda path: self.read(path, found, context)
            )

    def verified_first(self, context: dg.InputContext) -> bool:
        """Whether a file is hashed before it is opened, or while it is being read.

        Only what is read whole and cannot run code may be read meanwhile; it is given to the
        step only if the hash is right.
        """
        return True


class Partitions(Mapping[str, Any]):
    """Partitions of an upstream asset, each loaded on access.

    Parameters
    ----------
    keys : list of str
        Partition keys; those not materialized yet are left out.
    left_out : dict of str to str
        Models that could not be made, and why; they are left out too.
    """

    def __init__(
        self,
        manager: LaminIOManager,
        context: dg.InputContext,
        keys: list[str],
        left_out: dict[str, str],
    ) -> None:
        self._manager, self._context, self.left_out = manager, context, left_out
        self._keys = [key for key in keys if manager.recorded(context, key) is not None]

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return self._manager._load(self._context, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
