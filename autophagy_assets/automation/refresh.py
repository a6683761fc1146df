"""Making what is out of date, and nothing else.

Runs of samples, which segment images, go on in several processes at once; all others take
a second or so and run here, one after the other. Each is an ordinary Dagster run.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import dagster as dg
from filelock import FileLock, Timeout

from autophagy_assets.assets.imaging import GROUP as IMAGING
from autophagy_assets.assets.report import LAST_REFRESH
from autophagy_assets.automation.launcher import run_groups
from autophagy_assets.automation.requests import Group, groups
from autophagy_assets.automation.sync import sync
from autophagy_assets.errors import InputError
from autophagy_assets.home import Home, dagster_instance
from autophagy_assets.staleness.materializations import Looking
from autophagy_assets.staleness.partitions import GENOTYPE_SPACE, SAMPLE_SPACE, control_of
from autophagy_assets.staleness.plan import Plan, Target, make_plan
from autophagy_assets.study import Study

Progress = Callable[[Target, str], None]


@dataclass
class Refreshed:
    """What a refresh did.

    Parameters
    ----------
    made : list of Target
    failed : dict
        Target to what went wrong.
    skipped : set of Target
        Not made because what they depend on failed.
    fresh : int
        Number of targets that are up to date, those just made among them.
    held : set of Target
        Out of date, or perhaps so, and not made because what they depend on is out of date and
        was not to be made.
    """

    made: list[Target] = field(default_factory=list)
    failed: dict[Target, str] = field(default_factory=dict)
    skipped: set[Target] = field(default_factory=set)
    fresh: int = 0
    held: set[Target] = field(default_factory=set)


def refresh(
    study: Study,
    defs: dg.Definitions,
    progress: Progress = lambda target, state: None,
    workers: int | None = None,
    parts: Collection[str] | None = None,
) -> Refreshed:
    """Bring every asset of a study up to date.

    Parameters
    ----------
    study : Study
    defs : dagster.Definitions
    progress : callable, optional
        Called with a target and ``"planned"``, ``"running"``, ``"made"`` or ``"failed"``.
    workers : int, optional
        Processes that image samples; default as many as this machine can run.
    parts : collection of str, optional
        Dagster groups of the assets that may be made; default all. What depends on others that
        are out of date is held up.

    Returns
    -------
    Refreshed

    Raises
    ------
    InputError
        If there is nothing to work on, no control, or another refresh is running.
    """
    home = Home.locate()
    home.prepare()
    try:
        with FileLock(home.locks / "refresh.lock", timeout=0):
            instance = dagster_instance(capture=False)
            sync(instance, study)
            # Samples can be imaged before the control is there; nothing else can be made.
            if parts is None or set(parts) != {IMAGING}:
                _require_control(instance, study)
            done = _refresh(instance, defs, study, progress, workers, parts)
            if parts is None and not done.failed:
                _report_refreshed(instance, done)
            return done
    except Timeout as error:
        raise InputError(
            f"Another refresh of {home.root} is running; wait for it to end."
        ) from error


def _require_control(instance: dg.DagsterInstance, study: Study) -> None:
    known = instance.get_dynamic_partitions(GENOTYPE_SPACE)
    if not known:
        raise InputError(
            f"Study {study.name!r} has no images yet; run 'autophagy ingest DIR' first, or set "
            "AUTOPHAGY_SOURCE to an instance that has them."
        )
    if control_of(study) not in known:
        raise InputError(
            f"Study {study.name!r} has no images of its control {study.control!r}, only of "
            f"{', '.join(sorted(known))}; ingest them, or name the control in the study file."
        )


def _refresh(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    study: Study,
    progress: Progress,
    workers: int | None,
    parts: Collection[str] | None = None,
) -> Refreshed:
    done = Refreshed()
    attempted: set[Target] = set()
    chosen, look = _assets_of(defs, parts), Looking(instance)
    while True:
        plan = make_plan(instance, defs, study, look)
        done.held = plan.downstream_of(t for t in plan.ready if t.asset not in chosen)
        done.held = {t for t in done.held if t.asset in chosen and t not in plan.fresh}
        left_alone = attempted | done.held | plan.downstream_of(done.failed)
        todo = [t for t in plan.ready if t.asset in chosen and t not in left_alone]
        for target in todo:
            progress(target, "planned")
        for batch in _batches(groups(plan, todo), chosen):
            attempted.update(target for group in batch for target in group.targets)
            ran = _run_batch(batch, plan, defs, instance, done, progress, workers)
            attempted |= ran
            for asset in {target.asset for target in ran}:
                look.forget(dg.AssetKey(asset))
        # Only what waited may be out of date once the rest has been made.
        if not todo or not plan.waiting:
            done.skipped = plan.downstream_of(done.failed) - set(done.made)
            done.fresh = len(plan.fresh.union(done.made))
            return done


def _assets_of(defs: dg.Definitions, parts: Collection[str] | None) -> set[str]:
    graph = defs.resolve_asset_graph()
    return {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if parts is None or graph.get(key).group_name in parts
    }


def _report_refreshed(instance: dg.DagsterInstance, done: Refreshed) -> None:
    """Tell Dagster that everything is up to date: the assets that are so are not made again."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            LAST_REFRESH, metadata={"made": len(done.made), "up to date": done.fresh}
        )
    )


def _batches(planned: list[Group], chosen: set[str]) -> list[list[Group]]:
    """Groups of samples may run at the same time; every other group runs alone."""
    samples = [
        replace(group, then=tuple(target for target in group.then if target.asset in chosen))
        for group in planned
        if group.space == SAMPLE_SPACE
    ]
    others = [[group] for group in planned if group.space != SAMPLE_SPACE]
    return [samples, *others] if samples else others


def _run_batch(
    batch: list[Group],
    plan: Plan,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    done: Refreshed,
    progress: Progress,
    workers: int | None,
) -> set[Target]:
    """Run groups and note what became of their targets, which it gives."""
    blocked = plan.downstream_of(done.failed)
    batch = [
        replace(group, targets=left)
        for group in batch
        if (left := tuple(target for target in group.targets if target not in blocked))
    ]
    told = {target for group in batch for target in group.targets}
    for target in (target for group in batch for target in group.targets):
        progress(target, "running")
    for group, errors in run_groups(batch, defs, instance, workers):
        for target in group.targets:
            if target not in told:
                told.add(target)
                progress(target, "planned")
        late = plan.downstream_of(errors)
        for target in group.targets:
            if target in errors:
                done.failed[target] = errors[target]
                progress(target, "failed")
            elif target not in late:
                done.made.append(target)
                progress(target, "made")
    return told
