"""A file of answers as a review page has saved it, checked against what the page shows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.analysis.review.answers import (
    ANSWER,
    ANSWERED_AT,
    BAD_CROP,
    CHOSEN_BY,
    PAGE,
    SECONDS,
    UNSURE,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.spreadsheet import read_cells

COLUMNS = [PAGE, "study", DATASET, CELL_ID, ANSWER, SECONDS, ANSWERED_AT]
_FORMULA = ("=", "+", "-", "@")
Cell = tuple[str, int]


@dataclass(frozen=True)
class AnswerSheet:
    """Answers of one page, as one person gave them.

    Attributes
    ----------
    page : str
        Id of the page.
    rows : pandas.DataFrame
        A row for each answer, as text, by line of the file.
    """

    file: Path
    page: str
    rows: pd.DataFrame


def read_sheet(file: Path, study: Study) -> AnswerSheet:
    """Read a file of answers.

    Parameters
    ----------
    file : pathlib.Path
        CSV, as the page saves it.

    Raises
    ------
    InputError
        If it is empty, no CSV, lacks a column, or is of several pages or of another study.
    """
    if file.is_file() and not file.stat().st_size:
        raise InputError(f"{file} is empty: save the answers on the review page again.")
    cells = read_cells(file)
    header, rows = list(cells.iloc[0]), cells.iloc[1:]
    lacking = [name for name in COLUMNS if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if lacking or unknown or len(header) != len(COLUMNS):
        wrong = f"lacks {', '.join(lacking)}" if lacking else f"has also {', '.join(unknown)}"
        raise InputError(
            f"{file} is not a file of answers: it {wrong}. Its columns are {', '.join(COLUMNS)}, "
            "as the review page saves them."
        )
    rows = rows.set_axis(header, axis="columns").set_axis(range(2, len(cells) + 1))
    rows = rows[(rows != "").any(axis="columns")]
    if rows.empty:
        raise InputError(f"{file} holds no answer: answer cells on the page, and save again.")
    sheet = AnswerSheet(file, rows[PAGE].iloc[0], rows)
    _refuse_formulas(sheet, study)
    if (pages := rows[PAGE].unique()).size > 1:
        raise InputError(
            f"{file} has answers of several pages ({', '.join(pages)}): hand in the file of each."
        )
    if not sheet.page.isalnum():
        raise InputError(f"{file}: {sheet.page!r} is not the id of a review page.")
    others = sorted(set(rows["study"]) - {study.name})
    if others:
        raise InputError(
            f"{file} is of study {others[0]!r}, and this is {study.name!r}: hand the answers in "
            "where that study is."
        )
    return sheet


def _refuse_formulas(sheet: AnswerSheet, study: Study) -> None:
    expected = {study.name, *study.classes.values()}
    for line, row in sheet.rows.iterrows():
        for column, text in row.items():
            if text.startswith(_FORMULA) and text not in expected:
                raise InputError(
                    f"{sheet.file}, line {line}: {column} is {text!r}, which a spreadsheet would "
                    "run as a formula. No page saves that; hand in the file as it was saved."
                )


def checked(sheet: AnswerSheet, reasons: Mapping[Cell, str], study: Study) -> pd.DataFrame:
    """Answers of a sheet, with the types that they are stored in.

    Parameters
    ----------
    reasons : mapping of (str, int) to str
        Cells that the page shows, to why each was chosen.

    Returns
    -------
    pandas.DataFrame
        Identity, answer, page, ``chosen_by``, time and seconds; each cell once, by identity. Where
        a cell stands there several times with the same answer, that is its latest one.

    Raises
    ------
    InputError
        If the page does not show a cell, an answer is no class, a cell has two answers, or a
        number or time is none; names the line.
    """
    known = [study.classes[0], study.classes[1], UNSURE, BAD_CROP]
    seen: dict[Cell, dict] = {}
    for line, row in sheet.rows.iterrows():
        place = f"{sheet.file}, line {line}"
        cell = _cell(row, reasons, place, sheet.page)
        if row[ANSWER] not in known:
            words = ", ".join(map(repr, known))
            raise InputError(f"{place}: answer {row[ANSWER]!r} is none of {words}.")
        if (before := seen.get(cell)) and before[ANSWER] != row[ANSWER]:
            raise InputError(
                f"{place}: cell {cell[1]} of dataset {cell[0]} is {row[ANSWER]!r} here and "
                f"{before[ANSWER]!r} before: keep the line that holds."
            )
        answer = {
            DATASET: cell[0],
            CELL_ID: cell[1],
            ANSWER: row[ANSWER],
            PAGE: sheet.page,
            CHOSEN_BY: reasons[cell],
            ANSWERED_AT: _time(row[ANSWERED_AT], place),
            SECONDS: _seconds(row[SECONDS], place),
        }
        if before is None or before[ANSWERED_AT] <= answer[ANSWERED_AT]:
            seen[cell] = answer
    table = pd.DataFrame(list(seen.values())).astype({CELL_ID: "int64", SECONDS: "float64"})
    return table.sort_values([DATASET, CELL_ID], ignore_index=True)


def _cell(row: pd.Series, shown: Collection[Cell], place: str, page: str) -> Cell:
    number = row[CELL_ID]
    if not (number.isascii() and number.isdecimal()):
        raise InputError(f"{place}: {CELL_ID} {number!r} is not a whole number.")
    cell = (row[DATASET], int(number))
    if cell not in shown:
        raise InputError(
            f"{place}: page {page} does not show cell {number} of dataset {row[DATASET]!r}; hand "
            "in the file as it was saved."
        )
    return cell


def _time(text: str, place: str) -> str:
    """A time in UTC, always written in the same way."""
    try:
        time = pd.Timestamp(text)
        time = time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{place}: {ANSWERED_AT} {text!r} is not a time such as 2026-11-26T10:15:00Z."
        ) from error


def _seconds(text: str, place: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise InputError(f"{place}: {SECONDS} {text!r} is not a number of seconds.")
    return seconds
