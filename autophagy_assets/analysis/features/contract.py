"""The contract of a feature table: the values that everything downstream relies on.

A table that breaks it is refused with an :class:`InputError`, or reported by a check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.parts import Cells, parts, whole
from autophagy_assets.analysis.features.tables import CELLS, misfit
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY, feature_columns
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

_REMEDY = "make the table again with an up-to-date featurization, or correct the file"


def check_feature_table(table: Cells, name: str, classes: Collection[int] = (0, 1)) -> None:
    """Refuse a feature table that breaks the contract.

    The contract: at least one row; the columns ``dataset``, ``scportrait_cell_id`` and
    ``class``; one row per cell; known classes; at least one feature, all of them finite
    numbers.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
        One row per cell.
    name : str
        What the reader calls the table; named in the message.
    classes : collection of int
        The class numbers that may occur.

    Raises
    ------
    InputError
        At the first violation; names table, column, number of rows and the remedy.
    """
    _check_columns(table, name)
    _check_identity(table, name)
    _check_classes(table, name, classes)
    _check_finite(table, name)


def _check_columns(table: Cells, name: str) -> None:
    """Refuse a table without cells, features, or a column of identity and class."""
    missing = [column.name for column in CELLS.columns if column.name not in table.columns]
    if missing:
        raise InputError(
            f"Feature table {name} has no column {', '.join(map(repr, missing))}, so its cells "
            f"cannot be told apart; {_REMEDY}."
        )
    columns = pd.Index(table.columns)
    repeated = columns[columns.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"Feature table {name} has column {repeated[0]!r} more than once; keep one of them."
        )
    if not feature_columns(table):
        raise InputError(f"Feature table {name} has no feature column; {_REMEDY}.")
    if not len(table):
        raise InputError(
            f"Feature table {name} has no cells; check that its fields of view were segmented."
        )


def _check_identity(table: Cells, name: str) -> None:
    """Refuse a table in which a cell has no identity or is there twice."""
    cells = whole(table, IDENTITY)
    for column in [c for c in CELLS.columns if c.name in IDENTITY]:
        empty = int(cells[column.name].isna().sum())
        if empty:
            raise InputError(
                f"Feature table {name}: column {column.name!r} is empty in {empty} of "
                f"{len(table)} rows; {_REMEDY}."
            )
        if sentence := misfit(cells, column):
            raise InputError(f"Feature table {name}: {sentence}; {_REMEDY}.")
    again = cells.duplicated(IDENTITY)
    if again.any():
        first = cells[again.to_numpy()].iloc[0]
        raise InputError(
            f"Feature table {name} holds {int(again.sum())} cells twice, for instance cell "
            f"{first[CELL_ID]} of dataset {first[DATASET]!r}; keep one row per "
            f"({DATASET}, {CELL_ID})."
        )


def _check_classes(table: Cells, name: str, classes: Collection[int]) -> None:
    """Refuse a table with a class that the study does not have."""
    found = whole(table, [CLASS])[CLASS]
    strange = ~found.isin(list(classes)).to_numpy()
    if strange.any():
        value = found[strange].tolist()[0]
        known = ", ".join(str(number) for number in sorted(classes))
        raise InputError(
            f"Feature table {name}: column {CLASS!r} holds {value!r} in {int(strange.sum())} of "
            f"{len(table)} rows; allowed are {known}: correct the table or the study's classes."
        )


def _check_finite(table: Cells, name: str) -> None:
    """Refuse a table in which a feature is missing, infinite or not a number."""
    features = feature_columns(table)
    wrong, other_types = dict.fromkeys(features, 0), dict[str, object]()
    for cells in parts(table, features):
        for column in features:
            values = cells[column]
            if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_complex_dtype(values):
                numbers = values.to_numpy(dtype=float, na_value=np.nan)
                wrong[column] += int((~np.isfinite(numbers)).sum())
            else:
                other_types.setdefault(column, values.dtype)
    for column in features:
        if column in other_types:
            raise InputError(
                f"Feature table {name}: feature {column!r} is not a number but "
                f"{other_types[column]}; remove the column or list it in excluded_features of the "
                "study."
            )
        if wrong[column]:
            raise InputError(
                f"Feature table {name}: feature {column!r} is missing or infinite in "
                f"{wrong[column]} of {len(table)} rows; remove those cells or list the feature in "
                "excluded_features of the study."
            )


def table_contract(table: Cells, name: str, study: Study) -> Finding:
    """Check whether a table has cells with identity, a known class, and features.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.
    study : Study
        Names the classes.
    """

    def look() -> None:
        _check_columns(table, name)
        _check_classes(table, name, study.class_numbers)

    n = len(feature_columns(table))
    sentence = f"{name} has {len(table)} cells with identity, a known class and {n} features."
    return _unless_refused(look, sentence, {"cells": len(table), "features": n})


def identity_unique(table: Cells, name: str) -> Finding:
    """Check whether every cell is in a table once.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.
    """

    def look() -> None:
        _check_columns(table, name)
        _check_identity(table, name)

    sentence = (
        f"Each of the {len(table)} cells of {name} is there once, by {' and '.join(IDENTITY)}."
    )
    return _unless_refused(look, sentence, {"cells": len(table)})


def finite_values(table: Cells, name: str) -> Finding:
    """Check whether every feature of every cell is a finite number.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
        With the features that are used.
    name : str
        What the reader calls the table.
    """
    n = len(feature_columns(table))
    sentence = (
        f"All {n} features that are used are finite numbers in all {len(table)} cells of {name}."
    )
    return _unless_refused(lambda: _check_finite(table, name), sentence, {"values": n * len(table)})


def _unless_refused(look: Callable[[], None], sentence: str, numbers: Mapping[str, int]) -> Finding:
    try:
        look()
    except InputError as error:
        return Finding(False, str(error), numbers)
    return Finding(True, sentence, numbers)
