"""Fields of view that a run had finished before it was cut off: they need not be imaged again.

A sample is registered when all of its fields are done. Until then, a line of a file in the home
says of each field that is finished: its images, how it was imaged, and the files that are in the
store. A run that comes after a killed one takes them over, verified; when a sample has been
registered, its file goes.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.assets.imaging.field_files import add_files
from autophagy_assets.assets.imaging.manifest import row_of
from autophagy_assets.assets.imaging.method import METHOD, method_of, same_method
from autophagy_assets.config.home import Home
from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.store.files import StoredFile
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets.registry.store.storage import verify

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

FOLDER = "finished_fields"  # in the home


def remember(
    context: "StudyContext", field: Field, files: Mapping[str, StoredFile], n_cells: int
) -> None:
    """Note that a field is finished.

    Parameters
    ----------
    files : mapping of str to StoredFile
        By the column of the manifest that names them; in the store.
    """
    line = {
        "images": row_of(field)["images"],
        METHOD: method_of(context.study, context.study.entries_read).as_json(),
        "n_cells": n_cells,
        "files": {
            name: [str(file.path.relative_to(storage_root())), file.sha256, file.size]
            for name, file in files.items()
        },
    }
    place = _file_of(context)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def finished_fields(context: "StudyContext", fields: list[Field]) -> list[dict[str, Any]]:
    """Take over the fields that a run had finished before it was cut off.

    Returns
    -------
    list of dict
        Rows of the manifest.
    """
    lines, rows = {line["images"]: line for line in _lines(_file_of(context))}, []
    for field in fields:
        line = lines.get(row_of(field)["images"])
        if line is None or not same_method(line[METHOD], context.study):
            continue
        files = _verified(line["files"])
        if files is None:
            continue
        context.study.entries_read.update(line[METHOD]["study"])
        context.log.info(f"{field.name}: finished before, {line['n_cells']} cells")
        rows.append(row_of(field) | add_files(context, field, files, line["n_cells"]))
    return rows


def forget_finished(context: "StudyContext") -> None:
    """Remove the notes on the fields of a sample once it has been registered."""
    place = _file_of(context)
    context.recorder.afterwards.append(lambda: place.unlink(missing_ok=True))


def hashes_of_finished_fields() -> set[str]:
    """Hashes of files in the store that belong to a sample which is not registered yet."""
    places = (Home.locate().root / FOLDER).glob("*.jsonl")
    lines = (line for place in places for line in _lines(place))
    return {sha256 for line in lines for _, sha256, _ in line["files"].values()}


def _file_of(context: "StudyContext") -> Path:
    return Home.locate().root / FOLDER / f"{derived(20, context.partition)}.jsonl"


def _lines(place: Path) -> Iterator[dict[str, Any]]:
    if not place.exists():
        return
    for text in place.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):  # the last line of a run that was killed
            yield json.loads(text)


def _verified(files: Mapping[str, list[Any]]) -> dict[str, StoredFile] | None:
    found = {}
    for name, (path, sha256, size) in files.items():
        found[name] = StoredFile(storage_root() / path, sha256, size)
        try:
            verify(found[name].path, sha256, name)
        except IntegrityError:
            return None
    return found
