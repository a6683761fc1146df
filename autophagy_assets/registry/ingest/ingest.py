"""Ingest: images are checked, copied into the store, and labelled."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from autophagy_assets.config.home import Home
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.consistency.damage import damaged
from autophagy_assets.registry.fields import RAW_IMAGE, Field, raw_fields
from autophagy_assets.registry.ingest.comparison import (
    PIXELS,
    Registered,
    duplicates,
    refuse_foreign,
    refuse_replacement,
    refuse_twin_labels,
)
from autophagy_assets.registry.ingest.incoming import NewField, NewImage, read_field
from autophagy_assets.registry.ingest.metadata import FILE_NAME, FieldRows, read_metadata
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step, transform_key
from autophagy_assets.registry.store.artifacts import locate
from autophagy_assets.registry.store.files import remove
from autophagy_assets.registry.store.instance import connect, source_name
from autophagy_assets.registry.store.labels import own_kinds
from autophagy_assets.registry.store.lamin_internals import every_artifact

INGEST = "ingest"
INGEST_LOCK = "ingest.lock"
# In the notes of a run: fields that were not taken, and those taken that once had not been.
EXCLUDED, TAKEN = "excluded", "taken"


@dataclass
class Ingested:
    """Result of an ingest.

    Parameters
    ----------
    fields : list of Field
        Every field of the study that is registered now.
    new_images : int
        Images that were not registered before, or others in their place.
    unchanged_images : int
        Images that were registered before with the same labels.
    corrected_images : int
        Images that were registered before with other labels.
    restored_images : int
        Images that were registered before and whose file in the store was gone or damaged.
    excluded : dict
        Name of a field to why its images were not taken.
    """

    fields: list[Field] = field(default_factory=list)
    new_images: int = 0
    unchanged_images: int = 0
    corrected_images: int = 0
    restored_images: int = 0
    excluded: dict[str, str] = field(default_factory=dict)


def ingest(
    folder: Path,
    study: Study,
    progress: Callable[[str], None] = lambda message: None,
    replace: bool = False,
) -> Ingested:
    """Register the images of a folder in LaminDB.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``metadata_files.csv`` and the images.
    progress : callable, optional
        Called with the name of each field before its images are read.
    replace : bool
        Whether images of a field may take the place of others that are registered.

    Raises
    ------
    InputError
        If the metadata file is not as it should be, no field is usable, a label cannot be
        distinguished from another, or images would be replaced and that was not asked for; then
        nothing has been registered. A field whose images are not usable is excluded, and the others
        are registered.
    OSError
        If the disk is full; then nothing has been registered either, and no copy is left.
    """
    if source_name() is not None:
        raise InputError(
            f"Datasets are read from {source_name()} (AUTOPHAGY_SOURCE), which is never written "
            "to; unset AUTOPHAGY_SOURCE to ingest images here."
        )
    rows = read_metadata(folder, study)
    connect()
    # One at a time from the first look to the last record: two that look at the same moment
    # would each find that nobody else has the pixels.
    with FileLock(Home.locate().locks / INGEST_LOCK):
        return _Ingest(folder, study, replace).run(rows, progress)


class _Ingest:
    """One ingest; whoever runs it holds the lock."""

    def __init__(self, folder: Path, study: Study, replace: bool) -> None:
        self.folder, self.study, self.replace = folder, study, replace
        self.registered = Registered(study)
        self.done = Ingested()
        code, parameters = Path(__file__).read_text(), {"folder": folder.name, "study": study.name}
        self.recorder = Recorder(Step(INGEST, None, None, code, "1", parameters))
        self.recorder.guard = lambda: self.registered.unchanged(study)

    def run(self, fields: list[FieldRows], progress: Callable[[str], None]) -> Ingested:
        """Look at everything, then take what is usable."""
        _refuse_other_features(fields)
        usable = self._usable(fields, progress)
        refuse_twin_labels(usable, self.registered)
        if not self.replace:
            refuse_replacement(usable, self.registered, self.folder)
        try:
            self._take(usable)
        except BaseException as error:
            self._tidy(error)
            raise
        self.done.fields = raw_fields(self.study)
        return self.done

    def _usable(self, fields: list[FieldRows], progress: Callable[[str], None]) -> list[NewField]:
        """Exclude the fields that cannot be taken."""
        read = []
        for rows in fields:
            progress(rows.name)
            try:
                new = read_field(rows, self.study)
                refuse_foreign(new, self.registered)
                read.append(new)
            except InputError as error:
                self.done.excluded[rows.name] = str(error)
        self.done.excluded |= duplicates(read, self.registered)
        usable = [new for new in read if new.name not in self.done.excluded]
        if not usable:
            first = next(iter(self.done.excluded.values()))
            raise InputError(
                f"{self.folder}: none of {len(fields)} fields is usable; the first: {first}"
            )
        return usable

    def _take(self, fields: list[NewField]) -> None:
        own = own_kinds(
            connect(), {kind for image in self.registered.images for kind in image.labels}
        )
        there = [self.registered.at(image) for new in fields for image in new.images]
        # Hashed one and all: this is where a damaged image can be put right.
        faulty = damaged([image.uid for image in there if image is not None], thorough=True)
        for new in fields:
            for image in new.images:
                self._put(new, image, own, faulty.keys())
        excluded, before = self.done.excluded, [n.get(EXCLUDED, {}) for n in _noted(self.study)]
        if self.recorder.outputs or excluded != next(iter(before[::-1]), {}):
            once = {name for noted in before for name in noted}
            taken = [new.name for new in fields if new.name in once]
            self.recorder.notes |= {EXCLUDED: excluded, TAKEN: taken}
            self.recorder.finish()

    def _put(self, new: NewField, image: NewImage, own: set[str], faulty: Set[str]) -> None:
        """Put one image in its place, unless it is there as it should be; count it."""
        path, done = image.path, self.done
        there = self.registered.at(image)
        if there is None or not self.registered.has(image):
            done.new_images += 1
        elif there.uid in faulty:
            done.restored_images += 1
        else:
            known = {kind: name for kind, name in there.labels.items() if kind in own}
            if image.labels.items() <= there.labels.items() and known.keys() <= image.labels.keys():
                done.unchanged_images += 1
                return
            done.corrected_images += 1
            path = locate(there.uid)[0]  # the same pixels, perhaps compressed otherwise
        put = self.recorder.put(
            lambda beside: shutil.copyfile(path, beside),
            image.key,
            f"{RAW_IMAGE} of {new.name}, {image.channel}",
            image.labels,
            kind="dataset",
            notes={PIXELS: image.pixels},
        )
        if path == image.path and put.record.sha256 != image.sha256:
            raise InputError(
                f"{path} has changed while it was ingested: see that nothing writes to "
                f"{self.folder}, and ingest again. Nothing was ingested."
            )

    def _tidy(self, error: BaseException) -> None:
        """Remove the copies that an ingest that failed has made and not registered."""
        with contextlib.suppress(Exception):  # what went wrong first is what a person is shown
            made = {output.record.uid: output.file.path for output in self.recorder.outputs}
            known = every_artifact(connect()).filter(uid__in=list(made))
            for uid in made.keys() - set(known.values_list("uid", flat=True)):
                remove(made[uid])
            if self.recorder.run_uid is not None:
                self.recorder.fail(f"{type(error).__name__}: {error}")


def _refuse_other_features(fields: list[FieldRows]) -> None:
    """Refuse a column whose name LaminDB has for something else than labels."""
    kinds = {kind for rows in fields for *_, labels in rows.images for kind in labels}
    for feature in connect().Feature.filter(name__in=list(kinds)):
        if not str(feature.dtype_as_str).startswith("cat[ULabel"):
            raise InputError(
                f"{FILE_NAME}: column {feature.name!r} has the name of a feature in LaminDB that "
                f"holds {feature.dtype_as_str} and no labels; rename it."
            )


def excluded_fields(study: Study) -> dict[str, str]:
    """Fields whose images an ingest did not take and none has taken since.

    Returns
    -------
    dict
        Name of a field to the reason.
    """
    reasons: dict[str, str] = {}
    for noted in _noted(study):
        since = noted.get(TAKEN, ())  # also those that were withdrawn later
        reasons = {name: reason for name, reason in reasons.items() if name not in since}
        reasons |= noted.get(EXCLUDED, {})
    taken = {field.name for field in raw_fields(study)} if reasons else set()
    return {name: reason for name, reason in reasons.items() if name not in taken}


def _noted(study: Study) -> list[dict[str, Any]]:
    """What is noted of each ingest of a study, the latest last."""
    runs = connect().Run.filter(transform__key=transform_key(INGEST)).order_by("id")
    return [
        notes or {}
        for parameters, notes in runs.values_list("params", "extra_data")
        if (parameters or {}).get("study") == study.name
    ]
