"""The study as one web page, for someone who has neither Dagster nor LaminDB.

Here: how numbers become rows. Not here: what the page holds (``content``). Its looks are in
``report.html`` beside this file. No script, no network, no clock: the same content gives the same
bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autophagy_assets.analysis.classifier.evaluation import (
    CLASSES,
    auc_of,
    confusion_of,
    models_of,
    of_model,
)
from autophagy_assets.analysis.figures import data_uri
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.analysis.report.content import N_ROWS, ReportContent, ReportFigure
from autophagy_assets.config.study import Study

_TEMPLATE = "report.html"


def render_report(content: ReportContent) -> str:
    """Make the page.

    Returns
    -------
    str
        A self-contained HTML page.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    study = content.study
    return environment.get_template(_TEMPLATE).render(
        study=study,
        headline=_headline(content),
        counts=_counts(content.counts, study),
        evaluations=[
            *_evaluations(study.control, content.evaluation, study, "cells not seen by the model"),
            *(
                evaluation
                for genotype in sorted(content.knockouts)
                for evaluation in _evaluations(
                    genotype, content.knockouts[genotype], study, "all cells"
                )
            ),
        ],
        story=content.story,
        left_out=content.left_out,
        figures=[_figure(f, content.lineage) for f in _leading(content.figures, study)],
        other_models=[_figure(f, content.lineage) for f in _of_others(content.figures, study)],
        manifest=_rows(content.manifest),
        excluded=_excluded(content),
        fields=len(content.manifest) + len(content.refused),
        records=_records(content),
        parameters=list(_flat(content.parameters)),
        versions=sorted(content.versions.items()),
        lineage=content.lineage,
        gallery=content.gallery,
    )


def _headline(content: ReportContent) -> list[tuple[str, str]]:
    """Numbers of the boxes at the top, each with what it is."""
    study = content.study
    boxes = [(f"{int(content.counts['cells'].sum()):,}", "cells measured")]
    if total := len(content.manifest) + len(content.refused):
        excluded = len(_excluded(content))
        label = f"fields of view, {excluded} excluded" if excluded else "fields of view"
        boxes.append((str(total), label))
    evaluation = of_model(content.evaluation, study.primary)
    if evaluation.empty:  # the model could not be made
        return boxes
    counts = confusion_of(evaluation).to_numpy()
    unseen = f"{study.control} cells not seen by {study.primary}"
    boxes.append((_number(auc_of(evaluation)), f"AUC on {counts.sum()} {unseen}"))
    for number in CLASSES:
        right, total = counts[number, number], counts[number].sum()
        label = f"of {total} {study.classes[number]} {unseen} called right"
        boxes.append((_percent(right, total), label))
    return boxes


def _of_others(figures: Sequence[ReportFigure], study: Study) -> list[ReportFigure]:
    """Figures of models other than the primary one."""
    others = {f"[{model.name}]" for model in study.models if model.name != study.primary}
    return [figure for figure in figures if figure.name[figure.name.find("[") :] in others]


def _leading(figures: Sequence[ReportFigure], study: Study) -> list[ReportFigure]:
    others = _of_others(figures, study)
    return [figure for figure in figures if figure not in others]


def _counts(counts: pd.DataFrame, study: Study) -> dict[str, Any]:
    """Genotypes in rows, the control first; stimulations in columns."""
    found = set(counts["stimulation"])
    classes = set(study.classes.values())
    stimulations = [label for label in study.stimulations if label in found | classes]
    stimulations += sorted(found - set(stimulations))
    genotypes = sorted(set(counts["genotype"]), key=lambda name: (name != study.control, name))
    table = counts.pivot_table(
        index="genotype", columns="stimulation", values="cells", aggfunc="sum", fill_value=0
    ).reindex(index=genotypes, columns=stimulations, fill_value=0)
    rows = [(str(name), [int(n) for n in row]) for name, row in table.iterrows()]
    return {"stimulations": stimulations, "rows": rows, "drawn": _drawn(counts, study)}


