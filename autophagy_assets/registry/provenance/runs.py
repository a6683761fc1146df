"""LaminDB's record of a run: its transform, environment and inputs, how it began and ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import HeaderParser
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any

from autophagy_assets.registry.store import storage
from autophagy_assets.registry.store.identifiers import artifact_uid, derived
from autophagy_assets.registry.store.instance import source
from autophagy_assets.registry.store.lamin_internals import set_status
from autophagy_assets.registry.store.outputs import Output, folder_of
from autophagy_assets.registry.store.registration import register

REFERENCE_TYPE = "dagster_run_id"
ENVIRONMENT_KEY = "environment/packages.txt"
# What a run notes: which inputs an output was made from, where not from all; and which artifacts
# of an earlier run are part of what it gives.
MADE_FROM, KEPT = "made_from", "kept"


@dataclass(frozen=True)
class Step:
    """A step as its records name it.

    Parameters
    ----------
    asset : str
        Name of the asset, or of the command for work outside Dagster.
    partition : str or None
        Partition key.
    dagster_run : str or None
        Id of the Dagster run.
    code : str
        Source code of the step; a new version of it is a new version of the transform.
    code_version : str
        The asset's code version.
    parameters : mapping
        Parameters of the step, JSON-like.
    """

    asset: str
    partition: str | None
    dagster_run: str | None
    code: str
    code_version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def begin(ln: Any, transform: Any, step: Step, process: str) -> Any:
    """Register a run as started.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    transform : lamindb.Transform
    process : str
        The process that is at work, as it was announced.

    Returns
    -------
    lamindb.Run
    """
    run = ln.Run(
        transform,
        name=f"{step.asset}[{step.partition or ''}]"[:150],
        entrypoint=step.asset,
        params=dict(step.parameters),
        reference=step.dagster_run,
        reference_type=REFERENCE_TYPE if step.dagster_run else None,
        status="started",
    )
    run.extra_data = {
        "asset": step.asset,
        "partition": step.partition,
        "code_version": step.code_version,
        "process": process,
    }
    run.environment = _environment(ln)
    run.save()
    return run


def end(run: Any, status: int) -> None:
    """Register a run as ended now.

    Parameters
    ----------
    run : lamindb.Run
        Within a writing block.
    status : int
        ``FINISHED``, ``ERRORED`` or ``ABORTED``.
    """
    set_status(run, status)
    run.finished_at = datetime.now(UTC)
    run.save()


def link_inputs(ln: Any, run: Any, uids: list[str]) -> None:
    """Note artifacts as inputs of a run; those of a source are transferred first.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    run : lamindb.Run
    uids : list of str
        Full uids, in the store or in the source.
    """
    known = dict(ln.Artifact.filter(uid__in=uids).values_list("uid", "id"))
    for uid in uids:
        if uid not in known:
            # Copies the record under the same uid into the store; the source is only read.
            transferred = source().Artifact.get(uid=uid)
            transferred.save()
            known[uid] = transferred.id
    run.input_artifacts.add(*known.values())


def transform_key(asset: str) -> str:
    """Key of the transform that stands for an asset."""
    return f"autophagy_assets/{asset}"


def find_transform(ln: Any, key: str, code: str) -> Any:
    """Find or create the transform of that key and code.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    code : str
        Source code; a new one is a new version of the transform.

    Returns
    -------
    lamindb.Transform
    """
    stem = derived(12, "transform", key)
    uid = stem + derived(4, "code", code)
    found = ln.Transform.filter(uid=uid).one_or_none()
    if found is not None:
        return found
    latest = ln.Transform.filter(uid__startswith=stem, is_latest=True).one_or_none()
    transform = ln.Transform(
        key=key, kind="pipeline", source_code=code, revises=latest, skip_hash_lookup=True
    )
    transform.uid = uid
    return transform.save()


@cache
def _packages() -> str:
    names = {_name_and_version(distribution) for distribution in distributions()}
    return "\n".join(sorted(names, key=str.lower)) + "\n"


def _name_and_version(distribution: Distribution) -> str:
    # `Distribution.metadata` parses the description too, which takes three times as long.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    fields = HeaderParser().parsestr(text.partition("\n\n")[0])
    return f"{fields['Name']}=={fields['Version']}"


def _environment(ln: Any) -> Any:
    """The installed packages as an artifact: one per environment, shared by its runs."""
    sha256 = hashlib.sha256(_packages().encode()).hexdigest()
    found = ln.Artifact.filter(uid=artifact_uid(ENVIRONMENT_KEY, sha256)).one_or_none()
    if found is not None:
        return found
    folder = folder_of(ENVIRONMENT_KEY)
    file = storage.put(lambda path: path.write_text(_packages()), folder, ".txt")
    output = Output(file, ENVIRONMENT_KEY, "Python packages that steps ran with", {}, "environment")
    return register(ln, [output], None)[0]
