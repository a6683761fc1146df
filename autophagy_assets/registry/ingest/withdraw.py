"""Withdrawing fields of view from a study; can be undone."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from filelock import FileLock

from autophagy_assets.config.home import Home
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_images
from autophagy_assets.registry.ingest.ingest import INGEST_LOCK
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.store.artifacts import describe
from autophagy_assets.registry.store.instance import connect, source_name, writing

WITHDRAW = "withdraw"


def withdraw(names: Collection[str], study: Study) -> list[str]:
    """Move the images of fields of view to LaminDB's trash, all versions of them.

    Files and lineage of what was made of them stay, and ingesting them again brings them back.

    Parameters
    ----------
    names : collection of str
        As messages call fields: ``genotype, clone, stimulation, field of view``.

    Returns
    -------
    list of str
        Names of those that were withdrawn.

    Raises
    ------
    InputError
        If the study has no field of such a name, or reads its images from another instance; then
        nothing has been withdrawn.
    """
    if source_name() is not None:
        raise InputError(
            f"Images are read from {source_name()} (AUTOPHAGY_SOURCE), which is never written to; "
            "withdraw them there."
        )
    connect()
    with FileLock(Home.locate().locks / INGEST_LOCK):
        return _withdraw(dict.fromkeys(names), study)


def _withdraw(names: Collection[str], study: Study) -> list[str]:
    # Image by image: a field with two images for a channel is no field, and has to go.
    known: dict[str, list[str]] = {}
    for image in raw_images(study):
        known.setdefault(image.field, []).append(image.uid)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.0)
            hint = f"; near are {'; '.join(map(repr, near))}" if near else ""
            raise InputError(f"Study {study.name!r} has no field of view {name!r}{hint}.")
    parameters = {"fields": list(names), "study": study.name}
    recorder = Recorder(Step(WITHDRAW, None, None, Path(__file__).read_text(), "1", parameters))
    recorder.start()
    uids = [uid for name in names for uid in known[name]]
    with writing() as ln:
        for uid in uids:  # before the first goes: two may be versions of one key
            recorder.reads[uid] = describe(ln.Artifact.get(uid=uid))
        for uid in uids:
            ln.Artifact.filter(uid__startswith=uid[:16]).delete(permanent=False)
    recorder.finish()
    return list(names)
