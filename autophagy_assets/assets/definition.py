"""What all assets of a study share: owner, kinds, retries, freshness, and a recorded step."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from autophagy_assets.assets.context import StudyContext
from autophagy_assets.io_managers import base, steps
from autophagy_assets.staleness.partitions import control_of
from autophagy_assets.study import Study

OWNER = "team:imaging"
RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)
UPSTREAM_SPACES = "autophagy/upstream_spaces"

# Dagster's eager(), in words that people read in the UI, and woken by changed content instead of
# by every new materialization. A genotype whose features are computed here has no featurized
# table from elsewhere, and does not wait for one; nor does the report wait for a field to be set
# aside.
_CONDITION: Any = dg.AutomationCondition  # its methods are typed for assets, or for checks
_NEVER_MADE = _CONDITION.newly_missing().with_label("it is new")
_MADE_FROM_NEW = _CONDITION.any_deps_updated().with_label("what it is made from has new content")
# Parameters are told to Dagster as part of the code version.
_MADE_OTHERWISE = _CONDITION.code_version_changed().with_label(
    "its code or parameters have changed"
)
_LACKS_NOTHING = ~_CONDITION.any_deps_missing().ignore(
    dg.AssetSelection.assets("source_features", "set_aside_fields")
)
WHEN_CONTENT_CHANGES = (
    (
        (_NEVER_MADE | _MADE_FROM_NEW | _MADE_OTHERWISE)
        .since_last_handled()
        .with_label("something is new since it was last made or asked for")
        & _LACKS_NOTHING.with_label("nothing that it is made from is missing")
        & (~_CONDITION.any_deps_in_progress()).with_label("nothing that it is made from is at work")
        & (~_CONDITION.in_progress()).with_label("it is not being made already")
    )
    .replace(
        "newly_updated",
        _CONDITION.data_version_changed().with_label("its content has changed"),
    )
    .with_label("made when it is new, or what it is made from or with has changed")
)


class StudyResource(dg.ConfigurableResource):
    """The study that a code location serves.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.study.Study.load`.
    """

    study_file: str | None = None

    def load(self) -> Study:
        """Read the study file."""
        return Study.load(self.study_file)


@dg.failure_hook(name="record_failure")
def record_failure(context: dg.HookContext) -> None:
    """Give the LaminDB run of a failed step its error."""
    error = context.op_exception
    reason = error.description if isinstance(error, dg.Failure) else str(error)
    steps.fail(context.run_id, context.step_key, reason or type(error).__name__)


def study_asset(
    *,
    group: str,
    io: str,
    kinds: Iterable[str],
    uses: Iterable[str] = (),
    partitions: dg.DynamicPartitionsDefinition | None = None,
    ins: Mapping[str, dg.AssetIn] | None = None,
    deps: Iterable[dg.AssetDep] = (),
    spaces: Mapping[str, str] | None = None,
    labels: str | None = None,
    artifact: str | None = None,
    code_version: str = "1",
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Define an asset whose step is recorded in LaminDB; its docstring is its description.

    Parameters
    ----------
    group : str
        Dagster group, and first part of its LaminDB keys.
    io : str
        Key of the IO manager that stores it.
    kinds : iterable of str
        Badges in the Dagster UI.
    uses : iterable of str
        Parts of the study that its content depends on; the one that can be set in the
        launchpad comes first.
    partitions : DynamicPartitionsDefinition, optional
    ins, deps
        As for ``dagster.asset``.
    spaces : mapping, optional
        Upstream asset to the name of its partitions, for those that have partitions.
    labels : str, optional
        ``"control"`` labels the artifact with the study's control genotype.
    artifact : str, optional
        Description of the LaminDB artifact, where it is not the asset's.
    code_version : str
        Change it when a change of the code changes the content.

    Returns
    -------
    callable
        A decorator.
    """

    def define(body: Callable[..., Any]) -> dg.AssetsDefinition:
        description = " ".join((inspect.getdoc(body) or "").split())

        @functools.wraps(body)
        def step(context: Any, *args: Any, **inputs: Any) -> Any:
            study = context.resources.study.load()
            execution = context.get_step_execution_context()
            recorder = steps.recorder_of(execution, study)
            recorder.start()
            partition = steps.partition_of(execution)
            before = functools.partial(steps.look_of(execution), context.asset_key, partition)
            tools = StudyContext(study, partition or "", recorder, context.log, before)
            with steps.told_once():
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
            code_version=code_version,
            retry_policy=RETRIES,
            automation_condition=WHEN_CONTENT_CHANGES,
            required_resource_keys={"study"},
            hooks={record_failure},
            metadata={
                steps.GROUP: group,
                steps.USES: list(uses),
                base.DESCRIPTION: artifact or description,
                base.LABELS: labels,
                UPSTREAM_SPACES: dict(spaces or {}),
            },
        )(step)

    return define


def every(**metadata: Any) -> dg.AssetIn:
    """Input that is a mapping of all partitions of an upstream asset, loaded when looked at.

    Parameters
    ----------
    **metadata
        Of the input, such as ``columns``.

    Returns
    -------
    dagster.AssetIn
    """
    return dg.AssetIn(
        partition_mapping=dg.AllPartitionMapping(), metadata={base.EVERY: True, **metadata}
    )


def control(study: Study, **metadata: Any) -> dg.AssetIn:
    """Input that is the control genotype's partition of an upstream asset.

    Parameters
    ----------
    study : Study
    **metadata
        Of the input, such as ``columns``.

    Returns
    -------
    dagster.AssetIn
    """
    mapping = dg.SpecificPartitionsPartitionMapping([control_of(study)])
    return dg.AssetIn(partition_mapping=mapping, metadata=metadata)


def depends_on_all(asset: str) -> dg.AssetDep:
    """Dependency on all partitions of an asset that is not loaded by the IO manager.

    Parameters
    ----------
    asset : str

    Returns
    -------
    dagster.AssetDep
    """
    return dg.AssetDep(asset, partition_mapping=dg.AllPartitionMapping())
