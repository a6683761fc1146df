"""Costs of assets as their materializations recorded them, and the expected cost of more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from autophagy_assets.registry.consistency.run_outputs import sizes_of_runs
from autophagy_assets.staleness.materializations import (
    CORE_SECONDS,
    IMAGED,
    RUN,
    SECONDS,
    WORKER_SECONDS,
    Materialization,
    MaterializationCache,
)
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target

IMAGES, ROWS = "single_cell_images", "dagster/row_count"
Samples = Mapping[Target, frozenset[str]]


@dataclass(frozen=True)
class Cost:
    """What making something takes.

    Parameters
    ----------
    core_seconds : float
        Of processors, s.
    size : float
        In the store, bytes.
    files : float
        In the store.
    """

    core_seconds: float = 0.0
    size: float = 0.0
    files: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.core_seconds + other.core_seconds,
            self.size + other.size,
            self.files + other.files,
        )

    def times(self, factor: float) -> Cost:
        """The cost of so many times as much."""
        return Cost(self.core_seconds * factor, self.size * factor, self.files * factor)


@dataclass(frozen=True)
class Measured:
    """A recorded cost, and the number of fields of view that it was for."""

    cost: Cost
    fields: float


def cost_of_imaging(found: Iterable[Materialization]) -> dict[Any, Measured]:
    """Costs of runs that imaged fields; the latest one of a sample may have kept them all."""
    imaged = {one.number: (one, _imaged(one)) for one in found}
    imaged = {number: pair for number, pair in imaged.items() if pair[1]}
    costs = _costs(one for one, _ in imaged.values())
    return {number: Measured(costs[number], n) for number, (_, n) in imaged.items()}


def _imaged(found: Materialization) -> int:
    known = found.metadata.get(IMAGED)
    if known is None and CORE_SECONDS not in found.metadata:  # of an earlier release
        known = found.metadata.get(ROWS)
    return int(known or 0)


def cost_of_others(
    asset: str,
    plan: Plan,
    made: MaterializationCache,
    samples: Samples,
) -> dict[Any, Measured]:
    """Costs of the latest materializations of an asset, by target."""
    targets = [target for target in plan.upstream if target.asset == asset]
    found = {t: one for t in targets if (one := made(t.key, t.partition)) is not None}
    manifests = {
        sample: manifest
        for sample in frozenset[str]().union(*(samples[target] for target in found))
        if (manifest := made(dg.AssetKey(IMAGES), sample)) is not None
    }
    costs = _costs(found.values())
    return {
        target: Measured(
            costs[one.number],
            sum(
                int(manifests[sample].metadata.get(ROWS) or 0)
                for sample in samples[target]
                # What has been imaged since was no part of it.
                if sample in manifests and manifests[sample].number < one.number
            ),
        )
        for target, one in found.items()
    }


def _costs(found: Iterable[Materialization]) -> dict[int, Cost]:
    """Cost of each materialization, by its number."""
    every = list(found)
    sizes = sizes_of_runs(str(one.metadata.get(RUN, "")) for one in every)
    return {
        one.number: Cost(_core_seconds(one), *sizes[str(one.metadata.get(RUN, ""))])
        for one in every
    }


def _core_seconds(found: Materialization) -> float:
    # An earlier release recorded the seconds of the clock alone.
    own = found.metadata.get(CORE_SECONDS, found.metadata.get(SECONDS, 0.0))
    return float(own) + float(found.metadata.get(WORKER_SECONDS, 0.0))


def expected(
    fields: dict[Target, int], measured: dict[Any, Measured], by_sample: bool
) -> tuple[Cost | None, Cost | None]:
    """Lower and upper estimate of the cost of targets; None where nothing was measured."""
    if not measured:
        return None, None
    every = _sum(one.cost for one in measured.values())
    n_fields = sum(one.fields for one in measured.values())
    if by_sample and n_fields:
        in_proportion = every.times(sum(fields.values()) / n_fields)
        return in_proportion, in_proportion
    usual = Measured(every.times(1 / len(measured)), n_fields / len(measured))
    known = {target: measured.get(target, usual) for target in fields}

    def scaled(choose: Callable[[float, float], float]) -> Cost:
        return _sum(
            one.cost.times(choose(1.0, fields[target] / one.fields if one.fields else 1.0))
            for target, one in known.items()
        )

    return scaled(min), scaled(max)


def _sum(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())
