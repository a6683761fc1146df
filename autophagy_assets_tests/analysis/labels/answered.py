"""Answers of people about cells, for tests."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, DATASET

COLUMNS = [DATASET, CELL_ID, "annotator", "answer", "page", "chosen_by", "answered_at"]


def answers_of(
    cells: pd.DataFrame,
    said: Iterable[str],
    annotator: str = "Ada",
    chosen_by: str = "random",
    at: str = "2026-11-01T10:00:00",
) -> pd.DataFrame:
    """An answer for each row of ``cells``."""
    found = cells[[DATASET, CELL_ID]].assign(
        annotator=annotator, answer=list(said), page="page 1", chosen_by=chosen_by, answered_at=at
    )
    return found[COLUMNS].reset_index(drop=True)
