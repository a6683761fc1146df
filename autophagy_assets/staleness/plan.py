"""What of a study is to be made, and in which order.

A partition that was made before and depends on another that is about to be made waits: perhaps the
new content is the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from autophagy_assets.staleness.judge import NEVER_MADE, Judge, Verdict
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
        Target to the targets that it is made from; in an order in which they can be made.
    partitions_of : dict
        Asset to the name of its partitions.
    verdicts : dict
        Target to what the judge says of it.
    """

    ready: dict[Target, str] = field(default_factory=dict)
    waiting: set[Target] = field(default_factory=set)
    fresh: set[Target] = field(default_factory=set)
    upstream: dict[Target, list[Target]] = field(default_factory=dict)
    partitions_of: dict[str, str | None] = field(default_factory=dict)
    verdicts: dict[Target, Verdict] = field(default_factory=dict)

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
    for key in graph.toposorted_asset_keys:
        if key not in graph.materializable_asset_keys:
            continue
        assets = graph.assets_def_for_key(key)
        name = partitions_name(assets.partitions_def)
        plan.partitions_of[key.to_user_string()] = name
        partitions = sorted(judge.partitions(name)) if name else [None]
        verdicts = judge.verdicts(assets, partitions)
        for partition in partitions:
            target = Target(key.to_user_string(), partition)
            above = [t for t in judge.upstream(assets, partition) if t.asset in made_here]
            plan.upstream[target] = above
            plan.verdicts[target] = verdicts[partition]
            _place(plan, target, above)
    return plan


def _place(plan: Plan, target: Target, above: list[Target]) -> None:
    reason = plan.verdicts[target].reason
    pending = any(one in plan.ready or one in plan.waiting for one in above)
    if reason == NEVER_MADE or (reason and not pending):
        plan.ready[target] = reason
    elif pending:
        plan.waiting.add(target)
    else:
        plan.fresh.add(target)
