"""Tables validated against a LaminDB schema, their columns registered with unit and meaning."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pandas as pd

from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    METADATA,
    OUTCOME,
    PREDICTED,
    SCORE,
    feature_columns,
)
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.instance import connect, retried, writing
from autophagy_assets.registry.store.labels import GENOTYPE, STIMULATION, category, label

# Tables with the same columns have the same schema in LaminDB, so it is named by what they hold,
# and by a code of the features: LaminDB would change the schema that has the name already.
CELLS, CLEAN, PREDICTIONS = (
    "cells with features",
    "cells with metadata and features",
    "cells with predictions",
)
_CELLS: dict[str, type] = {DATASET: str, CELL_ID: int, CLASS: int}
_METADATA: dict[str, type] = dict.fromkeys(METADATA, str)
_PREDICTION: dict[str, type] = {PREDICTED: int, SCORE: float, OUTCOME: str}
# Columns that a table must have beside its features.
REQUIRED = {
    CELLS: _CELLS,
    CLEAN: _CELLS | _METADATA,
    PREDICTIONS: _CELLS | _METADATA | _PREDICTION,
}
# So many reasons why a table does not fit are told.
_TOLD = 3

_MEANING = {
    DATASET: "LaminDB uid of the single-cell images that hold the cell",
    CELL_ID: "Number of the cell within its dataset",
    CLASS: "Class of the stimulation of the cell's image",
    "genotype": "Genotype of the cell",
    "stimulation": "Treatment of the cell",
    "clone": "Clonal cell line, the biological replicate",
    "fov": "Field of view of the cell",
    PREDICTED: "Class that the classifier gives the cell",
    SCORE: "Probability of class 1 that the classifier gives the cell",
    OUTCOME: "TP, TN, FP or FN",
}
UNKNOWN_MEANING = ("Feature of the cell", None)
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


def meaning(column: str) -> tuple[str, str | None]:
    """What a column holds, and in which unit.

    Parameters
    ----------
    column : str

    Returns
    -------
    tuple of (str, str or None)
        Description, and unit where it has one. Intensities of crops have none: scPortrait
        scales each crop to its own range.
    """
    if column in _MEANING:
        return _MEANING[column], None
    if column.endswith("_area") and (region := _REGIONS.get(column.removesuffix("_area"))):
        return f"Area of the {region}", "px"
    if match := _INTENSITY.match(column):
        statistic, region = _STATISTICS[match["statistic"]], _REGIONS[match["region"]]
        return f"{statistic} of {match['channel']} in the {region}, scaled within the crop", None
    return UNKNOWN_MEANING


def validated(table: pd.DataFrame, contract: str, name: str) -> Any:
    """Validate a table against a contract.

    Parameters
    ----------
    table : pandas.DataFrame
    contract : str
        One of `REQUIRED`.
    name : str
        What messages call the table.

    Returns
    -------
    lamindb.Schema
        The contract with the features of the table.

    Raises
    ------
    InputError
        If a column is missing or of another type; names it.
    """
    ln = connect()
    schema = _schema(contract, tuple(feature_columns(table)))
    labels = [column for column in (GENOTYPE, STIMULATION) if column in table.columns]
    _register_labels(table, labels)
    from lamindb.errors import ValidationError

    try:
        # LaminDB wants columns of labels as categories; they are stored as plain text.
        categorical = table.astype(dict.fromkeys(labels, "category"))
        ln.curators.DataFrameCurator(categorical, schema).validate()
    except ValidationError as error:
        text = str(error)
        reasons = re.findall(r'"error": "(.+?)"[,\s}]', text) or [" ".join(text.split())[:300]]
        reasons = [re.sub(r"\. Columns in dataframe: .*", "", reason) for reason in reasons]
        told = list(dict.fromkeys(reasons))
        more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        reason = "; ".join(told[:_TOLD]) + more
        raise InputError(f"Table {name} does not fit its LaminDB schema: {reason}") from error
    return schema


@cache
def _schema(name: str, features: tuple[str, ...]) -> Any:
    columns = REQUIRED[name] | dict.fromkeys(features, float)

    def find_or_create() -> Any:
        with writing() as ln:
            known = {f.name: f for f in ln.Feature.filter(name__in=list(columns), is_type=False)}
            members = [
                # The labels of artifacts are of the same kinds: whoever comes first, table or
                # label, has to register them as labels.
                category(ln, column)
                if column in (GENOTYPE, STIMULATION)
                else known.get(column) or _feature(ln, column, dtype)
                for column, dtype in columns.items()
            ]
            code = derived(4, "features", *features)
            full = f"{name}, {len(features)} features {code}"
            return ln.Schema(members, name=full, coerce=False).save()

    return retried(find_or_create)


def _register_labels(table: pd.DataFrame, columns: list[str]) -> None:
    """Make the labels in a table known, as those of a source may not be known here."""
    names = {str(name) for column in columns for name in table[column].unique()}
    ln = connect()
    if missing := names - set(ln.ULabel.filter(name__in=names).values_list("name", flat=True)):

        def create() -> None:
            with writing() as ln:
                for name in sorted(missing):
                    label(ln, name)

        retried(create)


def _feature(ln: Any, name: str, dtype: type) -> Any:
    description, unit = meaning(name)
    new = ln.Feature(name=name, dtype=dtype, description=description)
    new.unit = unit
    new.uid = derived(12, "column", name)
    return new.save()
