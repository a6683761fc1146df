"""Latest materializations of assets in Dagster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import (
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
)

from autophagy_assets.staleness.fingerprint import Fingerprint

UID, KEY, HASH, SIZE = "lamindb/uid", "lamindb/key", "sha256", "size_bytes"
FINGERPRINT, RUN, CAPTION, TABLE_UID, TABLE_HASH = (
    "autophagy/made_with",
    "lamindb/run",
    "caption",
    "lamindb/table_uid",
    "table_sha256",
)
CLAIMS_UID, CLAIMS_HASH = "lamindb/claims_uid", "claims_sha256"
# Files of a materialization: names of the metadata that hold uid and hash.
STORED = ((UID, HASH), (TABLE_UID, TABLE_HASH), (CLAIMS_UID, CLAIMS_HASH))
SECONDS = "seconds"
# What a step has cost: seconds of the processor in its own process and in its workers, and the
# fields of view that it imaged, which may be fewer than those it has.
CORE_SECONDS, WORKER_SECONDS, IMAGED = "core_seconds", "core_seconds_of_workers", "fields_imaged"
_AT_ONCE = 500  # events in one query


@dataclass(frozen=True)
class Materialization:
    """The latest materialization of an asset or of one partition of it.

    Parameters
    ----------
    version : str
        Data version: the hash of the content.
    metadata : dict
        Metadata values by name.
    run_id : str
        Dagster run.
    timestamp : float
        Seconds since the epoch.
    number : int
        Where it stands in Dagster's event log; a later one has a larger number.
    """

    version: str
    metadata: dict[str, Any]
    run_id: str
    timestamp: float
    number: int = 0

    @property
    def fingerprint(self) -> Fingerprint | None:
        """What it was made with; None for what an earlier release has made."""
        return Fingerprint.from_json(self.metadata.get(FINGERPRINT))


Latest = Callable[[dg.AssetKey, str | None], Materialization | None]
_Seen = dict[str | None, Materialization | None]


def latest(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str | None
) -> Materialization | None:
    """Latest materialization of an asset or partition.

    Returns
    -------
    Materialization or None
        None if there is none.
    """
    wanted = dg.AssetRecordsFilter(
        asset_key=asset, asset_partitions=[partition] if partition is not None else None
    )
    records = instance.fetch_materializations(wanted, limit=1).records
    return _materialization(records[0]) if records else None


def recent(
    instance: dg.DagsterInstance, asset: dg.AssetKey, limit: int = _AT_ONCE
) -> list[Materialization]:
    """Latest materializations of an asset, whatever their partition, the newest first."""
    records = instance.fetch_materializations(asset, limit=limit).records
    return [found for record in records if (found := _materialization(record)) is not None]


def _materialization(record: dg.EventLogRecord) -> Materialization | None:
    if (event := record.asset_materialization) is None:
        return None
    return Materialization(
        version=(event.tags or {}).get(DATA_VERSION_TAG, ""),
        metadata={name: value.value for name, value in event.metadata.items()},
        run_id=record.run_id,
        timestamp=record.timestamp,
        number=record.storage_id,
    )


def versions(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, str]:
    """Data version of the latest materialization of every partition of an asset, in one query.

    Returns
    -------
    dict
        By partition.
    """
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG]
    )
    return {partition: known[DATA_VERSION_TAG] for partition, known in tags.items()}


def last_events(
    instance: dg.DagsterInstance, asset: dg.AssetKey, kind: dg.DagsterEventType
) -> list[int]:
    """Where the last event of a kind of every partition of an asset stands in the event log."""
    return sorted(instance.get_latest_storage_id_by_partition(asset, kind).values())


def version_tags(version: str) -> dict[str, str]:
    """Tags by which an event that no step reports says which data version there is."""
    return {DATA_VERSION_TAG: version, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"}


class MaterializationCache:
    """Cache of the latest materializations of assets, with one query for each asset.

    Parameters
    ----------
    before : MaterializationCache, optional
        What was seen a moment ago: it still holds of assets of which nothing was made since.
    """

    def __init__(
        self, instance: dg.DagsterInstance, before: MaterializationCache | None = None
    ) -> None:
        self._instance = instance
        self._seen: dict[dg.AssetKey, _Seen] = before._still_so() if before else {}

    def __call__(self, asset: dg.AssetKey, partition: str | None) -> Materialization | None:
        """What :func:`latest` gives, as it was at the first look at the asset."""
        if asset not in self._seen:
            self._seen[asset] = (
                {None: latest(self._instance, asset, None)}
                if partition is None
                else self._partitions_of(asset)
            )
        return self._seen[asset].get(partition)

    def forget(self, asset: dg.AssetKey) -> None:
        """Ask Dagster for an asset again, as it has been made meanwhile."""
        self._seen.pop(asset, None)

    def _still_so(self) -> dict[dg.AssetKey, _Seen]:
        """What was seen of those assets whose last materialization is the same, in one query."""
        last: dict[dg.AssetKey, Materialization | None] = {}
        for record in self._instance.get_asset_records(list(self._seen)) if self._seen else ():
            entry = record.asset_entry
            newest = entry.last_materialization_record
            last[entry.asset_key] = _materialization(newest) if newest else None
        return {key: seen for key, seen in self._seen.items() if _newest(seen) == last.get(key)}

    def _partitions_of(self, asset: dg.AssetKey) -> _Seen:
        ids = last_events(self._instance, asset, dg.DagsterEventType.ASSET_MATERIALIZATION)
        found: _Seen = {}
        for start in range(0, len(ids), _AT_ONCE):
            chosen = ids[start : start + _AT_ONCE]
            wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=chosen)
            for record in self._instance.fetch_materializations(wanted, limit=_AT_ONCE).records:
                found[record.partition_key] = _materialization(record)
        return found


def _newest(seen: _Seen) -> Materialization | None:
    made = [one for one in seen.values() if one is not None]
    return max(made, key=lambda one: one.number, default=None)
