"""A table that a spreadsheet has saved as text: read as it was meant, or refused with advice."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from autophagy_assets.errors import InputError

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_cells(file: Path) -> pd.DataFrame:
    """Read every cell of a CSV file as text, the first row and empty rows too.

    Parameters
    ----------
    file : pathlib.Path
        In UTF-8, with commas between the cells.

    Returns
    -------
    pandas.DataFrame
        Without spaces around the cells; what is empty or lacking is an empty text.

    Raises
    ------
    InputError
        If it is not there, may not be read, or is something else than such a file.
    """
    text = _text(file)
    _refuse_other_separators(text, file)
    try:
        # The header is read as a row: pandas would rename a column that is there twice.
        rows = pd.read_csv(
            io.StringIO(text), dtype=str, header=None, keep_default_na=False, skip_blank_lines=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{file} cannot be read as CSV in UTF-8: {reason}.") from error
    return rows.fillna("").apply(lambda column: column.str.strip())


def _text(file: Path) -> str:
    try:
        if not file.exists():
            raise InputError(f"{file} is missing: a folder of images needs this metadata file.")
        if not file.is_file():
            raise InputError(f"{file} is not a file: put the metadata there as a CSV file.")
        content = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}): see that the user who runs this may read "
            "the file and its folder."
        ) from error
    try:
        text = content.decode("utf-8-sig")  # with or without the mark that spreadsheets put first
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file} cannot be read as CSV in UTF-8 (line {content[: error.start].count(10) + 1}): "
            "save it as 'CSV UTF-8'."
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{file}, line {line} has a NUL character: save it again as 'CSV UTF-8'.")
    return text


def _refuse_other_separators(text: str, file: Path) -> None:
    first = text.lstrip().partition("\n")[0].strip()
    if first.lower().replace('"', "").startswith("sep="):
        raise InputError(
            f"{file} begins with {first!r}, which only Excel understands: remove that line, so "
            "that the names of the columns are the first."
        )
    cells = next(csv.reader([first]), [])
    for sign, name in _SEPARATORS.items():
        if len(cells) < first.count(sign):
            raise InputError(f"{file} has {name} between its columns: save it with commas.")
