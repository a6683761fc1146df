"""Whether Dagster, LaminDB and the storage agree, and repairing what is safe to repair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from autophagy_assets.assets.imaging.finished_fields import hashes_of_finished_fields
from autophagy_assets.automation.dead_runs import check_runs
from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency import records as consistency
from autophagy_assets.registry.consistency.loose_files import GRACE_S, check_loose
from autophagy_assets.registry.consistency.loose_objects import check_loose_objects
from autophagy_assets.registry.consistency.records import Disagreement
from autophagy_assets.registry.consistency.run_outputs import artifacts_of_runs
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.retire import field_keys, stale
from autophagy_assets.registry.store.instance import connect, source, source_name
from autophagy_assets.staleness.materializations import (
    RUN,
    STORED,
    UID,
    latest,
)
from autophagy_assets.staleness.partitions import (
    GENOTYPE_PARTITIONS,
    KNOCKOUT_PARTITIONS,
    MODEL_PARTITIONS,
    SAMPLE_PARTITIONS,
)


def reconcile(
    instance: dg.DagsterInstance,
    fix: bool = False,
    grace_s: float = GRACE_S,
    study: Study | None = None,
) -> list[Disagreement]:
    """Compare Dagster's materializations, LaminDB and storage; repair what is safe.

    Parameters
    ----------
    fix : bool
        Repair. Deleted are only temporary files, and files that neither LaminDB nor Dagster
        knows.
    grace_s : float
        In a store that other machines write to, files younger than this are left alone, in s.
    study : Study, optional
        Look also for results that no longer follow from the images of that study.

    Returns
    -------
    list of Disagreement
        All that did not agree. What is left for a person has ``fixed=False``.
    """
    materialized = list(_materialized(instance))
    needed = {sha256 for made in materialized for sha256 in made.hashes.values()}
    needed |= hashes_of_finished_fields()
    # Deleting first: on a full disk all else fails.
    disagreements = [
        *check_loose(fix, needed, grace_s),
        *check_loose_objects(fix, needed, grace_s),
        *check_runs(instance, fix),
        *consistency.check_uploads(fix),
        *consistency.check_latest(fix),
    ]
    broken = dict(consistency.check_records(fix))
    there = [made for made in materialized if not made.gone]
    disagreements += [*broken.values(), *_check_materializations(there, broken)]
    if study is not None:
        disagreements += _check_stale(instance, study)
    if fix:
        consistency.forget_processes(process for *_, process in consistency.started_runs())
    return disagreements


def unrepaired(disagreements: list[Disagreement]) -> list[Disagreement]:
    """Disagreements that were not repaired."""
    return [disagreement for disagreement in disagreements if not disagreement.fixed]


@dataclass(frozen=True)
class _Made:
    """A materialization: its name, and hash by uid of all that its step left.

    ``gone`` says that it is of a partition that there is no longer: what was left of it may be
    brought back, and nobody is to make it again.
    """

    name: str
    hashes: dict[str, str]
    gone: bool


def _materialized(instance: dg.DagsterInstance) -> Iterator[_Made]:
    known = _known_partitions(instance)
    for asset in sorted(instance.get_asset_keys()):
        partitions: list[str | None] = [*sorted(instance.get_materialized_partitions(asset))]
        for partition in partitions or [None]:
            found = latest(instance, asset, partition)
            if found is None or UID not in found.metadata:
                continue
            hashes = {
                str(found.metadata[uid]): str(found.metadata[sha256])
                for uid, sha256 in STORED
                if uid in found.metadata
            }
            run = str(found.metadata.get(RUN, ""))
            more = dict.fromkeys(sorted(artifacts_of_runs([run])[run]), "")
            name = asset.to_user_string() + (f"[{partition}]" if partition else "")
            yield _Made(name, more | hashes, partition not in (None, *known))


def _known_partitions(instance: dg.DagsterInstance) -> set[str]:
    names = (SAMPLE_PARTITIONS, GENOTYPE_PARTITIONS, KNOCKOUT_PARTITIONS, MODEL_PARTITIONS)
    return {key for name in names for key in instance.get_dynamic_partitions(name)}


def _check_stale(instance: dg.DagsterInstance, study: Study) -> Iterator[Disagreement]:
    known = _known_partitions(instance)
    partitions = {asset.to_user_string(): known for asset in instance.get_asset_keys()}
    for one in stale(study, partitions, field_keys(study, raw_fields(study))):
        problem = "it is found as the latest, and its images are no longer in the study"
        yield Disagreement("stale", one.key, problem, "run 'autophagy refresh', which retires it")


def _check_materializations(
    materialized: list[_Made], broken: dict[str, Disagreement]
) -> Iterator[Disagreement]:
    wanted = [uid for made in materialized for uid in made.hashes]
    known = set(connect().Artifact.filter(uid__in=wanted).values_list("uid", flat=True))
    if source_name() is not None:
        known |= set(source().Artifact.filter(uid__in=wanted).values_list("uid", flat=True))
    for made in materialized:
        for uid in made.hashes:
            if uid not in known:
                problem = f"its artifact {uid} is gone from LaminDB"
            elif uid in broken:
                problem = f"the file of its artifact {uid} is gone or has changed"
            else:
                continue
            remedy = "run 'autophagy refresh', or materialize it in Dagster"
            yield Disagreement("materialization", made.name, problem, remedy)
