"""Definition of checks: one step for all checks of an asset, with results in plain words."""

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers.base import EVERY
from autophagy_assets.io_managers.parquet import COLUMNS, PIECES

# Partitions of a check are still a preview in Dagster; without them the check would load
# every genotype whenever one is made.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

Findings = Mapping[str, Finding]


@dataclass(frozen=True)
class CheckContext:
    """Context of the body of a check, beside its inputs.

    Parameters
    ----------
    partition : str
        Partition key; empty for an asset without partitions.
    """

    study: Study
    partition: str
    instance: dg.DagsterInstance

    def named(self, asset: str) -> str:
        """Name of an asset in the partition that is checked, for messages."""
        return f"{asset}[{self.partition}]" if self.partition else asset


def study_checks(
    asset: str,
    questions: Mapping[str, str],
    *,
    blocking: Collection[str] = (),
    partitions: dg.DynamicPartitionsDefinition | None = None,
    columns: Mapping[str, list[str]] | None = None,
    every: Collection[str] = (),
    pieces: Collection[str] = (),
) -> Callable[[Callable[..., Findings]], dg.AssetChecksDefinition]:
    """Define the checks of an asset, made in one step since a step costs more than a check.

    Parameters
    ----------
    questions : mapping of str to str
        Name of each check to what it asks.
    blocking : collection of str
        Checks that withhold what is downstream when they fail; all others warn.
    partitions : DynamicPartitionsDefinition, optional
        Those of the asset.
    columns : mapping of str to list of str, optional
        Input to the columns that are loaded; of others, everything.
    every : collection of str
        Inputs that are mappings of all partitions, each loaded when it is looked at.
    pieces : collection of str
        Inputs that are tables of any size, of which a row group is read at a time.

    Returns
    -------
    callable
        A decorator of a function that takes a `CheckContext` and the content of assets, each
        under the name of its asset, and gives a `Finding` for each check.

    Notes
    -----
    What ``dagster.multi_asset_check`` does, which cannot pass on to the IO manager what to load.
    """

    def define(body: Callable[..., Findings]) -> dg.AssetChecksDefinition:
        @functools.wraps(body)
        def step(context: Any, **inputs: Any) -> Iterator[dg.AssetCheckResult]:
            partition = context.partition_key if context.has_partition_key else ""
            tools = CheckContext(context.resources.study.load(), partition, context.instance)
            found = body(tools, **inputs)
            for name in questions:
                yield result(name, found[name], name in blocking)

        signature = inspect.signature(body)
        loaded = list(signature.parameters)[1:]
        # Dagster reads the inputs from the body, but what is given back from the step.
        step.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
        step.__annotations__ = {k: v for k, v in body.__annotations__.items() if k != "return"}
        specs = [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                description=question,
                blocking=name in blocking,
                partitions_def=partitions,
                additional_deps=[other for other in loaded if other != asset],
            )
            for name, question in questions.items()
        ]
        ins = {
            name: dg.In(
                metadata={
                    COLUMNS: (columns or {}).get(name),
                    EVERY: name in every,
                    PIECES: name in pieces,
                }
            )
            for name in loaded
        }
        if asset not in loaded:
            ins[asset] = dg.In(dg.Nothing)
        operation = dg.op(
            name=body.__name__,
            ins=ins,
            out={one.get_python_identifier(): dg.Out(None) for one in specs},
            required_resource_keys={"study"},
        )(step)
        return dg.AssetChecksDefinition.create(
            keys_by_input_name={name: dg.AssetKey(name) for name in ins},
            node_def=operation,
            check_specs_by_output_name={one.get_python_identifier(): one for one in specs},
            can_subset=False,
        )

    return define


def result(name: str, finding: Finding, blocking: bool) -> dg.AssetCheckResult:
    """Convert a finding into a check result of Dagster.

    Parameters
    ----------
    name : str
        Name of the check.
    blocking : bool
        Whether it withholds what is downstream.
    """
    return dg.AssetCheckResult(
        check_name=name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description=finding.sentence,
        metadata=metadata_of(finding),
    )


def metadata_of(finding: Finding) -> dict[str, dg.MetadataValue]:
    """Numbers of a finding as Dagster plots them, and its table.

    Returns
    -------
    dict
        A number that is not defined is given as text.
    """
    metadata: dict[str, dg.MetadataValue] = {name: _value(n) for name, n in finding.numbers.items()}
    if finding.table is not None:
        metadata["table"] = dg.MetadataValue.md(finding.table.to_markdown(index=False))
    return metadata


def _value(number: int | float | str) -> dg.MetadataValue:
    if isinstance(number, str):
        return dg.MetadataValue.text(number)
    if isinstance(number, int):
        return dg.MetadataValue.int(number)
    if not math.isfinite(number):
        return dg.MetadataValue.text("not defined")
    return dg.MetadataValue.float(float(number))
