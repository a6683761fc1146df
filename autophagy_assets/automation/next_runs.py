"""Which runs are launched next, by what the judge says and what is at work already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

import dagster as dg

from autophagy_assets.automation.asset_definitions import asset_definitions
from autophagy_assets.automation.dead_runs import end_dead_runs
from autophagy_assets.automation.home_study import require
from autophagy_assets.automation.requests import (
    REQUEST_TAG,
    Request,
    in_progress,
    launchable,
    requests,
)
from autophagy_assets.automation.sync import sync
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency.run_outputs import batches
from autophagy_assets.registry.ingest.retire import field_keys, retire
from autophagy_assets.registry.state import RegistryState
from autophagy_assets.staleness.judge import Judge
from autophagy_assets.staleness.materializations import MaterializationCache
from autophagy_assets.staleness.plan import Plan, make_plan, record_left_out
from autophagy_assets.staleness.upstream import Target, partitions_name


@dataclass(frozen=True)
class Look:
    """State of a study at one moment, limited to some groups of assets.

    Parameters
    ----------
    defs : dagster.Definitions
        Of the study.
    chosen : set of str
        Assets that may be made.
    busy : set of Target
        What runs are making, or are about to make.
    registry : RegistryState
        What LaminDB has from outside.
    made : MaterializationCache
        What Dagster knew of all assets.
    """

    study: Study
    defs: dg.Definitions
    plan: Plan
    chosen: set[str]
    busy: set[Target]
    registry: RegistryState
    made: MaterializationCache

    @property
    def held(self) -> set[Target]:
        """Targets that cannot be made, as what they depend on is out of date in another group."""
        stopped = self.plan.downstream_of(t for t in self.plan.ready if t.asset not in self.chosen)
        return {t for t in stopped if t.asset in self.chosen and t not in self.plan.fresh}

    @property
    def todo(self) -> list[Target]:
        """Targets that are out of date and can be made."""
        held = self.held
        return [t for t in self.plan.ready if t.asset in self.chosen and t not in held]

    @property
    def requests(self) -> list[Request]:
        """Requests whose runs could begin now."""
        return self._launchable(self.todo)

    @property
    def untried(self) -> list[Request]:
        """Those requests, without models that have failed with the present inputs."""
        return self._launchable(t for t in self.todo if t not in self.plan.left_out)

    def _launchable(self, targets: Iterable[Target]) -> list[Request]:
        return launchable(self.plan, requests(self.plan, targets), self.busy)


def look(
    instance: dg.DagsterInstance,
    study_file: str | None,
    groups: Collection[str] | None = None,
    *,
    verify: bool = False,
    queued: bool = True,
    before: Look | None = None,
) -> Look:
    """Judge everything by the study file, the registry and the runs as they are now.

    Parameters
    ----------
    study_file : str or None
        As for :meth:`~autophagy_assets.config.study.Study.load`.
    groups : collection of str, optional
        Dagster groups of the assets that may be made; default all.
    verify : bool
        Read every file and compare it with its hash.
    queued : bool
        Count what waits in Dagster's queue as at work.
    before : Look, optional
        The last one of the same refresh: what was not made since is not asked for again.
    """
    study, defs = Study.load(study_file), asset_definitions(study_file)
    if instance.is_persistent:
        require(study.name)
    end_dead_runs(instance)
    busy = set(in_progress(instance, queued))  # before the plan: what ends meanwhile is looked at
    registry = RegistryState(study, thorough=verify)
    sync(instance, study, registry)
    _retire(instance, study, defs, registry)
    judge = Judge(instance, defs, study, registry, verify, before.made if before else None)
    plan = make_plan(judge)
    record_left_out(instance, plan)
    return Look(study, defs, plan, assets_of(defs, groups), busy, registry, judge.made)


def _retire(
    instance: dg.DagsterInstance, study: Study, defs: dg.Definitions, registry: RegistryState
) -> None:
    """Take what no longer follows from the registered images out of what people find."""
    graph, there = defs.resolve_asset_graph(), {}
    known = cache(lambda name: set(instance.get_dynamic_partitions(name)))
    for key in graph.materializable_asset_keys:
        if (name := partitions_name(graph.get(key).partitions_def)) is not None:
            there[key.to_user_string()] = known(name)
    retire(study, there, field_keys(study, registry.fields))


def assets_of(defs: dg.Definitions, groups: Collection[str] | None) -> set[str]:
    """Assets that are made in some groups.

    Parameters
    ----------
    groups : collection of str or None
        None for all.
    """
    graph = defs.resolve_asset_graph()
    return {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if groups is None or graph.get(key).group_name in groups
    }


def not_tried(
    instance: dg.DagsterInstance, plan: Plan, wanted: Iterable[Request], **tags: str
) -> list[Request]:
    """Leave out requests of which there is a run already.

    Parameters
    ----------
    **tags
        Which the run has beside that of the request.
    """
    keys, tried = {request.key(plan): request for request in wanted}, set[str]()
    for some in batches(keys):
        found = instance.get_runs(dg.RunsFilter(tags={REQUEST_TAG: some, **tags}))
        tried |= {run.tags[REQUEST_TAG] for run in found}
    return [request for key, request in keys.items() if key not in tried]
