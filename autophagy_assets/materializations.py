"""What Dagster remembers of an asset: its latest materialization, and the recipe of it.

The *recipe* of a materialization is a fingerprint of all that determines its content:
code version, parameters, and the data version of every upstream asset and partition. An
asset whose recipe has not changed need not be made again. Dagster's own staleness looks
at the same things, but not across an edge with 100 or more upstream partitions, and it
follows every partition of an upstream asset where we need only some.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from json import dumps
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from autophagy_assets.partitions import SAMPLE_SPACE, genotype_of

UID, KEY, HASH, SIZE = "lamindb/uid", "lamindb/key", "sha256", "size_bytes"
RECIPE, RUN, CAPTION, TABLE_UID, TABLE_HASH = (
    "recipe",
    "lamindb/run",
    "caption",
    "lamindb/table_uid",
    "table_sha256",
)
PARAMETERS, SECONDS = "autophagy/parameters", "seconds"
_AT_ONCE = 500  # events in one query
_AND = "+"  # between a code version and the parameters


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
    """

    version: str
    metadata: dict[str, Any]
    run_id: str
    timestamp: float


Look = Callable[[dg.AssetKey, str | None], Materialization | None]


def latest(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str | None
) -> Materialization | None:
    """Latest materialization of an asset or partition.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    asset : dagster.AssetKey
    partition : str or None

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


def _materialization(record: dg.EventLogRecord) -> Materialization | None:
    if (event := record.asset_materialization) is None:
        return None
    return Materialization(
        version=(event.tags or {}).get(DATA_VERSION_TAG, ""),
        metadata={name: value.value for name, value in event.metadata.items()},
        run_id=record.run_id,
        timestamp=record.timestamp,
    )


def versions(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, str]:
    """Data version of the latest materialization of every partition of an asset, in one query.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    asset : dagster.AssetKey

    Returns
    -------
    dict
        By partition.
    """
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG]
    )
    return {partition: known[DATA_VERSION_TAG] for partition, known in tags.items()}


def looking(instance: dg.DagsterInstance) -> Look:
    """A look at many materializations: each asset is asked for once, with all its partitions.

    Parameters
    ----------
    instance : dagster.DagsterInstance

    Returns
    -------
    callable
        Takes asset and partition, gives what :func:`latest` gives, as it was at the first look
        at the asset.
    """

    @cache
    def partitions_of(asset: dg.AssetKey) -> dict[str | None, Materialization | None]:
        made = dg.DagsterEventType.ASSET_MATERIALIZATION
        ids = sorted(instance.get_latest_storage_id_by_partition(asset, made).values())
        found: dict[str | None, Materialization | None] = {}
        for start in range(0, len(ids), _AT_ONCE):
            chosen = ids[start : start + _AT_ONCE]
            wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=chosen)
            for record in instance.fetch_materializations(wanted, limit=_AT_ONCE).records:
                found[record.partition_key] = _materialization(record)
        return found

    @cache
    def look(asset: dg.AssetKey, partition: str | None) -> Materialization | None:
        if partition is None:
            return latest(instance, asset, None)
        return partitions_of(asset).get(partition)

    return look


def with_parameters(assets: dg.AssetsDefinition, parameters: Any) -> dg.AssetsDefinition:
    """Tell Dagster the parameters of an asset as a part of its code version.

    So that the asset page calls it out of date, and the automation asks for it, when the study
    file has changed. Dagster itself looks at code versions and contents only.

    Parameters
    ----------
    assets : dagster.AssetsDefinition
        Definition of one asset.
    parameters : object
        JSON-like; empty for an asset without parameters.

    Returns
    -------
    dagster.AssetsDefinition
    """
    if not parameters:
        return assets
    told = sha256(dumps(parameters, sort_keys=True).encode()).hexdigest()[:8]
    return assets.map_asset_specs(
        lambda spec: spec.replace_attributes(code_version=f"{spec.code_version}{_AND}{told}")
    )


def code_version_of(assets: dg.AssetsDefinition) -> str:
    """Code version of an asset, without its parameters.

    Parameters
    ----------
    assets : dagster.AssetsDefinition
        Definition of one asset.

    Returns
    -------
    str
    """
    return str(assets.code_versions_by_key[assets.key]).partition(_AND)[0]


def upstream(
    instance: dg.DagsterInstance, assets: dg.AssetsDefinition, partition: str | None
) -> Iterator[tuple[dg.AssetKey, str | None]]:
    """Upstream assets and partitions that an asset's partition is made from.

    Parameters
    ----------
    instance : dagster.DagsterInstance
        Knows the dynamic partitions.
    assets : dagster.AssetsDefinition
        Definition of one asset.
    partition : str or None

    Yields
    ------
    tuple of (dagster.AssetKey, str or None)
    """
    spec = next(iter(assets.specs))
    spaces = assets.metadata_by_key[assets.key].get("autophagy/upstream_spaces", {})
    for dep in sorted(spec.deps, key=lambda dep: dep.asset_key):
        space = spaces.get(dep.asset_key.to_user_string())
        mapping = dep.partition_mapping
        if space is None:
            yield dep.asset_key, None
        elif isinstance(mapping, dg.SpecificPartitionsPartitionMapping):
            for key in mapping.partition_keys:
                yield dep.asset_key, key
        elif isinstance(mapping, dg.AllPartitionMapping):
            for key in sorted(instance.get_dynamic_partitions(space)):
                if partition is None or space != SAMPLE_SPACE or genotype_of(key) == partition:
                    yield dep.asset_key, key
        else:
            yield dep.asset_key, partition


def recipe(
    instance: dg.DagsterInstance,
    assets: dg.AssetsDefinition,
    partition: str | None,
    parameters: Any,
    look: Look | None = None,
) -> str:
    """Fingerprint of all that determines the content of an asset's partition.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    assets : dagster.AssetsDefinition
        Definition of one asset.
    partition : str or None
    parameters : object
        JSON-like parameters of the step.
    look : callable, optional
        Takes asset and partition, gives what :func:`latest` gives; for a caller that asks for
        many recipes and looks at each asset once.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    versions = []
    for key, upstream_partition in upstream(instance, assets, partition):
        if look is not None:
            found = look(key, upstream_partition)
        else:
            found = latest(instance, key, upstream_partition)
        versions.append([key.to_user_string(), upstream_partition, found and found.version])
    parts = [code_version_of(assets), parameters, versions]
    return sha256(dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]
