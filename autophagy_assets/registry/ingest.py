"""Bringing microscope images in: checked, copied into the store, labelled."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autophagy_assets.analysis.images import check_field
from autophagy_assets.errors import InputError
from autophagy_assets.registry import labels as lab
from autophagy_assets.registry.damage import damaged
from autophagy_assets.registry.fields import RAW_IMAGE, Field, raw_fields, sample_key, study_slug
from autophagy_assets.registry.files import measure
from autophagy_assets.registry.holdings import hashes_of
from autophagy_assets.registry.instance import connect, source_name
from autophagy_assets.registry.labels import labels_of
from autophagy_assets.registry.metadata import FieldRows, read_metadata
from autophagy_assets.registry.provenance import Recorder
from autophagy_assets.registry.runs import Step, transform_key
from autophagy_assets.registry.uids import artifact_uid, slug
from autophagy_assets.study import Study

INGEST = "ingest"


@dataclass
class Ingested:
    """What an ingest did.

    Parameters
    ----------
    fields : list of Field
        Every field of the study that is registered now.
    new_images : int
        Images that were not registered before.
    unchanged_images : int
        Images that were; their labels may have been corrected.
    set_aside : dict
        Name of a field to why its images were not taken.
    """

    fields: list[Field] = field(default_factory=list)
    new_images: int = 0
    unchanged_images: int = 0
    set_aside: dict[str, str] = field(default_factory=dict)


def ingest(
    folder: Path, study: Study, progress: Callable[[str], None] = lambda message: None
) -> Ingested:
    """Register the images of a folder in LaminDB.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``metadata_files.csv`` and the images.
    study : Study
    progress : callable, optional
        Called with the name of each field before its images are read.

    Returns
    -------
    Ingested

    Raises
    ------
    InputError
        If the metadata file is not as it should be, or no field is usable; then nothing
        has been registered. A field whose images are not usable is set aside, and the
        others are registered.
    """
    if source_name() is not None:
        raise InputError(
            f"Datasets are read from {source_name()} (AUTOPHAGY_SOURCE), which is never written "
            "to; unset AUTOPHAGY_SOURCE to ingest images here."
        )
    fields = read_metadata(folder, study)
    done = Ingested()
    recorder = Recorder(
        Step(
            INGEST,
            None,
            None,
            inspect.getsource(ingest),
            "1",
            {"folder": folder.name, "study": study.name},
        )
    )
    known = labels_of(connect().Artifact.filter(ulabels__name=study.name, is_latest=True))
    owners = _owners(study)
    for rows in fields:
        progress(rows.name)
        try:
            images = _usable(rows, study)
            _refuse_again(rows, owners)
        except InputError as error:
            done.set_aside[rows.name] = str(error)
            continue
        for channel, path, labels in images:
            new = _put(recorder, study, rows, channel, path, labels, known)
            done.new_images += new
            done.unchanged_images += not new
    if len(done.set_aside) == len(fields):
        first = next(iter(done.set_aside.values()))
        raise InputError(f"{folder}: none of {len(fields)} fields is usable; the first: {first}")
    if recorder.outputs or done.set_aside != next(iter(_set_aside(study)[::-1]), {}):
        recorder.notes["set_aside"] = done.set_aside
        recorder.finish()
    done.fields = raw_fields(study)
    return done


def set_aside_fields(study: Study) -> dict[str, str]:
    """Fields whose images an ingest did not take and none has taken since.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        Name of a field to the reason.
    """
    reasons: dict[str, str] = {}
    for noted in _set_aside(study):
        reasons |= noted
    taken = {field.name for field in raw_fields(study)}
    return {name: reason for name, reason in reasons.items() if name not in taken}


def _set_aside(study: Study) -> list[dict[str, str]]:
    """What each ingest of a study set aside, the latest last."""
    runs = connect().Run.filter(transform__key=transform_key(INGEST)).order_by("id")
    return [
        (notes or {}).get("set_aside", {})
        for parameters, notes in runs.values_list("params", "extra_data")
        if (parameters or {}).get("study") == study.name
    ]


def _usable(rows: FieldRows, study: Study) -> tuple[tuple[str, Path, dict[str, str]], ...]:
    """Refuse a field that lacks a channel, has one twice, or has a broken image."""
    channels = [channel for channel, _, _ in rows.images]
    for channel in study.channels:
        if (count := channels.count(channel)) != 1:
            what = "no image" if count == 0 else f"{count} images"
            raise InputError(f"Field {rows.name} has {what} for channel {channel}; give it one.")
    check_field({channel: path for channel, path, _ in rows.images})
    return rows.images


def _owners(study: Study) -> dict[frozenset[tuple[str, str]], str]:
    """Name of each registered field by channel and hash of its images."""
    fields = raw_fields(study)
    hashes = hashes_of(uid for field in fields for _, uid in field.images)
    return {frozenset((ch, hashes[uid]) for ch, uid in f.images): f.name for f in fields}


def _refuse_again(rows: FieldRows, owners: dict[frozenset[tuple[str, str]], str]) -> None:
    """Refuse a field whose images are all those of another; else note it as their owner.

    Its cells would be there twice: on both sides of the split, or in two classes.
    """
    images = frozenset((channel, measure(path)[0]) for channel, path, _ in rows.images)
    owner = owners.setdefault(images, rows.name)
    if owner != rows.name:
        raise InputError(
            f"Field {rows.name} has the same images as {owner}. Give it its own; or, if that was "
            f"a wrong name, run autophagy withdraw {owner!r} and ingest again."
        )


def _put(
    recorder: Recorder,
    study: Study,
    rows: FieldRows,
    channel: str,
    path: Path,
    labels: dict[str, str],
    known: dict[str, dict[str, str]],
) -> bool:
    """Register one image unless it is there with the same labels; tell whether it was new."""
    place = rows.labels
    sample = sample_key(place["genotype"], place["cell_line_clone"], place["stimulation"])
    key = f"{study_slug(study)}/raw_images/{sample}/{slug(place['FOV'])}/{slug(channel)}.tif"
    labels = {lab.STUDY: study.name, lab.KIND: RAW_IMAGE, **labels}
    uid = artifact_uid(key, measure(path)[0])
    if uid in known and labels.items() <= known[uid].items() and not damaged([uid]):
        return False
    recorder.put(
        lambda beside: shutil.copyfile(path, beside),
        key,
        f"{RAW_IMAGE} of {rows.name}, {channel}",
        labels,
        kind="dataset",
    )
    return uid not in known
