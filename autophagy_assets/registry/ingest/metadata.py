"""The metadata file of a study: one row per image, read and checked before anything is done."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autophagy_assets.analysis.features.tables import measured
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, PREDICTION
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.datasets import RESOLUTION
from autophagy_assets.registry.ingest.spreadsheet import read_cells
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.labels import KIND, NUMBERS, PLAIN, STUDY

FILE_NAME = "metadata_files.csv"
PATH = "image_path"
FIELD_COLUMNS = ["genotype", "cell_line_clone", "stimulation", "FOV"]
REQUIRED = [PATH, *FIELD_COLUMNS, "channel"]
# A label of such a kind would be taken for the column of a table of cells, which is no label.
_TAKEN = {*IDENTITY, CLASS, *METADATA, *PREDICTION} - set(FIELD_COLUMNS)
# Three of them name the folder of a sample, and file systems take 255 bytes.
_LONGEST_LABEL = 80
_LONGEST_NAME = 150  # of any label and kind of label in LaminDB
_FINEST, _COARSEST = 0.01, 20.0  # µm per px: coarser, a cell is a pixel
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?|[0-9]+\.", re.IGNORECASE)


@dataclass(frozen=True)
class FieldRows:
    """Rows of one field of view.

    Parameters
    ----------
    labels : dict
        Label columns that all rows share.
    images : tuple of (str, pathlib.Path, dict)
        Channel, image file and the labels of that row.
    """

    labels: dict[str, str]
    images: tuple[tuple[str, Path, dict[str, str]], ...]

    @property
    def name(self) -> str:
        """Name of the field in messages."""
        return ", ".join(self.labels[column] for column in FIELD_COLUMNS)


def read_metadata(folder: Path, study: Study) -> list[FieldRows]:
    """Read the metadata file of a folder of images.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``metadata_files.csv``; image paths in it are relative to the folder.
    study : Study
        Which stimulations and channels are known.

    Returns
    -------
    list of FieldRows
        Sorted by their labels. Whether the images are there and whole is not checked here.

    Raises
    ------
    InputError
        If a column, a label or a path is not as it should be; names file, row and column.
    """
    file = folder / FILE_NAME
    table = _read(file)
    for row, entry in zip(table.index, table.to_dict("records"), strict=True):
        _check_row(entry, f"{file}, row {row + 1}", folder, study)
    _check_slugs(table, file)
    return [
        FieldRows(_shared(rows), tuple(_image(row, folder) for row in rows.to_dict("records")))
        for _, rows in table.groupby(FIELD_COLUMNS, sort=True)
    ]


def _read(file: Path) -> pd.DataFrame:
    rows = read_cells(file)
    header, table = [_composed(name) for name in rows.iloc[0]], rows.iloc[1:]
    _check_header(header, file)
    table = table.set_axis(header, axis="columns")
    # Not the paths: on disk a name is whatever its bytes are.
    labels = [column for column in header if column != PATH]
    table[labels] = table[labels].map(_composed)
    # Spreadsheets leave empty rows behind; the index still counts them, as messages name rows.
    table = table[(table != "").any(axis="columns")]
    if table.empty:
        raise InputError(f"{file} has no rows; add one per image.")
    return table


def _check_header(header: list[str], file: Path) -> None:
    for number, column in enumerate(header, start=1):
        if not column:
            raise InputError(f"{file}: column {number} has no name; name it or remove it.")
        if header.count(column) > 1:
            raise InputError(f"{file}: column {column!r} is there twice; remove one of them.")
    for column in REQUIRED:
        if column not in header:
            folded = {name.casefold(): name for name in header}
            close = difflib.get_close_matches(column.casefold(), folded, n=1, cutoff=0.6)
            hint = f"; rename {folded[close[0]]!r}" if close else "; add it"
            raise InputError(f"{file}: column {column!r} is missing{hint}.")
    for column in header:
        if _reserved(column):
            raise InputError(
                f"{file}: column {column!r} has a name that the platform uses itself, for its "
                "labels or in tables of cells; rename it."
            )
        _check_signs(column, f"{file}: column")


def _reserved(column: str) -> bool:
    if column in REQUIRED:
        return False
    taken = column in {*_TAKEN, STUDY, KIND, *NUMBERS} or column.startswith(PLAIN)
    return taken or measured(column) is not None


def _composed(text: str) -> str:
    """One form of letters with marks: programs write them as one sign or as two."""
    return unicodedata.normalize("NFC", text)


def _check_signs(text: str, where: str) -> None:
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise InputError(f"{where} {text!r} has an invisible control character; remove it.")
    if len(text) > _LONGEST_NAME:
        raise InputError(
            f"{where} {text[:20] + '...'!r} is too long; shorten it to {_LONGEST_NAME} characters."
        )


def _check_row(entry: dict[str, str], where: str, folder: Path, study: Study) -> None:
    for column in REQUIRED:
        if not entry[column]:
            raise InputError(f"{where}: {column} is empty; fill it in.")
    for column, label in entry.items():
        if column == PATH:
            continue
        _check_signs(label, f"{where}: {column}")
        if any(separator in label for separator in "/\\"):
            raise InputError(
                f"{where}: {column} {label!r} has a path separator; rename it without / and \\."
            )
    for column in (*FIELD_COLUMNS, "channel"):
        try:
            name = slug(entry[column])
        except InputError as error:
            raise InputError(f"{where}: {column}: {error}") from error
        if len(name.encode()) > _LONGEST_LABEL:
            raise InputError(
                f"{where}: {column} {entry[column][:20] + '...'!r} is too long for a file name; "
                f"shorten it to {_LONGEST_LABEL} characters."
            )
    if entry.get(RESOLUTION) and not _is_positive(entry[RESOLUTION]):
        raise InputError(
            f"{where}: {RESOLUTION} {entry[RESOLUTION]!r} is not a positive number of µm per px; "
            "write it as in 0.597, with a point."
        )
    if entry.get(RESOLUTION) and not _FINEST <= float(entry[RESOLUTION]) <= _COARSEST:
        raise InputError(
            f"{where}: {RESOLUTION} {entry[RESOLUTION]!r} is no size of a pixel of a light "
            f"microscope in µm ({_FINEST:g} to {_COARSEST:g}); write it in µm, and not in nm or mm."
        )
    if entry["stimulation"] not in study.stimulations:
        raise InputError(
            f"{where}: stimulation {entry['stimulation']!r} is unknown; this study has "
            f"{', '.join(map(repr, study.stimulations))} (classes and conditions of the study "
            "file). Correct it, or list it under conditions to have its cells scored."
        )
    if entry["channel"] not in study.channels:
        raise InputError(
            f"{where}: channel {entry['channel']!r} is unknown; this study has "
            f"{', '.join(study.channels)} (channels of the study file)."
        )
    if "\\" in entry[PATH]:
        right = entry[PATH].replace("\\", "/")
        raise InputError(
            f"{where}: {PATH} {entry[PATH]!r} has backslashes; write it with /, as in {right!r}."
        )
    path = Path(entry[PATH])
    if path.is_absolute() or not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"{where}: {PATH} {entry[PATH]!r} leaves the folder; use a path inside it."
        )


def _is_positive(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and 0 < float(text) < math.inf


def _check_slugs(table: pd.DataFrame, file: Path) -> None:
    """Two labels that differ only in signs or case would share a partition; refuse them."""
    for column in (*FIELD_COLUMNS, "channel"):
        seen: dict[str, str] = {}
        for label in table[column].unique():
            other = seen.setdefault(slug(label).casefold(), label)
            if other != label:
                raise InputError(
                    f"{file}: {column} {other!r} and {label!r} cannot be told apart in file "
                    "names; rename one of them."
                )


def _shared(rows: pd.DataFrame) -> dict[str, str]:
    constant = [c for c in rows.columns if c != PATH and rows[c].nunique() == 1 and rows[c].iloc[0]]
    return {column: rows[column].iloc[0] for column in constant if column != "channel"} | {
        column: rows[column].iloc[0] for column in FIELD_COLUMNS
    }


def _image(row: dict[str, str], folder: Path) -> tuple[str, Path, dict[str, str]]:
    labels = {column: label for column, label in row.items() if column != PATH and label}
    return row["channel"], folder / row[PATH], labels
