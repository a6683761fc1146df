"""What all assets of a study share: owner, kinds, retries, freshness, and a recorded step."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from autophagy_assets.analysis.classifier.selection import select_cells
from autophagy_assets.analysis.features.tables import Table
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.config.secrets import without_secrets
from autophagy_assets.config.study import Study
from autophagy_assets.errors import IntegrityError, store_away
from autophagy_assets.io_managers import base, steps
from autophagy_assets.io_managers.parquet import PIECES, SELECTED
from autophagy_assets.staleness.code import code_of
from autophagy_assets.staleness.judge import GIVEN
from autophagy_assets.staleness.upstream import ANSWERS, CONTROL

TITLE = "autophagy/title"
OWNER = "team:imaging"
_ELSEWHERE = (
    *(OSError, MemoryError, IntegrityError),
    *(KeyboardInterrupt, SystemExit, dg.DagsterExecutionInterruptedError),
)
RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)


class StudyResource(dg.ConfigurableResource):
    """The study that a code location serves.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.config.study.Study.load`.
    """

    study_file: str | None = None

    def load(self) -> Study:
        """Read the study file."""
        return Study.load(self.study_file)


@dg.failure_hook(name="record_failure")
def record_failure(context: dg.HookContext) -> None:
    """Record the error of a failed step with its LaminDB run."""
    error = context.op_exception
    reason = error.description if isinstance(error, dg.Failure) else str(error)
    said = without_secrets(reason or type(error).__name__)
    steps.fail(context.run_id, context.step_key, said, would_fail_again(error))


def would_fail_again(error: BaseException | None) -> bool:
    """Whether a step that failed would fail again, as far as can be told from its error.

    What the machine or the store lacks, and what somebody has stopped, says nothing of the step.
    """
    if isinstance(error, dg.Failure):
        return not isinstance(error.__cause__, IntegrityError)
    reason = error
    while reason is not None:
        no_memory = type(reason).__name__ == "OutOfMemoryError"  # torch's, which is not imported
        if isinstance(reason, _ELSEWHERE) or no_memory or store_away(reason):
            return False
        reason = reason.__cause__ or reason.__context__
    return error is not None


def study_asset(
    *,
    group: str,
    io: str,
    kinds: Iterable[str],
    partitions: dg.DynamicPartitionsDefinition | None = None,
    ins: Mapping[str, dg.AssetIn] | None = None,
    deps: Iterable[dg.AssetDep] = (),
    launchpad: str | None = None,
    labels: str | None = None,
    artifact: str | None = None,
    schema: Table | None = None,
    title: str | None = None,
    given: Mapping[str, Any] | None = None,
    by_field: bool = False,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Define an asset whose step is recorded in LaminDB; its docstring is its description.

    Its code version follows from the code that its body uses.

    Parameters
    ----------
    group : str
        Dagster group, and first part of its LaminDB keys.
    io : str
        Key of the IO manager that stores it.
    kinds : iterable of str
        Badges in the Dagster UI.
    ins, deps
        As for ``dagster.asset``.
    launchpad : str, optional
        Entry of the study file whose ``parameters`` the launchpad's take the place of, with
        ``{}`` for the partition.
    labels : str, optional
        ``"control"`` labels the artifact with the study's control genotype.
    artifact : str, optional
        Description of the LaminDB artifact, where it is not the asset's.
    schema : Table, optional
        Contract of a table; it is validated before it is stored.
    title : str, optional
        What a figure shows, with ``{}`` for its partition: report and exports have it then.
    given : mapping, optional
        What the body finds as ``context.given``, JSON-like. Counts as its code.
    by_field : bool
        Whether the body has fields of view worked on, with ``context.compute``.

    Returns
    -------
    callable
        A decorator.
    """
    counted = _counted(given or {}, ins or {})

    def define(body: Callable[..., Any]) -> dg.AssetsDefinition:
        description = " ".join((inspect.getdoc(body) or "").split())

        @functools.wraps(body)
        def step(context: Any, *args: Any, **inputs: Any) -> Any:
            study_file = context.resources.study.study_file
            with steps.non_retryable():
                running = steps.running_step(context.get_step_execution_context(), study_file)
                running.recorder.start()
                tools = StudyContext(
                    running.study,
                    running.target.partition or "",
                    running.registry,
                    running.recorder,
                    context.log,
                    running.before,
                    given or {},
                    context.resources.compute if by_field else None,
                )
                return body(tools, *args, **inputs)

        return dg.asset(
            group_name=group,
            io_manager_key=io,
            kinds=set(kinds),
            description=description,
            owners=[OWNER],
            partitions_def=partitions,
            ins=dict(ins or {}),
            deps=list(deps),
            code_version=code_of(body).with_values(counted).version,
            retry_policy=RETRIES,
            required_resource_keys={"study", "compute"} if by_field else {"study"},
            hooks={record_failure},
            metadata={
                steps.GROUP: group,
                steps.LAUNCHPAD: launchpad,
                base.DESCRIPTION: artifact or description,
                base.LABELS: labels,
                base.SCHEMA: schema.name if schema else None,
                TITLE: title,
                GIVEN: counted,
            },
        )(step)

    return define


def _counted(given: Mapping[str, Any], ins: Mapping[str, dg.AssetIn]) -> dict[str, Any]:
    """Values that count as code of an asset.

    The code that selects cells is not reached from a body that is given the selected ones.
    """
    selected = any((each.metadata or {}).get(SELECTED) for each in ins.values())
    return {**given, **({SELECTED: code_of(select_cells).version} if selected else {})}


def every(**metadata: Any) -> dg.AssetIn:
    """Input that is a mapping of all partitions of an upstream asset, loaded on access.

    Parameters
    ----------
    **metadata
        Of the input, such as ``columns``.
    """
    return dg.AssetIn(
        partition_mapping=dg.AllPartitionMapping(), metadata={base.EVERY: True, **metadata}
    )


def when_needed() -> dg.AssetIn:
    """Input that is a mapping of one partition, the asset's own, loaded on access.

    What a step has not looked at is not in its records.
    """
    return dg.AssetIn(metadata={base.EVERY: True})


def control(**metadata: Any) -> dg.AssetIn:
    """Input that is the control's partition of an upstream asset, as the study file has it then.

    Parameters
    ----------
    **metadata
        Of the input, such as ``columns``.
    """
    return dg.AssetIn(
        # Dagster knows less than what holds: that any of the partitions may be needed.
        partition_mapping=dg.AllPartitionMapping(),
        metadata={CONTROL: True, **metadata},
    )


def selected_control(**metadata: Any) -> dg.AssetIn:
    """Input as `control`, with no more cells than the study file lets models learn from.

    Of more cells some are selected at random, by clone and class.
    """
    return control(**{SELECTED: True}, **metadata)


def in_pieces() -> dg.AssetIn:
    """Input that is a table of any size, of which the step reads a row group at a time."""
    return dg.AssetIn(metadata={PIECES: True})


def answers() -> dg.AssetIn:
    """Input of an asset by model that is there for models of annotated labels, and None for others.

    A model that does not learn from answers is not made again where there are new ones.
    """
    return dg.AssetIn(metadata={ANSWERS: True})


def title_of(assets: dg.AssetsDefinition | dg.AssetSpec) -> str | None:
    """Title of a figure.

    Parameters
    ----------
    assets : dagster.AssetsDefinition or dagster.AssetSpec
        Definition of one asset.

    Returns
    -------
    str or None
        None for what report and exports do not show.
    """
    spec = assets if isinstance(assets, dg.AssetSpec) else next(iter(assets.specs))
    return spec.metadata.get(TITLE)
