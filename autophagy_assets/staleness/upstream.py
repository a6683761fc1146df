"""Upstream targets of a partition of an asset, by the asset graph.

Partition mappings say it, with two rules beside them. What is partitioned by genotype and made from
all samples is made from the samples of that genotype: Dagster has no mapping between dynamic
partitions that says so and that its daemon understands. And an input marked with ``CONTROL`` is the
control's partition: which one that is stands in the study file, which may change after the assets
have been defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from autophagy_assets.config.models import ANNOTATED
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.staleness.partitions import (
    GENOTYPE_PARTITIONS,
    SAMPLE_PARTITIONS,
    control_of,
    genotype_of,
)

CONTROL, ANSWERS = "partition_of_control", "answers_of_people"  # metadata of an input
Known = Callable[[str], Iterable[str]]


@dataclass(frozen=True, order=True)
class Target:
    """An asset or a partition of one."""

    asset: str
    partition: str | None = None

    def __str__(self) -> str:
        return f"{self.asset}[{self.partition}]" if self.partition else self.asset

    @property
    def key(self) -> dg.AssetKey:
        """Dagster's key of the asset."""
        return dg.AssetKey(self.asset)


def partitions_name(definition: dg.PartitionsDefinition | None) -> str | None:
    """Name of dynamic partitions.

    Returns
    -------
    str or None
        None where there are none.
    """
    return definition.name if isinstance(definition, dg.DynamicPartitionsDefinition) else None


def upstream(
    graph: Any, known: Known, study: Study, assets: dg.AssetsDefinition, partition: str | None
) -> Iterator[Target]:
    """Iterate over the upstream targets of a partition of an asset.

    Parameters
    ----------
    graph : object
        Dagster's asset graph; has the upstream assets, whether or not they are made here.
    known : callable
        Takes the name of partitions, gives their keys.
    study : Study
        Says which genotype is the control.
    assets : dagster.AssetsDefinition
        Definition of one asset.
    """
    ours = partitions_name(assets.partitions_def)
    ins = assets.op.ins  # put together again whenever it is asked for
    marked = {
        kind: {key for name, key in assets.keys_by_input_name.items() if kind in ins[name].metadata}
        for kind in (CONTROL, ANSWERS)
    }
    for dep in sorted(next(iter(assets.specs)).deps, key=lambda dep: dep.asset_key):
        asset, mapping = dep.asset_key.to_user_string(), dep.partition_mapping
        theirs = partitions_name(graph.get(dep.asset_key).partitions_def)
        if dep.asset_key in marked[ANSWERS] and not learns_from_answers(study, partition):
            continue
        if theirs is None:
            yield Target(asset)
        elif dep.asset_key in marked[CONTROL]:
            yield Target(asset, control_of(study))
        elif isinstance(mapping, dg.AllPartitionMapping):
            of_genotype = (ours, theirs) == (GENOTYPE_PARTITIONS, SAMPLE_PARTITIONS)
            for key in sorted(known(theirs)):
                if not of_genotype or genotype_of(key) == partition:
                    yield Target(asset, key)
        else:
            yield Target(asset, partition)


def learns_from_answers(study: Study, model: str | None) -> bool:
    """Whether a model learns from what people said of cells.

    Parameters
    ----------
    model : str or None
        Partition of an asset that is made by model; False for one that the study does not have.
    """
    try:
        return study.model(model or "").labels == ANNOTATED
    except InputError:
        return False
