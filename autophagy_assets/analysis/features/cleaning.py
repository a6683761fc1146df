"""Feature tables: the features that a classifier may use, and the metadata of each cell.

Not here: the contract of a table (``contract``), measuring features (``featurization``) and
finding tables (``registry``).
"""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    METADATA,
    feature_columns,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

UNKNOWN = "unknown"


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
    check_feature_table(table, name, study.class_numbers)
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
