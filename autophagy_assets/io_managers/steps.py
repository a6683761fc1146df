"""The step that is running: its study, inputs and recorder, and the lock of its partition.

A step touches the platform in three places: when inputs are loaded, in its body, and when the
output is stored. All three find the same :class:`RunningStep` here, so that all that a step is
given was fixed when it began: the study file, the version of everything upstream, and what the
registry had. Its fingerprint is made from that, and from what the body really read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout

from autophagy_assets.config.home import Home
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.io_managers.given_inputs import left_out_now, made_before
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.state import OUTSIDE, RegistryState
from autophagy_assets.registry.store import cache
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.staleness import left_out
from autophagy_assets.staleness.fingerprint import Fingerprint, version_without
from autophagy_assets.staleness.judge import code_of_asset, key_of, why_out_of_date
from autophagy_assets.staleness.materializations import Materialization, latest
from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS
from autophagy_assets.staleness.upstream import Target, partitions_name, upstream

GROUP, LAUNCHPAD = "autophagy/group", "autophagy/launchpad"
PARAMETERS = "parameters"

_running: dict[tuple[str, str, int], "RunningStep"] = {}
_turns: dict[Target, FileLock] = {}
_errors: list[str] = []  # the last one, for the record of an attempt that is tried again


class RunningStep:
    """A step that materializes an asset, with study and inputs as they were when it began.

    Parameters
    ----------
    study : Study
        As the study file is now.

    Attributes
    ----------
    target : Target
        What is made.
    partitions : str or None
        Name of the partitions that the asset has; None where it has none.
    study : RecordedStudy
        Notes which entries are read.
    registry : RegistryState
        What LaminDB has from outside; read now as far as the asset depends on it.
    left_out : dict of Target to str
        Models upstream that could not be made, and why; an earlier version of them is no input.
    recorder : Recorder
    """

    def __init__(self, step: dg.StepExecutionContext, study: Study) -> None:
        assets = definition_of(step)
        assert assets is not None
        self.target = Target(assets.key.to_user_string(), partition_of(step))
        self.partitions = partitions_name(assets.partitions_def)
        self.study = RecordedStudy.of(study)
        self._assets, self._step = assets, step
        self.code = code_of_asset(assets)
        _take_turn(self.target, step)
        graph = step.job_def.asset_layer.asset_graph
        known = step.instance.get_dynamic_partitions
        above = list(upstream(graph, known, self.study, assets, partition_of(step)))
        of_sample = self.partitions == SAMPLE_PARTITIONS
        self.registry = RegistryState(study, self.target.partition if of_sample else None)
        self._made = made_before([t for t in above if t.asset not in OUTSIDE], step.instance)
        self.left_out = left_out_now(graph, assets, self._made, step.instance)
        self._made |= dict.fromkeys(self.left_out)
        self._outside = [t for t in above if t.asset in OUTSIDE]
        self._versions()  # which reads the registry now
        self.recorder = Recorder(
            Step(
                asset=self.target.asset,
                partition=self.target.partition,
                dagster_run=step.run_id,
                code=self.code.source,
                code_version=self.code.version,
                parameters=self._config(),
            )
        )

    def before(self) -> Materialization | None:
        """Latest materialization of the target before this step."""
        return latest(self._step.instance, self.target.key, self.target.partition)

    def input(self, target: Target) -> Materialization | None:
        """Materialization of something upstream, as it was when the step began.

        Returns
        -------
        Materialization or None
            None if it had not been made, or could not be; also for what the asset does not depend
            on.
        """
        return self._made.get(target)

    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the step, as far as it has read."""
        values, config = self.study.values(), self._config()
        read = {entry: values[entry] for entry in sorted(self.study.entries_read)}
        if config:
            entry = self._assets.metadata_by_key[self._assets.key][LAUNCHPAD]
            entry = entry.format(self.target.partition)
            known = values[entry][PARAMETERS]
            read[entry] = values[entry] | {PARAMETERS: known | config}
            config = {name: v for name, v in config.items() if known.get(name) != v}
        return Fingerprint(
            self.code.modules, self.code.libraries, read, config, dict(self._versions())
        )

    def record_failure(self, reason: str) -> None:
        """Record that a model could not be made with the present inputs."""
        values, before = self.study.values(), self.before()
        now = Fingerprint(
            self.code.modules, self.code.libraries, values, {}, dict(self._versions())
        )
        of_model = left_out.by_model(self._assets.partitions_def)
        # What is up to date, or was tried with other parameters, says nothing of the study.
        if of_model and not self._config() and why_out_of_date(now, before, self.study):
            left_out.record(self._step.instance, self.target, reason, key_of(now, before))

    def _config(self) -> dict[str, Any]:
        """Parameters of the launchpad that take the place of those of an entry of the study."""
        entry = self._assets.metadata_by_key[self._assets.key].get(LAUNCHPAD)
        given = self._step.op_config if entry else None
        return dict((given or {}).get(PARAMETERS) or {})

    def _versions(self) -> Iterator[tuple[str, str | None]]:
        made = [(str(t), found.version if found else None) for t, found in self._made.items()]
        made += [(str(t), version_without(reason)) for t, reason in self.left_out.items()]
        outside = [(str(t), self.registry.version(t.asset, t.partition)) for t in self._outside]
        return iter(sorted(dict(made + outside).items()))


