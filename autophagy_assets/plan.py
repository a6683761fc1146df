"""What is out of date, and in which runs to make it.

A target is an asset, or a partition of one. A target is out of date when it was never made,
its recipe (see ``materializations``) has changed, or its file is gone. One that was made
before and depends on another that is about to be made waits: perhaps the new content is the
old one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from autophagy_assets.io_managers.steps import parameters_of, space_of
from autophagy_assets.materializations import (
    RUN,
    TABLE_UID,
    UID,
    Look,
    Materialization,
    looking,
    recipe,
    upstream,
)
from autophagy_assets.registry.holdings import held_by, missing
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


@dataclass(frozen=True)
class Group:
    """Targets that one Dagster run makes.

    Parameters
    ----------
    space : str or None
        Name of the partitions, such as ``sample``.
    partition : str or None
    targets : tuple of Target
        In an order in which they can be made.
    then : tuple of Target
        Of the same partition; they wait for these and for nothing else.
    """

    space: str | None
    partition: str | None
    targets: tuple[Target, ...]
    then: tuple[Target, ...] = ()


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


def make_plan(instance: dg.DagsterInstance, defs: dg.Definitions, study: Study) -> Plan:
    """Look at every target of a study.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    defs : dagster.Definitions
    study : Study

    Returns
    -------
    Plan
    """
    graph, plan = defs.resolve_asset_graph(), Plan()
    look = looking(instance)  # most targets are upstream of several others
    made_here = {key.to_user_string() for key in graph.materializable_asset_keys}
    for key in graph.toposorted_asset_keys:
        if key not in graph.materializable_asset_keys:
            continue
        assets = graph.assets_def_for_key(key)
        space = space_of(assets)
        plan.spaces[key.to_user_string()] = space
        partitions = sorted(instance.get_dynamic_partitions(space)) if space else [None]
        reasons = _reasons(instance, assets, partitions, study, look)
        for partition in partitions:
            target = Target(key.to_user_string(), partition)
            above = [
                Target(k.to_user_string(), p)
                for k, p in upstream(instance, assets, partition)
                if k.to_user_string() in made_here
            ]
            plan.upstream[target] = above
            _place(plan, target, above, reasons.get(partition))
    return plan


def due(
    instance: dg.DagsterInstance, defs: dg.Definitions, study: Study, group: Group
) -> Group | None:
    """Give what waited for a group and is out of date now that the group has been made.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    defs : dagster.Definitions
    study : Study
    group : Group

    Returns
    -------
    Group or None
        None if nothing is.
    """
    graph, look = defs.resolve_asset_graph(), looking(instance)
    for number, target in enumerate(group.then, 1):
        assets = graph.assets_def_for_key(dg.AssetKey(target.asset))
        if _reasons(instance, assets, [target.partition], study, look):
            return Group(group.space, group.partition, (target,), group.then[number:])
    return None


def _reasons(
    instance: dg.DagsterInstance,
    assets: dg.AssetsDefinition,
    partitions: Sequence[str | None],
    study: Study,
    look: Look,
) -> dict[str | None, str]:
    """Why partitions of an asset are out of date; those that are not are left out."""
    reasons: dict[str | None, str] = {}
    made: dict[str | None, Materialization] = {}
    parameters = parameters_of(assets, study)
    for partition in partitions:
        found = look(assets.key, partition)
        if found is None:
            reasons[partition] = NEVER_MADE
        elif found.metadata.get("recipe") != recipe(instance, assets, partition, parameters, look):
            reasons[partition] = CHANGED
        else:
            made[partition] = found
    needed = _needed(made)
    gone = missing(uid for uids in needed.values() for uid in uids)
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


def groups(plan: Plan, targets: Iterable[Target]) -> list[Group]:
    """Divide targets into runs, each of one partition, in an order in which they can be made.

    Parameters
    ----------
    plan : Plan
    targets : iterable of Target
        In an order in which they can be made.

    Returns
    -------
    list of Group
    """
    left, result = dict.fromkeys(targets), list[Group]()
    sharing = _by_run(plan, left)
    waiting = _by_run(plan, (target for target in plan.upstream if target in plan.waiting))
    for first in list(left):
        if first not in left:
            continue
        run, taken = (plan.spaces[first.asset], first.partition), list[Target]()
        for target in sharing[run]:
            if target in left and left.keys().isdisjoint(plan.upstream[target]):
                taken.append(target)
                del left[target]
        then = list[Target]()
        for target in waiting.get(run, []):
            above = plan.upstream[target]
            if all(one in plan.fresh or one in taken or one in then for one in above):
                then.append(target)
        result.append(Group(*run, tuple(taken), tuple(then)))
    return result


def _by_run(
    plan: Plan, targets: Iterable[Target]
) -> dict[tuple[str | None, str | None], list[Target]]:
    """Targets that one run could make, by space and partition."""
    found: dict[tuple[str | None, str | None], list[Target]] = {}
    for target in targets:
        found.setdefault((plan.spaces[target.asset], target.partition), []).append(target)
    return found
