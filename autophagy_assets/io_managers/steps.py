"""The step that is running: its study, what it is called in the registry, and its recorder.

A step touches the registry in three places: when inputs are loaded, in its body, and when
the output is stored. All three find the same recorder here.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import dagster as dg
from dagster._core.execution.context.system import StepExecutionContext

from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.provenance import Recorder
from autophagy_assets.registry.runs import Step
from autophagy_assets.staleness.fingerprint import code_version_of, recipe
from autophagy_assets.staleness.materializations import Look, latest
from autophagy_assets.study import Study

GROUP, SPACE, USES = "autophagy/group", "autophagy/space", "autophagy/uses"

_recorders: dict[tuple[str, str, int], Recorder] = {}
_looks: dict[tuple[str, str, int], Look] = {}  # of the step that is running, only
_errors: list[str] = []  # the last one, for the record of an attempt that is tried again


@contextmanager
def told_once() -> Iterator[None]:
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


def assets_of(step: StepExecutionContext) -> dg.AssetsDefinition:
    """Definition of the asset that a step materializes.

    Parameters
    ----------
    step : StepExecutionContext

    Returns
    -------
    dagster.AssetsDefinition
    """
    definition = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    assert definition is not None
    return definition


def partition_of(step: StepExecutionContext) -> str | None:
    """Partition that a step materializes.

    Parameters
    ----------
    step : StepExecutionContext

    Returns
    -------
    str or None
    """
    return step.partition_key if step.has_partition_key else None


def parameters_of(assets: dg.AssetsDefinition, study: Study, config: Any = None) -> dict[str, Any]:
    """What a step is told: the parts of the study that it uses, and its launchpad config.

    Parameters
    ----------
    assets : dagster.AssetsDefinition
    study : Study
    config : mapping, optional
        The config it was launched with; it takes the place of the study's part. What is no
        entry of that part, such as whether to image again, does not change the content.

    Returns
    -------
    dict
        JSON-like.
    """
    whole = study.model_dump(mode="json")
    used = {part: whole[part] for part in assets.metadata_by_key[assets.key][USES]}
    if config:
        part = next(iter(used))
        used[part] |= {name: value for name, value in config.items() if name in used[part]}
    return used


def recorder_of(step: StepExecutionContext, study: Study) -> Recorder:
    """Recorder of a step, made at the first call.

    Parameters
    ----------
    step : StepExecutionContext
    study : Study

    Returns
    -------
    Recorder
    """
    attempt = _attempt(step)
    if attempt not in _recorders:
        assets = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
        if assets is None or not assets.keys:
            # An asset check: it reads, verified, and writes nothing, so it has no LaminDB run.
            return Recorder(Step(step.step.key, None, step.run_id, "", ""))
        body: Any = assets.op.compute_fn
        function = getattr(body, "decorated_fn", body)
        _recorders[attempt] = Recorder(
            Step(
                asset=assets.key.to_user_string(),
                partition=partition_of(step),
                dagster_run=step.run_id,
                code=inspect.getsource(inspect.unwrap(function)),
                code_version=code_version_of(assets),
                parameters=parameters_of(assets, study, step.op_config),
            )
        )
    return _recorders[attempt]


def recipe_of(step: StepExecutionContext, study: Study) -> str:
    """Recipe of what a step is about to make.

    Parameters
    ----------
    step : StepExecutionContext
    study : Study

    Returns
    -------
    str
    """
    assets = assets_of(step)
    parameters = parameters_of(assets, study, step.op_config)
    known = step.instance.get_dynamic_partitions
    return recipe(known, look_of(step), assets, partition_of(step), parameters)


def look_of(step: StepExecutionContext) -> Look:
    """How a step looks at materializations: once at each.

    What is made anew while a step runs is not what the step has loaded, so it must not stand
    in the step's recipe either.

    Parameters
    ----------
    step : StepExecutionContext

    Returns
    -------
    callable
        Takes asset and partition, gives what ``latest`` gives.
    """
    if _attempt(step) not in _looks:
        _looks.clear()
        _looks[_attempt(step)] = cache(partial(latest, step.instance))
    return _looks[_attempt(step)]


def forget(step: StepExecutionContext) -> None:
    """Drop the recorder of a step that has ended.

    Parameters
    ----------
    step : StepExecutionContext
    """
    _recorders.pop(_attempt(step), None)


def _attempt(step: StepExecutionContext) -> tuple[str, str, int]:
    return step.run_id, step.step.key, step.previous_attempt_count


def fail(run_id: str, step_key: str, reason: str) -> None:
    """Give the LaminDB run of a failed step its error.

    Parameters
    ----------
    run_id, step_key : str
        The step as Dagster names it.
    reason : str
    """
    for attempt in [key for key in _recorders if key[:2] == (run_id, step_key)]:
        _recorders.pop(attempt).fail(reason)


def space_of(assets: dg.AssetsDefinition) -> str | None:
    """Name of an asset's partitions.

    Parameters
    ----------
    assets : dagster.AssetsDefinition

    Returns
    -------
    str or None
        None for an asset without partitions.
    """
    partitions = assets.partitions_def
    return partitions.name if isinstance(partitions, dg.DynamicPartitionsDefinition) else None
