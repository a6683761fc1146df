"""In which Dagster runs targets are made."""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from autophagy_assets.staleness.materializations import Looking
from autophagy_assets.staleness.plan import Plan, Target, reasons_of
from autophagy_assets.study import Study


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
    graph, look = defs.resolve_asset_graph(), Looking(instance)
    for number, target in enumerate(group.then, 1):
        assets = graph.assets_def_for_key(dg.AssetKey(target.asset))
        if reasons_of(assets, [target.partition], study, look, instance.get_dynamic_partitions):
            return Group(group.space, group.partition, (target,), group.then[number:])
    return None