def running_step(step: dg.StepExecutionContext, study_file: str | None) -> RunningStep:
    """Return the step that is running; it is created at the first call.

    Parameters
    ----------
    study_file : str or None
        As for :meth:`~autophagy_assets.config.study.Study.load`; read at the first call only.
    """
    attempt = _attempt(step)
    if attempt not in _running:
        for earlier in [key for key in _running if key[:2] == attempt[:2]]:
            _running.pop(earlier).recorder.fail(f"Tried again: {''.join(_errors)}")
        _running[attempt] = RunningStep(step, Study.load(study_file))
    return _running[attempt]


@contextmanager
def non_retryable() -> Iterator[None]:
    """Turn errors of input and integrity into failures that are not retried.

    The same input gives the same error: trying again would only hide it. Other errors are
    kept for the record of the attempt, should the step be tried again.
    """
    try:
        yield
    except (InputError, IntegrityError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except Exception as error:
        _errors[:] = [f"{type(error).__name__}: {error}"]
        raise


def definition_of(step: dg.StepExecutionContext) -> dg.AssetsDefinition | None:
    """Definition of the asset that a step materializes.

    Returns
    -------
    dagster.AssetsDefinition or None
        None for the step of asset checks.
    """
    found = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    return found if found is not None and found.keys else None


def partition_of(step: dg.StepExecutionContext) -> str | None:
    """Partition that a step materializes."""
    return step.partition_key if step.has_partition_key else None


def _take_turn(target: Target, step: dg.StepExecutionContext) -> None:
    """Take the lock of a partition, so that no two processes make it at once."""
    folder = Home.locate().locks / "making"
    folder.mkdir(parents=True, exist_ok=True)
    lock = _turns.setdefault(target, FileLock(folder / derived(20, str(target))))
    if lock.is_locked:  # an attempt before this one, of the same process
        return
    try:
        lock.acquire(timeout=0)
    except Timeout:
        step.log.info(f"Another run is making {target}; waiting for it to end.")
        lock.acquire()


def forget(step: dg.StepExecutionContext) -> None:
    """Forget a step that has ended, and release the lock of its partition."""
    _end(_attempt(step))


def _end(attempt: tuple[str, str, int]) -> RunningStep | None:
    ended = _running.pop(attempt, None)
    if ended is not None and (lock := _turns.pop(ended.target, None)) is not None:
        lock.release(force=True)
        cache.release()
    return ended


def _attempt(step: dg.StepExecutionContext) -> tuple[str, str, int]:
    return step.run_id, step.step.key, step.previous_attempt_count


def fail(run_id: str, step_key: str, reason: str, settled: bool = False) -> None:
    """Record the error of a failed step with its LaminDB run.

    Parameters
    ----------
    run_id, step_key : str
        The step as Dagster names it.
    settled : bool
        Whether the step would fail again, so that others need not wait for it.
    """
    for attempt in [key for key in _running if key[:2] == (run_id, step_key)]:
        if (ended := _end(attempt)) is not None:
            ended.recorder.parameters = dict(ended.fingerprint().study)
            ended.recorder.fail(reason)
            if settled:
                ended.record_failure(reason)
