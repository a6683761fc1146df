"""Feature tables: the contract they keep, and how metadata joins them.

Here: checking a feature table and cleaning it. Not here: measuring features
(``featurization``) and finding tables (``registry``).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    METADATA,
    feature_columns,
)
from autophagy_assets.errors import InputError
from autophagy_assets.study import Study

UNKNOWN = "unknown"
_REMEDY = "make the table again with an up-to-date featurization, or correct the file"


def check_feature_table(table: pd.DataFrame, name: str, classes: Collection[int] = (0, 1)) -> None:
    """Refuse a feature table that breaks the contract.

    The contract: at least one row; the columns ``dataset``, ``scportrait_cell_id`` and
    ``class``; one row per cell; known classes; at least one feature, all of them finite
    numbers.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
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
    check_columns(table, name)
    check_identity(table, name)
    check_classes(table, name, classes)
    check_finite(table, name)


def check_columns(table: pd.DataFrame, name: str) -> None:
    """Refuse a table without cells, features, or a column of identity and class.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table; named in the message.

    Raises
    ------
    InputError
        If one is missing or there twice; names it.
    """
    missing = [column for column in [*IDENTITY, CLASS] if column not in table.columns]
    if missing:
        raise InputError(
            f"Feature table {name} has no column {', '.join(map(repr, missing))}, so its cells "
            f"cannot be told apart; {_REMEDY}."
        )
    repeated = table.columns[table.columns.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"Feature table {name} has column {repeated[0]!r} more than once; keep one of them."
        )
    if not feature_columns(table):
        raise InputError(f"Feature table {name} has no feature column; {_REMEDY}.")
    if table.empty:
        raise InputError(
            f"Feature table {name} has no cells; check that its fields of view were segmented."
        )


def check_identity(table: pd.DataFrame, name: str) -> None:
    """Refuse a table in which a cell has no identity or is there twice.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table; named in the message.

    Raises
    ------
    InputError
        Names column or cell, and the number of rows.
    """
    for column in IDENTITY:
        empty = int(table[column].isna().sum())
        if empty:
            raise InputError(
                f"Feature table {name}: column {column!r} is empty in {empty} of {len(table)} "
                f"rows; {_REMEDY}."
            )
    if not pd.api.types.is_integer_dtype(table[CELL_ID]):
        raise InputError(
            f"Feature table {name}: column {CELL_ID!r} must hold whole numbers, not "
            f"{table[CELL_ID].dtype}; {_REMEDY}."
        )
    again = table.duplicated(IDENTITY)
    if again.any():
        first = table.loc[again.to_numpy(), IDENTITY].iloc[0]
        raise InputError(
            f"Feature table {name} holds {int(again.sum())} cells twice, for instance cell "
            f"{first[CELL_ID]} of dataset {first[DATASET]!r}; keep one row per "
            f"({DATASET}, {CELL_ID})."
        )


def check_classes(table: pd.DataFrame, name: str, classes: Collection[int]) -> None:
    """Refuse a table with a class that the study does not have.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table; named in the message.
    classes : collection of int
        The class numbers that may occur.

    Raises
    ------
    InputError
        Names the class and the number of rows.
    """
    strange = ~table[CLASS].isin(list(classes)).to_numpy()
    if strange.any():
        value = table[CLASS][strange].tolist()[0]
        known = ", ".join(str(number) for number in sorted(classes))
        raise InputError(
            f"Feature table {name}: column {CLASS!r} holds {value!r} in {int(strange.sum())} of "
            f"{len(table)} rows; allowed are {known}: correct the table or the study's classes."
        )


def check_finite(table: pd.DataFrame, name: str) -> None:
    """Refuse a table in which a feature is missing, infinite or not a number.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table; named in the message.

    Raises
    ------
    InputError
        Names the feature and the number of rows.
    """
    for column in feature_columns(table):
        values = table[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_complex_dtype(values):
            raise InputError(
                f"Feature table {name}: feature {column!r} is not a number but {values.dtype}; "
                "remove the column or list it in excluded_features of the study."
            )
        wrong = int((~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))).sum())
        if wrong:
            raise InputError(
                f"Feature table {name}: feature {column!r} is missing or infinite in {wrong} of "
                f"{len(table)} rows; remove those cells or list the feature in "
                "excluded_features of the study."
            )


def clean(
    raw: pd.DataFrame, datasets: pd.DataFrame, study: Study, name: str = "raw_features"
) -> pd.DataFrame:
    """Set identity and metadata apart from the features a classifier may use.

    Parameters
    ----------
    raw : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class and all features, one row per cell.
    datasets : pandas.DataFrame, shape (n_datasets, 5)
        One row per dataset: ``dataset`` and what is known of ``genotype``,
        ``stimulation``, ``clone`` and ``fov``.
    study : Study
        Names the features that are not used and the classes.
    name : str
        What the reader calls `raw`; named in messages.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 7 + n_features)
        Identity, class, metadata, features; rows in the order of `raw`. Metadata joins by
        dataset; what is not known is ``"unknown"``.

    Raises
    ------
    InputError
        If a table breaks its contract or a dataset is described twice.

    Notes
    -----
    A feature is left out when its name contains one of ``study.excluded_features``: the
    marker defines the classes, so its own intensity would answer the question asked.
    """
    table = used_columns(raw, study)
    check_feature_table(table, name, tuple(study.classes))
    described = _described(datasets)
    metadata = described.reindex(table[DATASET].to_numpy()).fillna(UNKNOWN).astype(str)
    metadata.index = table.index
    features = table[feature_columns(table)]
    cleaned = pd.concat([table[[*IDENTITY, CLASS]], metadata, features], axis=1)
    cleaned = cleaned.astype({DATASET: str, CELL_ID: "int64", CLASS: "int64"})
    return cleaned.reset_index(drop=True)


def used_columns(raw: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Leave out the features that a classifier may not use, and what else is no feature.

    Parameters
    ----------
    raw : pandas.DataFrame, shape (n_cells, n_columns)
    study : Study
        Names the features that are not used.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 3 + n_features)
        Identity and class, as far as there are such columns, and the features that are used.
    """
    identity = [column for column in [*IDENTITY, CLASS] if column in raw.columns]
    excluded = study.excluded_features
    used = [c for c in feature_columns(raw) if not any(part in c for part in excluded)]
    return raw[[*identity, *used]]


def _described(datasets: pd.DataFrame) -> pd.DataFrame:
    if DATASET not in datasets.columns:
        raise InputError(f"The table of datasets has no column {DATASET!r}; name each dataset.")
    again = datasets[DATASET].duplicated()
    if again.any():
        raise InputError(
            f"Dataset {datasets.loc[again, DATASET].iloc[0]!r} is described twice; "
            "keep one row per dataset."
        )
    return datasets.set_index(DATASET).reindex(columns=METADATA)
