"""Registration of stored files as artifacts, each the latest version of its key.

A step on many fields of view leaves many files at once, so whatever can be asked or written for
all of them together is. A file of a key that nobody has had cannot be anything but its first
version; only the others are looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autophagy_assets.registry.store import storage
from autophagy_assets.registry.store.labelling import attach
from autophagy_assets.registry.store.labels import Labels
from autophagy_assets.registry.store.lamin_internals import (
    TRASH,
    every_artifact,
    is_in_trash,
)
from autophagy_assets.registry.store.outputs import Output

_AT_ONCE = 500  # uids, keys or rows in one statement


def register(ln: Any, outputs: Sequence[Output], run: Any) -> list[Any]:
    """Register files as artifacts, each as the latest version of its key.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    outputs : sequence of Output
        Files that are whole and in their place.
    run : lamindb.Run or None
        What made them.

    Returns
    -------
    list of lamindb.Artifact
        For each file a new version; or, for content that the key had before, that version made
        latest again, with the run noted as one that made it again.
    """
    for output in outputs:
        storage.require(output.file)
    times, taken = Counter(output.key for output in outputs), _taken(ln, outputs)
    first = [o for o in outputs if times[o.key] == 1 and not {o.key, o.record.uid} & taken]
    made = [_new(ln, output, run, None) for output in first]
    ln.Artifact.objects.bulk_create(made, batch_size=_AT_ONCE)
    storage.place(made)
    by_key = {output.key: artifact for output, artifact in zip(first, made, strict=True)}
    artifacts = [by_key.get(o.key) or _register_again(ln, o, run) for o in outputs]
    attach(ln, [(a, output.labels) for a, output in zip(artifacts, outputs, strict=True)])
    return artifacts


def keep(ln: Any, labels: Mapping[str, Labels]) -> None:
    """Make earlier artifacts the latest of their keys again, with present labels.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    labels : mapping
        Uid to labels.
    """
    every = every_artifact(ln)
    kept = [one for some in _some(list(labels)) for one in every.filter(uid__in=some)]
    latest: dict[str, set[str]] = {}
    for some in _some([artifact.key for artifact in kept]):
        rows = every.filter(key__in=some, is_latest=True).values_list("key", "uid")
        for key, uid in rows:
            latest.setdefault(key, set()).add(uid)
    for artifact in kept:
        if is_in_trash(artifact) or latest.get(artifact.key) != {artifact.uid}:
            make_latest(ln, artifact)
    if lost := labels.keys() - {artifact.uid for artifact in kept}:
        ln.Artifact.get(uid=min(lost))  # which says that it is not there
    attach(ln, [(artifact, labels[artifact.uid]) for artifact in kept])


def _taken(ln: Any, outputs: Sequence[Output]) -> set[str]:
    """Those keys and uids of files that an artifact has, of whatever branch."""
    found = set[str]()
    for some in _some(outputs):
        uids, keys = [output.record.uid for output in some], [output.key for output in some]
        found |= set(every_artifact(ln).filter(uid__in=uids).values_list("uid", flat=True))
        found |= set(every_artifact(ln).filter(key__in=keys).values_list("key", flat=True))
    return found


def _some(every: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))


def _new(ln: Any, output: Output, run: Any, revises: Any) -> Any:
    """Artifact of a file, which is yet to be saved."""
    artifact = ln.Artifact(
        output.file.path,
        key=output.key,
        description=output.description,
        kind=output.kind,
        run=run or False,
        revises=revises,
        skip_hash_lookup=True,
        overwrite_versions=False,
    )
    artifact.uid = output.record.uid
    artifact.n_observations = output.rows
    artifact.schema = output.schema
    artifact.extra_data = dict(output.notes) or None
    return artifact


def _register_again(ln: Any, output: Output, run: Any) -> Any:
    """Register a file whose key, or whose content under that key, may be known."""
    wanted = output.record
    artifact = ln.Artifact.filter(uid=wanted.uid).one_or_none()
    if artifact is None:
        family = ln.Artifact.filter(key=output.key, uid__startswith=wanted.uid[:16])
        latest = family.filter(is_latest=True).one_or_none()
        artifact = _new(ln, output, run, latest).save()
        storage.place([artifact])
        _demote_others(ln, artifact)
        return artifact
    make_latest(ln, artifact)
    _correct(ln, artifact, output)
    if run is not None and artifact.run_id != run.id:
        artifact.recreating_runs.add(run)
    return artifact


def make_latest(ln: Any, artifact: Any) -> None:
    """Make an earlier artifact the latest of its key again.

    Parameters
    ----------
    ln : module
        ``lamindb``, inside a writing block.
    artifact : lamindb.Artifact
    """
    if is_in_trash(artifact):
        artifact.restore()
    _demote_others(ln, artifact)
    if not artifact.is_latest:
        ln.Artifact.filter(uid=artifact.uid).update(is_latest=True)


def _demote_others(ln: Any, artifact: Any) -> None:
    """Leave one latest version of a key, also counting those in the trash.

    LaminDB leaves a withdrawn version marked as the latest; brought back, it would be a second one.
    """
    family = every_artifact(ln).filter(key=artifact.key, uid__startswith=artifact.uid[:16])
    family = family.filter(branch_id__in=(artifact.branch_id, TRASH), is_latest=True)
    family.exclude(uid=artifact.uid).update(is_latest=False)


def _correct(ln: Any, artifact: Any, output: Output) -> None:
    """Take over what is now known of content that was there before."""
    notes = {**(artifact.extra_data or {}), **output.notes} or None
    if (artifact.description, artifact.extra_data) != (output.description, notes):
        ln.Artifact.filter(uid=artifact.uid).update(
            description=output.description, extra_data=notes
        )