def _drawn(counts: pd.DataFrame, study: Study) -> str:
    """Sentence for the case that models learn from a random selection of the control's cells."""
    of_control = counts["genotype"].eq(study.control) & counts["stimulation"].isin(
        list(study.classes.values())
    )
    there, drawing = int(counts.loc[of_control, "cells"].sum()), study.training
    if there <= drawing.most_cells:
        return ""
    return (
        f"Models learn from {drawing.most_cells:,} of these {there:,} {study.control} cells and "
        f"are tested on the same ones: drawn at random (seed {drawing.random_state}), of each "
        "clone and class in proportion to the cells that there are."
    )


def _evaluations(
    genotype: str, table: pd.DataFrame, study: Study, cells: str
) -> Iterator[dict[str, Any]]:
    """Confusion matrices of all models, the primary one first."""
    for model in sorted(models_of(table), key=lambda name: name != study.primary):
        yield {"model": model, **_evaluation(genotype, of_model(table, model), study, cells)}


def _evaluation(genotype: str, table: pd.DataFrame, study: Study, cells: str) -> dict[str, Any]:
    counts = confusion_of(table).to_numpy()
    rows = []
    for true in CLASSES:
        total = int(counts[true].sum())
        called = [(int(n), _percent(n, total), n / total if total else 0) for n in counts[true]]
        rows.append({"label": study.classes[true], "n": total, "called": called})
    return {
        "genotype": genotype,
        "cells": cells,
        "n": int(counts.sum()),
        "auc": _number(auc_of(table)),
        "rows": rows,
    }


def _figure(figure: ReportFigure, lineage: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    table = _rows(figure.table)
    shows_cells = {DATASET, CELL_ID} <= set(figure.table.columns)
    anchors = origins = [""] * len(figure.table)
    if shows_cells:
        identity = list(zip(figure.table[DATASET], figure.table[CELL_ID], strict=True))
        anchors = [f"{figure.name}--{dataset}--{cell}" for dataset, cell in identity]
        origins = [f"{dataset}:{cell}" for dataset, cell in identity]
    said = "The cells shown, with their scores" if shows_cells else "The numbers shown"
    if there := figure.table.attrs.get(N_ROWS):
        said += f": {len(figure.table):,} of {there:,} rows; the table beside the figure has all"
    return {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "uid": figure.uid,
        "image": data_uri(figure.png),
        "columns": table["columns"],
        "rows": [
            (anchor, origin if origin in lineage else "", row)
            for anchor, origin, row in zip(anchors, origins, table["rows"], strict=True)
        ],
        "summary": said,
        "lineage": figure.name if figure.name in lineage else "",
    }


def _records(content: ReportContent) -> list[dict[str, Any]]:
    names = ("asset", "partition", "uid", "key", "hash")
    return [{name: str(record.get(name) or "") for name in names} for record in content.records]


def _excluded(content: ReportContent) -> list[tuple[str, str]]:
    """Fields that are in no table, and why: not taken, or not segmented."""
    manifest, excluded = content.manifest, list(content.refused.items())
    if len(manifest):
        unusable = manifest[manifest["status"] != "ok"]
        names = unusable["sample"] + ", " + unusable["field"]
        excluded += list(zip(names, unusable["reason"], strict=True))
    return [(str(name), str(reason)) for name, reason in excluded]


def _rows(table: pd.DataFrame) -> dict[str, Any]:
    """Columns and rows as text, without columns that hold nothing."""
    held = table.loc[:, [bool(table[column].notna().any()) for column in table.columns]]
    rows = [[_cell(value) for value in row] for row in held.itertuples(index=False)]
    return {"columns": [str(column) for column in held.columns], "rows": rows}


def _cell(value: Any) -> str:
    if value is None or value is pd.NA:
        return ""
    return _number(value, 4) if isinstance(value, float) else str(value)


def _number(value: float, digits: int = 2) -> str:
    if math.isnan(value):
        return "" if digits > 2 else "not defined"
    return str(value) if math.isinf(value) else f"{value:.{digits}f}"


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.0f} %" if total else "no cells"


def _flat(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            several = isinstance(value, list | tuple)
            yield f"{prefix}{name}", ", ".join(map(str, value)) if several else str(value)
