"""Inputs of a step, as they were when the step began."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg

from autophagy_assets.staleness import left_out
from autophagy_assets.staleness.materializations import (
    Materialization,
    MaterializationCache,
    latest,
)
from autophagy_assets.staleness.upstream import Target

_ONE_BY_ONE = 3  # partitions of an upstream asset; of more, all are asked for in one query


def made_before(
    targets: list[Target], instance: dg.DagsterInstance
) -> dict[Target, Materialization | None]:
    """Last materialization of each of some targets; None where there is none."""
    cached, by_asset = MaterializationCache(instance), dict[str, int]()
    for target in targets:
        by_asset[target.asset] = by_asset.get(target.asset, 0) + 1
    return {
        target: cached(target.key, target.partition)
        if by_asset[target.asset] > _ONE_BY_ONE
        else latest(instance, target.key, target.partition)
        for target in targets
    }


def left_out_now(
    graph: Any,
    assets: dg.AssetsDefinition,
    made: Mapping[Target, Materialization | None],
    instance: dg.DagsterInstance,
) -> dict[Target, str]:
    """Models that an asset is made without, with the reason, by the last look at the study.

    Parameters
    ----------
    graph : object
        Dagster's asset graph.
    assets : dagster.AssetsDefinition
        Definition of one asset.
    made : mapping of Target to Materialization
        What it is made from.
    """
    seen = cache(lambda asset: left_out.newest(instance, asset))
    reasons = {
        target: left_out.reason_now(target, seen(target.key).get(target.partition or ""), found)
        for target, found in made.items()
        if left_out.by_model(graph.get(target.key).partitions_def)
    }
    known = {target: reason for target, reason in reasons.items() if reason}
    return left_out.left_out_of(graph, assets, made, known)
