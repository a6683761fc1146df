"""Answers of people who looked at cells, as one table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from autophagy_assets.analysis.features.tables import ANNOTATIONS
from autophagy_assets.analysis.identity import CELL_ID, DATASET

ANNOTATOR, ANSWER, PAGE = "annotator", "answer", "page"
CHOSEN_BY, ANSWERED_AT, SECONDS = "chosen_by", "answered_at", "seconds"
UNSURE, BAD_CROP = "unsure", "bad crop"
COLUMNS = [column.name for column in ANNOTATIONS.columns]


def put_together(files: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the answers of all people on all pages into one table.

    Parameters
    ----------
    files : iterable of pandas.DataFrame
        Answers of one person on one page each.

    Returns
    -------
    pandas.DataFrame, shape (n_answers, 7)
        Every answer, also where people contradict each other or one has answered on two pages;
        sorted by cell, annotator and page. Empty where there are no files.
    """
    tables = [file[COLUMNS] for file in files]
    types = {
        column.name: "object" if column.type is str else "int64" for column in ANNOTATIONS.columns
    }
    none = pd.DataFrame(columns=COLUMNS).astype(types)
    table = pd.concat(tables, ignore_index=True) if tables else none
    return table.sort_values([DATASET, CELL_ID, ANNOTATOR, PAGE], ignore_index=True)
