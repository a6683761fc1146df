"""Results that a version of a study's report was made from, read back from the store."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from autophagy_assets.analysis.comparison.results import Results
from autophagy_assets.analysis.comparison.words import sentences_of
from autophagy_assets.analysis.effects.scored_cells import NEEDED
from autophagy_assets.analysis.identity import MODEL
from autophagy_assets.config.study import Study
from autophagy_assets.errors import IntegrityError
from autophagy_assets.io_managers.parquet import read_table, stream_table
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.io_managers.stored_tables import ByValue
from autophagy_assets.registry.report_versions import ReportVersion
from autophagy_assets.registry.store.artifacts import fetch

SCORES, PREDICTIONS = "cross_validation", ("ko_predictions", "condition_predictions")
COMPARISON, EFFECT = "model_comparison", "knockout_effect"


def results_of(version: ReportVersion, models: Collection[str] | None = None) -> Results:
    """Read the results that a report was made from, each file verified by its hash.

    Parameters
    ----------
    models : collection of str, optional
        Of which scores of cells are read; default all.

    Returns
    -------
    Results
        What is not there any more, as it was withdrawn or is damaged, is left out and named.
    """
    lacking: list[str] = []
    made_from = version.made_from()

    def read(uid: str | None) -> Path | None:
        if uid is None:
            return None
        try:
            return fetch(uid)[0]
        except IntegrityError as error:
            lacking.append(str(error))
            return None

    def paths(asset: str) -> dict[str, Path]:
        found = {
            key.partition or "": read(uid)
            for key, uid in sorted(made_from.items(), key=lambda item: str(item[0]))
            if (key.asset, key.suffix) == (asset, ".parquet")
            and (asset != SCORES or models is None or key.partition in models)
        }
        return {partition: path for partition, path in found.items() if path}

    def tables(asset: str) -> dict[str, pd.DataFrame]:
        return {partition: read_table(path) for partition, path in paths(asset).items()}

    claims: list[dict[str, Any]] = []
    if (path := read(version.claims())) is not None:
        claims = json.loads(path.read_text(encoding="utf-8"))
    page = read(version.uid)
    return Results(
        name=version.name,
        study=Study.from_values(version.values),
        cross_validations=tables(SCORES),
        predictions=[
            ByValue(StoredTable(path, stream_table), MODEL, NEEDED)
            for asset in PREDICTIONS
            for path in paths(asset).values()
        ],
        comparison=tables(COMPARISON).get("", pd.DataFrame()),
        effects=list(tables(EFFECT).values()),
        claims=claims,
        sentences=sentences_of(page.read_text(encoding="utf-8")) if page else {},
        lacking=lacking,
    )
