"""Columns of each kind of table, with type, meaning and unit, defined once.

LaminDB's schemas, the columns that Dagster shows and the columns that checks ask for follow from
it. Not here: which values are right (``contract``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from autophagy_assets.analysis.features.column import Column
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    FIRST_ID,
    KIND,
    METADATA,
    MODEL,
    OUTCOME,
    PREDICTED,
    SCORE,
    feature_columns,
)
from autophagy_assets.analysis.marker import columns as marker


@dataclass(frozen=True)
class Table:
    """A kind of table.

    Parameters
    ----------
    name : str
        What its rows are.
    columns : tuple of Column
        Those that it must have.
    features : bool
        Whether every other column is a feature: a decimal number.
    """

    name: str
    columns: tuple[Column, ...]
    features: bool = True

    def features_of(self, table: pd.DataFrame) -> list[str]:
        """Names of the features that a table of this kind holds, in its order."""
        listed = {column.name for column in self.columns}
        return [c for c in feature_columns(table) if c not in listed] if self.features else []


_CELL = (
    Column(DATASET, str, "LaminDB uid of the single-cell images that hold the cell"),
    Column(CELL_ID, int, "Number of the cell within its dataset"),
    Column(CLASS, int, "Class of the stimulation of the cell's image; -1 where it is none"),
)
_METADATA = (
    Column("genotype", str, "Genotype of the cell"),
    Column("stimulation", str, "Treatment of the cell"),
    Column("clone", str, "Clonal cell line, the biological replicate"),
    Column("fov", str, "Field of view of the cell"),
)
_PREDICTION = (
    Column(MODEL, str, "Model of the study file that gives the prediction"),
    Column(PREDICTED, int, "Class that the model gives the cell"),
    Column(SCORE, float, "Probability of class 1 that the model gives the cell"),
    Column(OUTCOME, str, "TP, TN, FP or FN; no class where the stimulation is none"),
)
CELLS = Table("cells with features", _CELL)
CLEAN = Table("cells with metadata and features", _CELL + _METADATA)
PREDICTIONS = Table("cells with predictions", _CELL + _METADATA + _PREDICTION)
OUT_OF_FOLD = Table(
    "cells with scores of models that have not seen them",
    (
        *_CELL,
        *_METADATA,
        _PREDICTION[0],
        Column("scheme", str, "How the cells were divided into folds"),
        Column("fold", str, "What was left out of the training"),
        Column("score", float, "Probability of class 1 as the estimator gives it"),
        Column(SCORE, float, "Probability of class 1 that the model gives the cell"),
    ),
)
BACKGROUND = Table(
    "background of fields of view, and cells on another background",
    (
        *_CELL,
        *_METADATA,
        Column(KIND, str, "patch: without a cell; swapped: a cell on another background"),
    ),
)
AUDITED = Table(
    "cells with what speaks against their label",
    (
        *OUT_OF_FOLD.columns,
        Column("label_quality", float, "Score of the class that the cell is labelled with"),
        Column("suspected", bool, "Whether the label is suspect"),
        Column("puncta_against", str, "few or many for its label; empty where neither is said"),
    ),
)
MANIFEST = Table(
    "fields of view",
    (
        Column("sample", str, "Sample of the field of view"),
        Column("field", str, "Sample and field of view, as they name files"),
        *(Column(name, str, f"{name.capitalize()} of the field of view") for name in METADATA[:3]),
        Column("fov", str, "Field of view"),
        Column("status", str, "ok, or excluded"),
        Column("reason", str, "Why the field of view was excluded"),
        Column("n_cells", int, "Number of cells; -1 where it is not known"),
        Column(DATASET, str, "LaminDB uid of the single-cell images"),
        Column("spatialdata", str, "LaminDB uid of the segmented field of view"),
        Column("pixel_um", float, "Size of a pixel", "µm"),
        Column("images", str, "LaminDB uids of the images of the field of view"),
    ),
    features=False,
)
# Of a manifest, where fields of view share datasets.
_OF_SHARED_DATASETS = Column(FIRST_ID, int, "Ids of its cells in the dataset are above it")
ANNOTATIONS = Table(
    "answers of people about cells",
    (
        *_CELL[:2],
        Column("annotator", str, "Who answered"),
        Column("answer", str, "Class by its label, 'unsure' or 'bad crop'"),
        Column("page", str, "Id of the review page that showed the cell"),
        Column("chosen_by", str, "Why the page showed the cell; at random where no model chose it"),
        Column("answered_at", str, "When the answer was given, in UTC"),
    ),
    features=False,
)
TABLES = {
    kind.name: kind
    for kind in (CELLS, CLEAN, PREDICTIONS, OUT_OF_FOLD, BACKGROUND, AUDITED, MANIFEST, ANNOTATIONS)
}

_STATISTICS = {
    "mean": "Mean intensity",
    "median": "Median intensity",
    "quant75": "75 % quantile of intensity",
    "quant25": "25 % quantile of intensity",
    "summed_intensity": "Summed intensity",
    "summed_intensity_area_normalized": "Summed intensity per pixel",
}
_REGIONS = {"nucleus": "nucleus", "cytosol": "cell", "cytosol_only": "cell without nucleus"}
_INTENSITY = re.compile(
    rf"(?P<channel>.+?)_(?P<statistic>{'|'.join(sorted(_STATISTICS, key=len, reverse=True))})"
    rf"_(?P<region>{'|'.join(sorted(_REGIONS, key=len, reverse=True))})$"
)


def columns_of(kind: Table, names: list[str]) -> list[Column]:
    """Describe columns of a table.

    Parameters
    ----------
    names : list of str
        Columns that a table has, in its order.

    Returns
    -------
    list of Column
        In the same order. What the kind does not list is a feature.
    """
    # What is known of cells only later, another lab may tell in the table of features already.
    others = (*PREDICTIONS.columns, _OF_SHARED_DATASETS)
    listed = {column.name: column for column in (*others, *kind.columns)}
    return [listed.get(name) or feature(name) for name in names]


def feature(name: str) -> Column:
    """Describe a feature.

    Returns
    -------
    Column
        Intensities of crops have no unit: scPortrait scales each crop to its own range.
    """
    return measured(name) or Column(name, float, "Feature of the cell")


def measured(name: str) -> Column | None:
    """Describe a feature of scPortrait or of the marker.

    Returns
    -------
    Column or None
        None for a name that neither gives to a feature.
    """
    if found := marker.described(name):
        return found
    if name.endswith("_area") and (region := _REGIONS.get(name.removesuffix("_area"))):
        return Column(name, float, f"Area of the {region}", "px")
    if match := _INTENSITY.match(name):
        statistic, region = _STATISTICS[match["statistic"]], _REGIONS[match["region"]]
        meaning = f"{statistic} of {match['channel']} in the {region}, scaled within the crop"
        return Column(name, float, meaning)
    return None


def _is_text(values: pd.Series) -> bool:
    held = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
    return pd.api.types.infer_dtype(held, skipna=True) in ("string", "empty")


_TYPES: dict[type, tuple[str, Callable[[pd.Series], bool]]] = {
    int: ("whole numbers", pd.api.types.is_integer_dtype),
    float: ("decimal numbers", pd.api.types.is_float_dtype),
    str: ("text", _is_text),
    bool: ("true or false", pd.api.types.is_bool_dtype),
}


def misfits(table: pd.DataFrame, kind: Table) -> list[str]:
    """Describe the columns that a table lacks, or has of another type.

    Returns
    -------
    list of str
        Empty for a table that fits. Numbers may be of any width, and values may be missing.
    """
    features = [feature(name) for name in kind.features_of(table)]
    found = [misfit(table, column) for column in [*kind.columns, *features]]
    return [sentence for sentence in found if sentence]


def misfit(table: pd.DataFrame, column: Column) -> str | None:
    """Describe what is wrong with a column: absent, or of another type.

    Returns
    -------
    str or None
        None if the column fits.
    """
    if column.name not in table.columns:
        return f"column {column.name!r} is missing"
    values, (words, is_of_type) = table[column.name], _TYPES[column.type]
    if is_of_type(values) or values.isna().all():
        return None
    return f"column {column.name!r} must hold {words}, not {values.dtype}"
