"""Answers of people to a page, and handing them in."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.cli.review_page import ReviewPage, cells_there
from autophagy_assets.registry.provenance.run_provenance import inputs_of
from autophagy_assets.registry.review.annotate import annotate
from autophagy_assets.registry.review.answer_sheet import COLUMNS

N = 40


def row(made: ReviewPage, number: int, answer: str = "untreated", **changes: Any) -> dict:
    """What a page saves of the cell at a place."""
    cell = made.cells.iloc[number]
    known = [made.page, "reviewed", cell[DATASET], cell[CELL_ID], answer, 1.5]
    time = f"2026-11-26T10:00:{number:02d}.000Z"
    return dict(zip(COLUMNS, [*known, time], strict=True)) | changes


def sheet(folder: Path, rows: list[dict]) -> Path:
    file = folder / "answers.csv"
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file


def hand_in(scored, file: Path, name: str) -> Any:
    platform, _ = scored
    return annotate(file, name, platform.study, cells_there(platform.instance, platform.study))


def inputs(artifact: Any) -> set[str]:
    return {one.key for one in inputs_of(artifact, artifact.run)}
