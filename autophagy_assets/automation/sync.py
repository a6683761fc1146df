"""Telling Dagster what the registry has: partitions, and versions of what comes from outside.

Raw images, and tables and datasets of another instance, are not made by Dagster. Each is
an external asset whose data version says which artifacts it is now, so that all which
depends on it is out of date when that changes and not before.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.data_version import (
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
)

from autophagy_assets.analysis.fields import fields_set_aside
from autophagy_assets.checks.definition import metadata_of
from autophagy_assets.checks.imaging import REFUSED
from autophagy_assets.registry.datasets import UNKNOWN, featurized_tables, foreign_datasets
from autophagy_assets.registry.fields import raw_fields, sample_key
from autophagy_assets.registry.ingest import set_aside_fields
from autophagy_assets.registry.uids import slug
from autophagy_assets.staleness import partitions
from autophagy_assets.staleness.materializations import latest, versions
from autophagy_assets.study import Study


def sync(instance: dg.DagsterInstance, study: Study) -> list[str]:
    """Fill the partitions and report what is new or changed outside Dagster.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    study : Study

    Returns
    -------
    list of str
        What was reported, such as ``raw_images[...]``; empty where nothing changed.
    """
    tables = {slug(label): uid for label, uid in featurized_tables(study).items()}
    images: dict[str, list[str]] = {}
    for field in raw_fields(study):
        images.setdefault(field.sample, []).extend(uid for _, uid in field.images)
    known = foreign_datasets(study)
    for row in known[known["genotype"] != UNKNOWN].itertuples():
        sample = sample_key(row.genotype, row.clone, row.stimulation)
        images.setdefault(sample, []).append(row.dataset)
    # Where the featurized table of a genotype is there already, its imaging is not run.
    samples = {s for s in images if partitions.genotype_of(s) not in tables}
    partitions.fill(instance, study, samples, set(tables))
    reported = report_all(instance, "raw_images", {s: images[s] for s in sorted(samples)})
    reported += report_all(instance, "source_features", {g: [uid] for g, uid in tables.items()})
    reasons = [f"{name}: {reason}" for name, reason in set_aside_fields(study).items()]
    if reasons or latest(instance, dg.AssetKey("set_aside_fields"), None):
        reported.append(report(instance, "set_aside_fields", None, reasons, "reasons"))
        if reported[-1]:
            tell_refused(instance, study)
    return [name for name in reported if name]


def tell_refused(instance: dg.DagsterInstance, study: Study) -> None:
    """Tell the check of the fields that were refused at ingest, without a step.

    Nothing makes ``set_aside_fields``, so no run would include its check.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    study : Study
    """
    asset, finding = dg.AssetKey("set_aside_fields"), fields_set_aside(set_aside_fields(study))
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


def report_all(
    instance: dg.DagsterInstance, asset: str, contents: Mapping[str, Iterable[str]]
) -> list[str | None]:
    """Report the versions of all partitions of an external asset, of those that have changed.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    asset : str
    contents : mapping
        Partition to what it is, as for :func:`report`.

    Returns
    -------
    list of (str or None)
        What was reported.
    """
    # One query, however many samples there are: sensors ask every minute.
    known = versions(instance, dg.AssetKey(asset))
    return [_tell(instance, asset, p, each, known.get(p)) for p, each in contents.items()]


def report(
    instance: dg.DagsterInstance,
    asset: str,
    partition: str | None,
    contents: Iterable[str],
    called: str = "lamindb/uids",
) -> str | None:
    """Report the version of an external asset or of its partition, if it has changed.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    asset : str
    partition : str or None
    contents : iterable of str
        What it is, such as the uids of its artifacts; a uid names a content, so the uids are
        the version.
    called : str
        What the contents are called in Dagster's metadata.

    Returns
    -------
    str or None
        What was reported.
    """
    before = latest(instance, dg.AssetKey(asset), partition)
    known = before.version if before is not None else None
    return _tell(instance, asset, partition, contents, known, called)


def _tell(
    instance: dg.DagsterInstance,
    asset: str,
    partition: str | None,
    contents: Iterable[str],
    known: str | None,
    called: str = "lamindb/uids",
) -> str | None:
    members = sorted(contents)
    version = sha256("\n".join(members).encode()).hexdigest()[:32]
    if version == known:
        return None
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=asset,
            partition=partition,
            metadata={"count": len(members), called: dg.MetadataValue.json(members)},
            tags={DATA_VERSION_TAG: version, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"},
        )
    )
    return f"{asset}[{partition}]" if partition else asset
