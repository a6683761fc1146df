"""Taking fields of view out of a study, in a way that can be undone."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from difflib import get_close_matches

from autophagy_assets.errors import InputError
from autophagy_assets.registry.artifacts import describe
from autophagy_assets.registry.fields import Field, raw_fields
from autophagy_assets.registry.instance import source_name, writing
from autophagy_assets.registry.provenance import Recorder
from autophagy_assets.registry.runs import Step
from autophagy_assets.study import Study

WITHDRAW = "withdraw"


def withdraw(names: Collection[str], study: Study) -> list[Field]:
    """Move the images of fields of view to LaminDB's trash, all versions of them.

    Files and lineage of what was made of them stay, and ingesting them again brings them back.

    Parameters
    ----------
    names : collection of str
        As messages call fields: ``genotype, clone, stimulation, field of view``.
    study : Study

    Returns
    -------
    list of Field
        Those that were withdrawn.

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
    known = {field.name: field for field in raw_fields(study)}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.0)
            hint = f"; near are {'; '.join(map(repr, near))}" if near else ""
            raise InputError(f"Study {study.name!r} has no field of view {name!r}{hint}.")
    fields = [known[name] for name in dict.fromkeys(names)]
    told = {"fields": [field.name for field in fields], "study": study.name}
    recorder = Recorder(Step(WITHDRAW, None, None, inspect.getsource(withdraw), "1", told))
    recorder.start()
    with writing() as ln:
        for uid in (uid for field in fields for _, uid in field.images):
            recorder.reads[uid] = describe(ln.Artifact.get(uid=uid))
            ln.Artifact.filter(uid__startswith=uid[:16]).delete(permanent=False)
    recorder.finish()
    return fields
