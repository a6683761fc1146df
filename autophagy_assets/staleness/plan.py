"""What of a study is out of date, and why.

A target is an asset, or a partition of one. A target is out of date when it was never made,
its recipe (see ``recipes``) has changed, or its file is gone. One that was made
before and depends on another that is about to be made waits: perhaps the new content is the
old one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import dagster as dg

from autophagy_assets.io_managers.steps import parameters_of, space_of
from autophagy_assets.registry.damage import damaged
from autophagy_assets.registry.holdings import held_by
from autophagy_assets.staleness.fingerprint import Known, recipe, upstream
from autophagy_assets.staleness.materializations import (
    RUN,
    TABLE_UID,
    UID,
    Look,
    Looking,
    Materialization,
)
from autophagy_assets.study import Study

NEVER_MADE, CHANGED, GONE = "never made", "out of date", "its file is gone"


@dataclass(frozen=True, order=True)
class Target:
    """An asset or a partition of one.

    Parameters
    ----------
    asset : str
    partition : str or None
    """

    asset: str
    partition: str | None = None

    def __str__(self) -> str:
        return f"{self.asset}[{self.partition}]" if self.partition else self.asset


@dataclass
class Plan:
    """State of all targets of a study.

    Parameters
    ----------
    ready : dict
        Target to reason, in an order in which they can be made.
    waiting : set of Target
        Made before, and made again only if what they depend on changes.
    fresh : set of Target
        Up to date.
    upstream : dict
        Target to the targets that it is made from.
    spaces : dict
        Asset to the name of its partitions.
    """

    ready: dict[Target, str] = field(default_factory=dict)
    waiting: set[Target] = field(default_factory=set)
    fresh: set[Target] = field(default_factory=set)
    upstream: dict[Target, list[Target]] = field(default_factory=dict)
    spaces: dict[str, str | None] = field(default_factory=dict)

    def downstream_of(self, targets: Iterable[Target]) -> set[Target]:
        """Targets that depend on any of some targets, near or far."""
        found = set(targets)
        if not found:
            return found
        for target in self.upstream:  # in an order in which they can be made
            if found.intersection(self.upstream[target]):
                found.add(target)
        return found - set(targets)


def make_plan(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    study: Study,
    look: Look | None = None,
) -> Plan:
    """Look at every target of a study.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    defs : dagster.Definitions
    study : Study
    look : callable, optional
        For a caller that has looked before; default at everything anew.

    Returns
    -------
    Plan
    """
    graph, plan = defs.resolve_asset_graph(), Plan()
    # Most targets are upstream of several others.
    look, known = look or Looking(instance), cache(instance.get_dynamic_partitions)
    made_here = {key.to_user_string() for key in graph.materializable_asset_keys}
    for key in graph.toposorted_asset_keys:
        if key not in graph.materializable_asset_keys:
            continue
        assets = graph.assets_def_for_key(key)
        space = space_of(assets)
        plan.spaces[key.to_user_string()] = space
        partitions = sorted(known(space)) if space else [None]
        reasons = reasons_of(assets, partitions, study, look, known)
        for partition in partitions:
            target = Target(key.to_user_string(), partition)
            above = [
                Target(k.to_user_string(), p)
                for k, p in upstream(known, assets, partition)
                if k.to_user_string() in made_here
            ]
            plan.upstream[target] = above
            _place(plan, target, above, reasons.get(partition))
    return plan


def reasons_of(
    assets: dg.AssetsDefinition,
    partitions: Sequence[str | None],
    study: Study,
    look: Look,
    known: Known,
) -> dict[str | None, str]:
    """Tell why partitions of an asset are out of date.

    Parameters
    ----------
    assets : dagster.AssetsDefinition
        Definition of one asset.
    partitions : sequence of (str or None)
    study : Study
    look : callable
        Takes asset and partition, gives its latest materialization.
    known : callable
        Takes the name of partitions, gives their keys.

    Returns
    -------
    dict
        By partition; those that are up to date are left out.
    """
    reasons: dict[str | None, str] = {}
    made: dict[str | None, Materialization] = {}
    parameters = parameters_of(assets, study)
    for partition in partitions:
        found = look(assets.key, partition)
        if found is None:
            reasons[partition] = NEVER_MADE
        elif found.metadata.get("recipe") != recipe(known, look, assets, partition, parameters):
            reasons[partition] = CHANGED
        else:
            made[partition] = found
    needed = _needed(made)
    gone = damaged(uid for uids in needed.values() for uid in uids).keys()
    return reasons | {p: GONE for p, uids in needed.items() if gone & uids}


def _needed(made: Mapping[str | None, Materialization]) -> dict[str | None, set[str]]:
    """Artifacts that have to be there of each partition.

    A step may leave more than Dagster is told of, such as the crops of a field of view.
    """
    runs = {partition: str(found.metadata.get(RUN, "")) for partition, found in made.items()}
    held = held_by(runs.values())
    return {
        partition: held[runs[partition]]
        | {str(found.metadata[name]) for name in (UID, TABLE_UID) if name in found.metadata}
        for partition, found in made.items()
    }


def _place(plan: Plan, target: Target, above: list[Target], reason: str | None) -> None:
    pending = any(one in plan.ready or one in plan.waiting for one in above)
    if reason == NEVER_MADE or (reason and not pending):
        plan.ready[target] = reason
    elif pending:
        plan.waiting.add(target)
    else:
        plan.fresh.add(target)
