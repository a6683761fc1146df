"""What all assets of a study share: owner, kinds, retries, freshness, and a recorded step."""

import functools
import inspect
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.io_managers import base, steps
from autophagy_assets.partitions import control_of
from autophagy_assets.registry.datasets import datasets_by_uid
from autophagy_assets.registry.files import TEMPORARY
from autophagy_assets.registry.instance import storage_root
from autophagy_assets.registry.provenance import Recorder
from autophagy_assets.study import Study

OWNER = "team:imaging"
RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)
UPSTREAM_SPACES = "autophagy/upstream_spaces"

# Eager, but woken by changed content and not by every new materialization. A genotype whose
# features are computed here has no featurized table from elsewhere, and does not wait for one.
WHEN_CONTENT_CHANGES = (
    dg.AutomationCondition.eager()
    .replace("newly_updated", dg.AutomationCondition.data_version_changed())
    .replace(
        "any_deps_missing",
        dg.AutomationCondition.any_deps_missing().ignore(
            dg.AssetSelection.assets("source_features")
        ),
    )
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


@dataclass(frozen=True)
class StudyContext:
    """What the body of an asset may use beside its inputs.

    Parameters
    ----------
    study : Study
    partition : str
        Partition key; empty for an asset without partitions.
    recorder : Recorder
        Reads artifacts and puts files in place, so that both are in the records.
    log : object
        Dagster's logger.
    dagster : dagster.AssetExecutionContext
        Dagster's own context, for what is not above.
    """

    study: Study
    partition: str
    recorder: Recorder
    log: Any
    dagster: dg.AssetExecutionContext

    def read(self, uid: str) -> Path:
        """Verified local path of a LaminDB artifact, noted as an input of the step."""
        return self.recorder.read(uid)

    def images(self, cells: pd.DataFrame) -> tuple["Paths", float | None]:
        """Paths of the crops of cells, and the size of a pixel in um."""
        datasets = cells[DATASET].unique()
        return Paths(self, datasets), self.pixel_um(datasets)

    def pixel_um(self, datasets: Iterable[str]) -> float | None:
        """Size of a pixel in um, where all datasets are known to have the same."""
        sizes = datasets_by_uid(map(str, datasets), self.study)["pixel_um"].unique()
        return float(sizes[0]) if len(sizes) == 1 and sizes[0] > 0 else None

    def version_of(self, asset: str) -> str:
        """Hash of the content of an upstream asset that this step has loaded."""
        return next(
            record.sha256
            for record in self.recorder.reads.values()
            if record.key.split("/")[-1].split(".")[0] == asset
        )

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Folder for files on their way into the store, on the same disk, removed at the end."""
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=storage_root()) as folder:
            yield Path(folder)


class Paths(Mapping[str, Path]):
    """Local paths of datasets by uid: only those that are looked at are fetched and recorded.

    Parameters
    ----------
    context : StudyContext
    uids : iterable of str
        Datasets that may be looked at.
    """

    def __init__(self, context: StudyContext, uids: Iterable[str]) -> None:
        self._context, self._uids = context, sorted({str(uid) for uid in uids})

    def __getitem__(self, uid: str) -> Path:
        if uid not in self._uids:
            raise KeyError(uid)
        return self._context.read(uid)

    def __iter__(self) -> Iterator[str]:
        return iter(self._uids)

    def __len__(self) -> int:
        return len(self._uids)


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
            tools = StudyContext(
                study, steps.partition_of(execution) or "", recorder, context.log, context
            )
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
