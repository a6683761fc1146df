"""Datasets that several fields of view of a sample share, where the study file says so.

Fields are imaged one by one, and are put together when all of a sample are done. A dataset whose
fields are what they were is kept; of others the cells are copied, and none is found again.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET, FIRST_ID
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.assets.imaging.field_files import ALONE, FILES, SPATIAL, FieldFile, files_of
from autophagy_assets.assets.imaging.field_work import put_fields_together
from autophagy_assets.assets.imaging.fields import in_order
from autophagy_assets.assets.imaging.manifest import OK, row_of
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.shared_datasets import FIELDS, IMAGES, dataset_places, fields_of
from autophagy_assets.registry.store.artifacts import find
from autophagy_assets.registry.store.files import remove
from autophagy_assets.registry.store.identifiers import is_version_of
from autophagy_assets.registry.store.outputs import place_of
from autophagy_assets.registry.store.storage import publish
from autophagy_assets.staleness.code import code_of

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

Rows = list[dict[str, Any]]
CODE = "code"  # noted with a dataset


def put_in_datasets(
    context: "StudyContext", fields: list[Field], rows: Rows, scratch: Path
) -> Rows:
    """Merge the fields of a sample into datasets, and queue these for registration.

    Parameters
    ----------
    fields : list of Field
        Of the sample.
    rows : list of dict
        Rows of the manifest; a field with single cells has its ``files``.
    scratch : pathlib.Path
        Folder of the store for files that are not finished.

    Returns
    -------
    list of dict
        The rows with the datasets; other rows as they are.

    Raises
    ------
    InputError
        If fields cannot share a dataset.
    """
    own = {row[IMAGES]: row for row in rows if row["status"] == OK and FILES in row}
    members: dict[str, list[Field]] = {}
    for field, place in dataset_places(context.study, fields).items():
        if row_of(field)[IMAGES] in own:
            members.setdefault(place, []).append(field)
    jobs, new = [], []
    for place, some in members.items():
        files, found = files_of(context, some, place), [own[row_of(f)[IMAGES]] for f in some]
        _refuse_resolutions(place, found)
        if (noted := _noted(context, files, some, found)) is not None:
            kept = {found[0][name]: file.labels for name, file in files.items()}
            context.recorder.keep(kept)
            context.recorder.consulted.difference_update(kept)
            _fill(found, {name: found[0][name] for name in files}, noted)
        else:
            parts = tuple(_part(field, row) for field, row in zip(some, found, strict=True))
            jobs.append((parts, {name: place_of(file.key) for name, file in files.items()}))
            new.append((files, some, found))
    put = partial(put_fields_together, scratch=scratch)
    made = in_order(context, put, jobs) if jobs else []
    for (files, some, found), (noted, stored) in zip(new, made, strict=True):
        noted = [n | {IMAGES: _images(f)} for n, f in zip(noted, some, strict=True)]
        for file in stored.values():
            publish(file)
        _fill(found, {n: _add(context, stored[n], files[n], n, noted) for n in files}, noted)
    _tidy(context, own.values())
    return [{name: value for name, value in row.items() if name != FILES} for row in rows]


def _refuse_resolutions(place: str, rows: Rows) -> None:
    """See that a dataset has one size of a pixel, as all of it is measured by that."""
    if len(sizes := sorted({str(row["pixel_um"]) for row in rows})) > 1:
        raise InputError(
            f"Fields of view of {place} have pixels of {', '.join(sizes)} µm, and a dataset has "
            "one size: correct the resolution, or leave storage.fields_per_dataset at 1."
        )


def _images(field: Field) -> list[str]:
    return [uid for _, uid in field.images]


def _noted(
    context: "StudyContext", files: dict[str, FieldFile], fields: list[Field], rows: Rows
) -> Rows | None:
    """What is noted of the fields of a dataset that is as it would come out; else None."""
    uids = {tuple(row[name] for name in files) for row in rows}
    if len(uids) > 1 or not all(is_version_of(rows[0][n], file.key) for n, file in files.items()):
        return None
    notes = find(rows[0][DATASET]).extra_data
    if not context.study.pin_code and (notes or {}).get(CODE) != _code():
        return None
    noted = fields_of(notes)
    there = [(one["fov"], one[IMAGES]) for one in noted]
    return noted if there == [(field.fov, _images(field)) for field in fields] else None


def _code() -> str:
    """What fields would be put together with now: the code, and versions of libraries."""
    from autophagy_assets.analysis.imaging.together import put_together

    return code_of(put_together).version


def _part(field: Field, row: dict[str, Any]) -> FieldFiles:
    """Where the cells of a field are, as its row has it."""
    noted = fields_of(find(row[DATASET]).extra_data) if row[DATASET] else []
    labels = {tuple(one[IMAGES]): one["fov"] for one in noted}
    within = labels[tuple(_images(field))] if noted else None
    return FieldFiles(field.fov, row[FILES][DATASET], row[FILES][SPATIAL], within)


def _add(context: "StudyContext", stored: Any, file: FieldFile, name: str, noted: Rows) -> str:
    return context.recorder.add(
        stored,
        file.key,
        file.description,
        file.labels,
        kind="dataset",
        rows=sum(one["n_cells"] for one in noted) if name == DATASET else None,
        made_from=tuple(uid for one in noted for uid in one[IMAGES]),
        notes={FIELDS: noted, CODE: _code()},
    ).record.uid


def _fill(rows: Rows, uids: dict[str, str], noted: Rows) -> None:
    for row, one in zip(rows, noted, strict=True):
        row |= {**uids, FIRST_ID: one[FIRST_ID], "n_cells": one["n_cells"]}


def _tidy(context: "StudyContext", rows: Any) -> None:
    """Have files removed that were of one field, once the datasets are registered."""
    alone = [
        path for row in rows for path in row[FILES].values() if path.parent.parent.name == ALONE
    ]
    context.recorder.afterwards += [partial(remove, path) for path in alone]
