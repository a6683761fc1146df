"""Fields of view that need not be imaged again, as images, code and parameters are the same.

A field is kept where the sample's latest manifest has it with the same images, the run behind
that manifest imaged its fields as it is done now, and its files are what was recorded.
All of that is on record already, so a manifest has the same content whether its fields were
kept or imaged. A field that was excluded is tried again: what stopped it may lie outside of
its images, such as a worker that was killed.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.assets.imaging.field_files import FILES, SPATIAL, files_of, share_datasets
from autophagy_assets.assets.imaging.manifest import OK, row_of
from autophagy_assets.assets.imaging.method import METHOD, same_method
from autophagy_assets.config.study import Study
from autophagy_assets.errors import IntegrityError
from autophagy_assets.io_managers.parquet import read_table
from autophagy_assets.registry.fields import Field, study_slug
from autophagy_assets.registry.provenance.run_provenance import notes_of
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.identifiers import is_version_of
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.staleness.materializations import HASH, RUN, UID, Materialization

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext


def kept_fields(context: "StudyContext", fields: Iterable[Field]) -> list[dict[str, Any]]:
    """Manifest rows of the fields that are kept as they are.

    Returns
    -------
    list of dict
        Their files, and the manifest that named them, are inputs of the run, verified.
    """
    fields = list(fields)
    earlier = _earlier_rows(context) if fields else {}
    found = [(field, earlier.get(row_of(field)["images"])) for field in fields]
    keep = _Shared(context).keep if share_datasets(context) else partial(_keep, context)
    rows = [keep(field, row) for field, row in found if row is not None]
    return [row for row in rows if row is not None]


def kept_images(before: Materialization, study: Study) -> set[str]:
    """Fields of a manifest that would be kept if its sample was made now, by their images.

    Parameters
    ----------
    before : Materialization
        Of the manifest.

    Returns
    -------
    set of str
        As the column ``images`` of the manifest has them; whether their files are whole is not
        looked at.
    """
    if not same_method(notes_of(before.metadata.get(RUN, "")).get(METHOD, {}), study):
        return set()
    try:
        path, _ = fetch(before.metadata[UID], {"sha256": before.metadata[HASH]})
    except IntegrityError:
        return set()
    return set(_usable_rows(path))


def _earlier_rows(context: "StudyContext") -> dict[str, dict[str, Any]]:
    """Usable rows of the latest manifest by their images; none if it was made differently."""
    if (before := context.before()) is None:
        return {}
    noted = notes_of(before.metadata.get(RUN, "")).get(METHOD, {})
    if not same_method(noted, context.study):
        return {}
    context.study.entries_read.update(noted["study"])
    try:
        path = context.recorder.read(before.metadata[UID], {"sha256": before.metadata[HASH]})
    except IntegrityError as error:
        context.log.warning(f"All fields are imaged again: {error}")
        return {}
    context.recorder.consulted.add(before.metadata[UID])
    return _usable_rows(path)


def _usable_rows(path: Path) -> dict[str, dict[str, Any]]:
    rows = read_table(path).to_dict("records")
    return {row["images"]: row for row in rows if row["status"] == OK and row["images"]}


def _keep(context: "StudyContext", field: Field, row: dict[str, Any]) -> dict[str, Any] | None:
    uids = {name: row[name] for name in (DATASET, SPATIAL)}
    files = files_of(context, [field])
    if not all(is_version_of(uid, files[name].key) for name, uid in uids.items()):
        return None  # of another study
    try:
        context.recorder.keep({uid: files[name].labels for name, uid in uids.items()})
    except IntegrityError as error:
        context.log.warning(f"{field.name}: imaged again: {error}")
        return None
    context.log.info(f"{field.name}: kept, {row['n_cells']} cells")
    return row_of(field) | uids | {"n_cells": row["n_cells"]}


class _Shared:
    """Fields of datasets that may be put together again: each of their files is looked at once."""

    def __init__(self, context: "StudyContext") -> None:
        self._context, self._study = context, study_slug(context.study)
        self._paths: dict[str, Path | None] = {}

    def keep(self, field: Field, row: dict[str, Any]) -> dict[str, Any] | None:
        """Row of a field whose cells need not be found again; it has its ``files``."""
        uids = {name: row[name] for name in (DATASET, SPATIAL)}
        paths = {name: self._verified(uid, field) for name, uid in uids.items()}
        if not all(paths.values()):
            return None
        self._context.log.info(f"{field.name}: kept, {row['n_cells']} cells")
        return row_of(field) | uids | {"n_cells": row["n_cells"], FILES: paths}

    def _verified(self, uid: str, field: Field) -> Path | None:
        """Path of a file of this study; None where it cannot be used."""
        if uid not in self._paths:
            recorder, self._paths[uid] = self._context.recorder, None
            try:
                path = recorder.read(uid)
            except IntegrityError as error:
                self._context.log.warning(f"{field.name}: imaged again: {error}")
                return None
            recorder.consulted.add(uid)
            key = ArtifactKey.parse(recorder.reads[uid].key)
            if key is not None and key.study == self._study:
                self._paths[uid] = path
        return self._paths[uid]
