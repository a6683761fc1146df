"""Reporting the registry to Dagster: partitions, and versions of external assets.

Raw images, tables and datasets of another instance, and answers of people are not made by Dagster.
Each is an external asset whose data version says which artifacts it is now, so that all which
depends on it is out of date when that changes and not before.
"""

from json import dumps, loads
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from autophagy_assets.analysis.quality.fields import fields_excluded
from autophagy_assets.checks.definition import metadata_of
from autophagy_assets.checks.imaging import REFUSED
from autophagy_assets.config.study import Study
from autophagy_assets.registry.state import (
    ANNOTATION_FILES,
    EXCLUDED_FIELDS,
    RAW_IMAGES,
    SOURCE_DATASETS,
    SOURCE_FEATURES,
    RegistryState,
    version_of,
)
from autophagy_assets.staleness import partitions
from autophagy_assets.staleness.materializations import latest, version_tags, versions
from autophagy_assets.staleness.upstream import Target


def sync(
    instance: dg.DagsterInstance, study: Study, registry: RegistryState | None = None
) -> list[str]:
    """Fill the partitions, and report external assets that are new or changed.

    Parameters
    ----------
    registry : RegistryState, optional
        What LaminDB has from outside; read now by default.

    Returns
    -------
    list of str
        What was reported, such as ``raw_images[...]``; empty where nothing changed.
    """
    registry = registry or RegistryState(study)
    # Where the featurized table of a genotype is there already, its imaging is not run.
    samples = {s for s in registry.samples if partitions.genotype_of(s) not in registry.tables}
    partitions.fill(instance, study, samples, set(registry.tables))
    reported = _report_all(instance, registry, RAW_IMAGES, sorted(samples))
    reported += _report_all(instance, registry, SOURCE_FEATURES, sorted(registry.tables))
    for asset in (SOURCE_DATASETS, ANNOTATION_FILES, EXCLUDED_FIELDS):
        known = latest(instance, dg.AssetKey(asset), None)
        if known is not None or registry.contents(asset, None):
            reported.append(
                _report(instance, registry, asset, None, known.version if known else None)
            )
    if reported and reported[-1] == EXCLUDED_FIELDS:
        report_refused(instance, registry)
    return [name for name in reported if name]


def report_refused(instance: dg.DagsterInstance, registry: RegistryState) -> None:
    """Report the check of fields that were refused at ingest; no step makes them.

    Nothing makes ``excluded_fields``, so no run would include its check.
    """
    asset, finding = dg.AssetKey(EXCLUDED_FIELDS), fields_excluded(registry.refused)
    record = instance.fetch_materializations(asset, limit=1).records[0]
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=REFUSED,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.WARN,
            description=finding.sentence,
            metadata=metadata_of(finding),
            target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
            ),
            blocking=False,
        )
    )


def _report_all(
    instance: dg.DagsterInstance, registry: RegistryState, asset: str, keys: list[str]
) -> list[str | None]:
    # One query, however many samples there are: sensors ask every minute.
    known = versions(instance, dg.AssetKey(asset))
    return [_report(instance, registry, asset, key, known.get(key)) for key in keys]


def _report(
    instance: dg.DagsterInstance,
    registry: RegistryState,
    asset: str,
    partition: str | None,
    known: str | None,
) -> str | None:
    """Report the version of an external asset or of its partition, if it has changed."""
    contents = registry.contents(asset, partition) or []
    version = registry.version(asset, partition) or version_of([])
    if version == known:
        return None
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=asset,
            partition=partition,
            metadata={
                "count": len(contents),
                "contents": dg.MetadataValue.json(_finite(contents)),
            },
            tags=version_tags(version),
        )
    )
    return str(Target(asset, partition))


def _finite(contents: Any) -> Any:
    """JSON-like contents without NaN, which JSON does not have."""
    return loads(dumps(contents, default=str), parse_constant=lambda _: None)
