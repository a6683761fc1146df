"""Cost estimate of a refresh: what it would make, and the expected time, disk space and files.

Estimated from the cost and the number of fields of view that earlier materializations have
recorded. Nothing is assumed: what was never made here has no estimate, and is listed as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from autophagy_assets.assets.imaging.kept_fields import kept_images
from autophagy_assets.assets.imaging.manifest import row_of
from autophagy_assets.automation.costs import (
    IMAGES,
    Cost,
    Samples,
    cost_of_imaging,
    cost_of_others,
    expected,
)
from autophagy_assets.automation.next_runs import Look
from autophagy_assets.staleness.materializations import MaterializationCache, recent
from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target


@dataclass(frozen=True)
class Entry:
    """What would be made of an asset.

    Parameters
    ----------
    ready : int
        Partitions that are out of date.
    waiting : int
        Partitions that stay as they are if what they are made from comes out as it was.
    fields : int
        Fields of view that would be imaged, or from which it is made.
    least, most : Cost or None
        As much as the last time, and in proportion to the fields of view: the lesser and the
        greater of the two. None where nothing was measured.
    measured : int
        Partitions whose cost was measured.
    by_sample : bool
        Whether it is made in several processes at once, at a cost in proportion to its fields.
    """

    asset: str
    ready: int
    waiting: int
    fields: int
    least: Cost | None
    most: Cost | None
    measured: int
    by_sample: bool


def estimate_cost(state: Look, instance: dg.DagsterInstance) -> list[Entry]:
    """Estimate what a refresh would make now, and the cost from recorded costs.

    Returns
    -------
    list of Entry
        An entry for each asset of which something would be made, in the order of making.
    """
    plan, made = state.plan, MaterializationCache(instance)
    wanted: dict[str, list[Target]] = defaultdict(list)
    for target in plan.upstream:
        if target in plan.ready or target in plan.waiting:
            wanted[target.asset].append(target)
    samples, registered = samples_of(plan), _registered(state)
    entries = []
    for asset, targets in wanted.items():
        if asset == IMAGES:
            measured = cost_of_imaging(recent(instance, targets[0].key))
            fields = fields_to_image(state, targets, made)
        else:
            measured = cost_of_others(asset, plan, made, samples)
            fields = {t: sum(registered.get(s, 0) for s in samples[t]) for t in targets}
        by_sample = plan.partitions_of[asset] == SAMPLE_PARTITIONS
        least, most = expected(fields, measured, by_sample)
        entries.append(
            Entry(
                asset=asset,
                ready=sum(target in plan.ready for target in targets),
                waiting=sum(target in plan.waiting for target in targets),
                fields=_distinct(fields, samples, registered, asset),
                least=least,
                most=most,
                measured=len(measured),
                by_sample=by_sample,
            )
        )
    return entries


def samples_of(plan: Plan) -> dict[Target, frozenset[str]]:
    """Samples whose fields of view a target is made from, near or far."""
    found: dict[Target, frozenset[str]] = {}
    for target, above in plan.upstream.items():
        own = [target.partition] if target.asset == IMAGES and target.partition else []
        found[target] = frozenset(own).union(*(found.get(one, frozenset()) for one in set(above)))
    return found


def fields_to_image(
    state: Look, targets: Iterable[Target], made: MaterializationCache
) -> dict[Target, int]:
    """Count the fields of view of samples that would be imaged, and not kept as they are.

    Parameters
    ----------
    targets : iterable of Target
        Manifests of samples.
    """
    images: dict[str, list[str]] = defaultdict(list)
    for field in state.registry.fields:
        images[field.sample].append(row_of(field)["images"])
    found = {}
    for target in targets:
        before, there = made(target.key, target.partition), images[target.partition or ""]
        kept = kept_images(before, state.study) if before is not None else set()
        # Where all are as they were, a file is damaged: of one field, as far as is known.
        found[target] = len(set(there) - kept) or min(1, len(there))
    return found


def _registered(state: Look) -> dict[str, int]:
    """Fields of view by sample, here and in the source."""
    return {sample: len(known) for sample, known in state.registry.samples.items()}


def _distinct(
    fields: dict[Target, int],
    samples: Samples,
    registered: dict[str, int],
    asset: str,
) -> int:
    """Fields of view behind some targets, each counted once."""
    if asset == IMAGES:
        return sum(fields.values())
    behind = frozenset[str]().union(*(samples[target] for target in fields))
    return sum(registered.get(sample, 0) for sample in behind)
