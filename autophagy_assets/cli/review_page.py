"""Making a review page: scores read from the records, cells chosen, the page registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import RAW, SCHEME
from autophagy_assets.analysis.galleries.crops import fetch_all_channels
from autophagy_assets.analysis.identity import (
    CLASS,
    DATASET,
    IDENTITY,
    METADATA,
    MODEL,
    SCORE,
)
from autophagy_assets.analysis.review.answers import CHOSEN_BY
from autophagy_assets.analysis.review.choice import candidates, choose
from autophagy_assets.analysis.review.page import SHOWN, page_id, render_page
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.io_managers.parquet import read_table
from autophagy_assets.registry.consistency.damage import damaged
from autophagy_assets.registry.datasets import pixel_um
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.review.annotate import withdrawn
from autophagy_assets.registry.review.pages import REVIEW, register_page
from autophagy_assets.registry.store.artifacts import describe, find, locate
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.labels import labels_of
from autophagy_assets.registry.store.storage import in_bucket, local_path
from autophagy_assets.staleness.materializations import HASH, UID, latest
from autophagy_assets.staleness.partitions import GENOTYPE_PARTITIONS, KNOCKOUT_PARTITIONS

_CELLS = [*IDENTITY, CLASS, *METADATA, MODEL, SCORE]


@dataclass(frozen=True)
class ReviewPage:
    """A page that was made and registered.

    Attributes
    ----------
    page : str
        Its id.
    cells : pandas.DataFrame
        Those that it shows, with why.
    available : int
        How many cells there were to choose from.
    """

    page: str
    html: str
    cells: pd.DataFrame
    available: int


def make_page(
    instance: dg.DagsterInstance,
    study: Study,
    n: int = 200,
    seed: int = 0,
    genotypes: Sequence[str] = (),
    show_labels: bool = False,
) -> ReviewPage:
    """Choose cells, make the page and register it with what it was made from.

    Parameters
    ----------
    n : int
        How many cells.
    seed : int
        Of the choice.
    genotypes : sequence of str
        Labels; default all.
    show_labels : bool
        Say below each cell what it was treated with.

    Raises
    ------
    InputError
        If there are no scores yet, or no cells of a genotype.
    IntegrityError
        If a file is gone or changed.
    """
    parameters = {"study": study.name, "cells": n, "seed": seed, "genotypes": list(genotypes)}
    code = Path(__file__).read_text()
    recorder = Recorder(
        Step(REVIEW, None, None, code, "1", parameters | {"blind": not show_labels})
    )
    scored, models = _scored(recorder, instance, study)
    gone = withdrawn(scored[DATASET].unique(), study)
    scored = scored[~scored[DATASET].isin(gone)]
    for genotype in genotypes:
        if genotype not in set(scored["genotype"]):
            known = ", ".join(sorted(scored["genotype"].unique())) or "none"
            raise InputError(f"There is no scored cell of genotype {genotype!r}; known: {known}.")
    if genotypes:
        scored = scored[scored["genotype"].isin(genotypes)]
    cells = choose(scored, n, seed, study)
    if show_labels:
        cells = cells.assign(**{SHOWN: cells["genotype"] + ", " + cells["stimulation"]})
    manifest = {
        "study": study.name,
        "blind": not show_labels,
        "seed": seed,
        "models": models,
        "cells": [list(row) for row in cells[[*IDENTITY, CHOSEN_BY]].itertuples(index=False)],
    }
    page = page_id(manifest)
    paths = _crops(recorder, sorted(cells[DATASET].unique()))
    size = _pixel_um(list(paths))
    html = render_page(cells, fetch_all_channels(cells, paths), study, page, size)
    register_page(recorder, study, page, html, {"page": page, **manifest})
    return ReviewPage(page, html, cells, len(scored.drop_duplicates(IDENTITY)))


def _scored(
    recorder: Recorder, instance: dg.DagsterInstance, study: Study
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Scores of all models, and the uid of each model."""
    tables, models = {}, {}
    for model in study.models:
        made = latest(instance, dg.AssetKey("autophagy_classifier"), model.name)
        table = _table(recorder, instance, "cross_validation", model.name, [SCHEME, RAW])
        if made is not None and table is not None:
            models[model.name] = uid = str(made.metadata[UID])
            recorder.named[uid] = describe(find(uid))
            tables[model.name] = table
    if not tables:
        raise InputError("No model has scored cells yet: run 'autophagy refresh' first.")
    knockouts = [
        table
        for knockout in sorted(instance.get_dynamic_partitions(KNOCKOUT_PARTITIONS))
        if (table := _table(recorder, instance, "ko_predictions", knockout)) is not None
    ]
    return candidates(tables, knockouts, study), models


def _table(
    recorder: Recorder,
    instance: dg.DagsterInstance,
    asset: str,
    partition: str,
    more: Sequence[str] = (),
) -> pd.DataFrame | None:
    found = latest(instance, dg.AssetKey(asset), partition)
    if found is None:
        return None
    path = recorder.read(str(found.metadata[UID]), {"sha256": found.metadata[HASH]})
    return read_table(path, [*_CELLS, *more])


def _crops(recorder: Recorder, datasets: list[str]) -> dict[str, Path]:
    """Paths of crops: a page shows a few cells of each file, so none of them is read whole."""
    if bad := damaged(datasets):
        uid, problem = next(iter(sorted(bad.items())))
        raise IntegrityError(f"Crops {uid}: {problem}; run 'autophagy refresh', which mends it.")
    paths = {}
    # All in one query: a page may show a cell of each of many fields.
    for artifact in connect().Artifact.filter(uid__in=datasets).select_related("storage"):
        if (record := describe(artifact)).sha256 and not in_bucket(artifact):
            recorder.reads[record.uid], paths[record.uid] = record, local_path(artifact)
    for uid in datasets:
        if uid not in paths:  # another lab's, in a source, or in a bucket
            paths[uid], recorder.reads[uid], verify = locate(uid)
            verify()
    return paths


def _pixel_um(datasets: list[str]) -> float | None:
    """Size of a pixel, where all crops have the same."""
    known = labels_of(connect().Artifact.filter(uid__in=datasets))
    sizes = {pixel_um(known.get(uid, {})) for uid in datasets}
    size = sizes.pop()
    return size if not sizes and size > 0 else None


def cells_there(instance: dg.DagsterInstance, study: Study) -> set[tuple[str, int]]:
    """Cells that the study has now.

    Returns
    -------
    set of (str, int)
        Dataset and number; without those of fields that have been withdrawn since the last refresh.
    """
    recorder: Any = Recorder(Step("", None, None, "", ""))  # only reads, and registers nothing
    found: set[tuple[str, int]] = set()
    for genotype in sorted(instance.get_dynamic_partitions(GENOTYPE_PARTITIONS)):
        made = latest(instance, dg.AssetKey("clean_features"), genotype)
        if made is not None:
            path = recorder.read(str(made.metadata[UID]), {"sha256": made.metadata[HASH]})
            cells = read_table(path, IDENTITY)
            found |= set(zip(cells[DATASET], cells[IDENTITY[1]].astype(int), strict=True))
    gone = withdrawn({dataset for dataset, _ in found}, study)
    return {cell for cell in found if cell[0] not in gone}
