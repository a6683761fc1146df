"""Plan: which targets of a study are out of date, and in which order they can be made.

A partition that was made before and depends on another that is about to be made waits: perhaps the
new content is the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import dagster as dg

from autophagy_assets.staleness.judge import NEVER_MADE, Judge, Verdict
from autophagy_assets.staleness.left_out import (
    by_model,
    left_out_of,
    newest,
    reason_now,
    reason_of,
    record,
)
from autophagy_assets.staleness.materializations import MaterializationCache
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS
from autophagy_assets.staleness.upstream import Target, partitions_name


@dataclass
class Plan:
    """State of all targets of a study.

    Parameters
    ----------
    ready : dict
        Target to why it is out of date, in an order in which they can be made.
    waiting : set of Target
        Made before, and made again only if what they depend on changes.
    fresh : set of Target
        Up to date.
    upstream : dict
        Target to the targets that it is made from, without those that it goes on without; in an
        order in which they can be made.
    partitions_of : dict
        Asset to the name of its partitions.
    verdicts : dict
        Target to what the judge says of it.
    failed : dict
        Target by model that is out of date and has failed, made from what there is now, to why.
    left_out : dict
        Those, and what is of the same model and made from them, to the one that failed and why.
        What puts all models side by side goes on without them.
    """

    ready: dict[Target, str] = field(default_factory=dict)
    waiting: set[Target] = field(default_factory=set)
    fresh: set[Target] = field(default_factory=set)
    upstream: dict[Target, list[Target]] = field(default_factory=dict)
    partitions_of: dict[str, str | None] = field(default_factory=dict)
    verdicts: dict[Target, Verdict] = field(default_factory=dict)
    failed: dict[Target, str] = field(default_factory=dict)
    left_out: dict[Target, str] = field(default_factory=dict)

    def downstream_of(self, targets: Iterable[Target]) -> set[Target]:
        """Targets that depend on any of some targets, near or far."""
        found = set(targets)
        if not found:
            return found
        for target in self.upstream:
            if found.intersection(self.upstream[target]):
                found.add(target)
        return found - set(targets)


def make_plan(judge: Judge) -> Plan:
    """Judge every target of a study."""
    graph, plan = judge.graph, Plan()
    made_here = {key.to_user_string() for key in graph.materializable_asset_keys}
    targets = _targets(judge)
    judge.look_at_files(
        Target(key.to_user_string(), partition)
        for key, partitions in targets.items()
        for partition in partitions
    )
    for key, partitions in targets.items():
        assets = graph.assets_def_for_key(key)
        plan.partitions_of[key.to_user_string()] = partitions_name(assets.partitions_def)
        verdicts = judge.verdicts(assets, partitions, plan.left_out)
        for partition in partitions:
            target = Target(key.to_user_string(), partition)
            above = [t for t in judge.upstream(assets, partition) if t.asset in made_here]
            without = left_out_of(graph, assets, above, plan.left_out)
            plan.upstream[target] = [one for one in above if one not in without]
            plan.verdicts[target] = verdicts[partition]
            pending = _place(plan, target)
            if by_model(assets.partitions_def):
                _leave_out(plan, target, pending)
    return plan


def _targets(judge: Judge) -> dict[dg.AssetKey, list[str | None]]:
    """Partitions of every asset that is made here, in an order in which they can be made."""
    found: dict[dg.AssetKey, list[str | None]] = {}
    for key in judge.graph.toposorted_asset_keys:
        if key in judge.graph.materializable_asset_keys:
            name = partitions_name(judge.graph.get(key).partitions_def)
            found[key] = [*sorted(judge.partitions(name))] if name else [None]
    return found


def record_left_out(instance: dg.DagsterInstance, plan: Plan) -> None:
    """Record for steps which models they go on without, where it is not what was recorded."""
    made = MaterializationCache(instance)
    for asset in (name for name, kind in plan.partitions_of.items() if kind == MODEL_PARTITIONS):
        seen = newest(instance, dg.AssetKey(asset))
        for target in (target for target in plan.upstream if target.asset == asset):
            wanted, known = plan.left_out.get(target, ""), seen.get(target.partition or "")
            last = made(target.key, target.partition) if known else None
            if reason_now(target, known, last) != wanted:
                record(instance, target, wanted)


def _place(plan: Plan, target: Target) -> bool:
    """Say how a target stands; gives whether anything that it is made from is out of date."""
    reason = plan.verdicts[target].reason
    pending = any(one in plan.ready or one in plan.waiting for one in plan.upstream[target])
    if reason == NEVER_MADE or (reason and not pending):
        plan.ready[target] = reason
    elif pending:
        plan.waiting.add(target)
    else:
        plan.fresh.add(target)
    return pending


def _leave_out(plan: Plan, target: Target, pending: bool) -> None:
    """Note of a target by model whether it failed as it stands, or is made from what did."""
    failed = plan.verdicts[target].failed
    if failed and not pending:
        plan.failed[target] = failed
        plan.left_out[target] = reason_of(target, failed)
    for one in plan.upstream[target]:
        if one in plan.left_out:
            plan.left_out.setdefault(target, plan.left_out[one])
