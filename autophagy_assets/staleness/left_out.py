"""Models that could not be made, and assets that are made without them.

A step by model that fails for a reason of its own records it in Dagster's event log, with the key
of what it was made from. As long as that key is the one of now, the model counts as settled: what
puts all models side by side is made without it, says so, and is out of date when the model can be
made. A look at the study (``automation/next_runs``) records the same of what depends on it, and
takes it back when it no longer holds, so a step sees what the look has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from autophagy_assets.staleness.materializations import Materialization, last_events
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS
from autophagy_assets.staleness.upstream import Target, partitions_name

REASON, FAILED_KEY = "autophagy/could_not_be_made", "autophagy/made_from"
_AT_ONCE = 500


@dataclass(frozen=True)
class Observation:
    """Observation of a partition in Dagster: why it could not be made.

    Parameters
    ----------
    reason : str
        Why it could not be made, with the asset that failed where that is another; empty where it
        no longer holds.
    key : str
        Names what it was to be made from; empty if it was not tried, as what it depends on failed.
    number : int
        Where it stands in Dagster's event log.
    """

    reason: str
    key: str
    number: int


def by_model(definition: dg.PartitionsDefinition | None) -> bool:
    """Whether partitions are those of the study's models."""
    return partitions_name(definition) == MODEL_PARTITIONS


def record(instance: dg.DagsterInstance, target: Target, reason: str, key: str = "") -> None:
    """Record that a partition could not be made.

    Parameters
    ----------
    reason : str
        Why; empty where that no longer holds.
    key : str
        As the judge's verdict has it, where it was tried.
    """
    reason = " ".join(reason.split())  # it stands in captions
    instance.report_runless_asset_event(
        dg.AssetObservation(
            target.key,
            partition=target.partition,
            description=f"Could not be made: {reason}" if reason else "Counts as before.",
            metadata={REASON: reason, FAILED_KEY: key},
        )
    )


def newest(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, Observation]:
    """Last observation of every partition of an asset that has any."""
    ids = last_events(instance, asset, dg.DagsterEventType.ASSET_OBSERVATION)
    found: dict[str, Observation] = {}
    for start in range(0, len(ids), _AT_ONCE):
        chosen = ids[start : start + _AT_ONCE]
        found |= _observations(instance, dg.AssetRecordsFilter(asset, storage_ids=chosen))
    return found


def failures_since(
    instance: dg.DagsterInstance, target: Target, number: int
) -> dict[str, Observation]:
    """Failures of a partition after some event, by the key of what it was to be made from."""
    wanted = dg.AssetRecordsFilter(
        target.key, asset_partitions=[target.partition or ""], after_storage_id=number
    )
    records = instance.fetch_observations(wanted, limit=_AT_ONCE).records
    known = [_observation(one) for one in reversed(records)]
    return {one.key: one for one in known if one.key}


def _observations(
    instance: dg.DagsterInstance, wanted: dg.AssetRecordsFilter
) -> dict[str, Observation]:
    records = instance.fetch_observations(wanted, limit=_AT_ONCE).records
    return {str(one.partition_key): _observation(one) for one in records}


def _observation(record: dg.EventLogRecord) -> Observation:
    event = record.asset_observation
    known: dict[str, Any] = {n: v.value for n, v in event.metadata.items()} if event else {}
    return Observation(known.get(REASON, ""), known.get(FAILED_KEY, ""), record.storage_id)


def reason_now(target: Target, seen: Observation | None, made: Materialization | None) -> str:
    """Why a partition counts as one that could not be made; empty where it does not.

    Parameters
    ----------
    seen : Observation or None
        The last one.
    made : Materialization or None
        The last one; one that came later than `seen` counts.
    """
    if seen is None or (made is not None and made.number > seen.number):
        return ""
    return reason_of(target, seen.reason) if seen.key else seen.reason


def reason_of(failed: Target, reason: str) -> str:
    """Why a model could not be made, with the asset that failed."""
    return f"{failed}: {reason}"


def left_out_of(
    graph: Any, assets: dg.AssetsDefinition, above: Iterable[Target], known: Mapping[Target, str]
) -> dict[Target, str]:
    """Partitions of its inputs that an asset is made without, with the reasons.

    Parameters
    ----------
    graph : object
        Dagster's asset graph.
    assets : dagster.AssetsDefinition
        Definition of one asset.
    above : iterable of Target
        What it is made from.
    known : mapping of Target to str
        What could not be made, and why.

    Returns
    -------
    dict
        Models with their reason. None for an asset by model, which is of one model, and none of
        an input of which there would be no model left.
    """
    found: dict[Target, str] = {}
    if by_model(assets.partitions_def):
        return found
    groups: dict[str, list[Target]] = {}
    for target in above:
        if by_model(graph.get(target.key).partitions_def):
            groups.setdefault(target.asset, []).append(target)
    for group in groups.values():
        if any(target not in known for target in group):
            found |= {target: known[target] for target in group if target in known}
    return found
