"""The recipe of a materialization: a fingerprint of all that determines its content.

That is code version, parameters, and the data version of every upstream asset and partition.
An asset whose recipe has not changed need not be made again. Dagster's own staleness looks at
the same things, but not across an edge with 100 or more upstream partitions, and it follows
every partition of an upstream asset where we need only some.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from json import dumps
from typing import Any

import dagster as dg

from autophagy_assets.staleness.materializations import Look
from autophagy_assets.staleness.partitions import SAMPLE_SPACE, genotype_of

Known = Callable[[str], Iterable[str]]
_AND = "+"  # between a code version and the parameters


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
    partitions: Known, assets: dg.AssetsDefinition, partition: str | None
) -> Iterator[tuple[dg.AssetKey, str | None]]:
    """Upstream assets and partitions that an asset's partition is made from.

    Parameters
    ----------
    partitions : callable
        Takes the name of partitions, gives their keys.
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
            for key in sorted(partitions(space)):
                if partition is None or space != SAMPLE_SPACE or genotype_of(key) == partition:
                    yield dep.asset_key, key
        else:
            yield dep.asset_key, partition


def recipe(
    partitions: Known,
    look: Look,
    assets: dg.AssetsDefinition,
    partition: str | None,
    parameters: Any,
) -> str:
    """Fingerprint of all that determines the content of an asset's partition.

    Parameters
    ----------
    partitions : callable
        Takes the name of partitions, gives their keys.
    look : callable
        Takes asset and partition, gives what :func:`latest` gives.
    assets : dagster.AssetsDefinition
        Definition of one asset.
    partition : str or None
    parameters : object
        JSON-like parameters of the step.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    versions = []
    for key, upstream_partition in upstream(partitions, assets, partition):
        found = look(key, upstream_partition)
        versions.append([key.to_user_string(), upstream_partition, found and found.version])
    parts = [code_version_of(assets), parameters, versions]
    return sha256(dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]
