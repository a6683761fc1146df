"""Feature tables: the features that a classifier may use, and the metadata of each cell.

Not here: the contract of a table (``contract``), measuring features (``featurization``) and
finding tables (``registry``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    FIRST_ID,
    IDENTITY,
    METADATA,
    HasColumns,
    feature_columns,
)
from autophagy_assets.analysis.imaging.regions import places_of_cells
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
        ``stimulation``, ``clone`` and ``fov``. Of a dataset with several fields of view, one row
        for each, and ``first_id``: ids of its cells are above it.
    study : Study
        Names the features that are not used and the classes.
    name : str
        What the reader calls `raw`; named in messages.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 7 + n_features)
        Identity, class, metadata, features; rows in the order of `raw`. Metadata joins by
        dataset, or field; what is not known is ``"unknown"``.

    Raises
    ------
    InputError
        If a table breaks its contract, a dataset is described twice, or a cell has another class
        than the stimulation that its dataset is labelled with.

    Notes
    -----
    A feature is left out when its name contains one of ``study.excluded_features``: the
    marker defines the classes, so its own intensity would answer the question asked.
    """
    table = raw[used_columns(raw, study)]
    check_feature_table(table, name, study.class_numbers)
    metadata = _metadata(table, datasets).fillna(UNKNOWN).astype(str)
    metadata.index = table.index
    _require_same_class(table, metadata["stimulation"], name, study)
    features = table[feature_columns(table)]
    cleaned = pd.concat([table[[*IDENTITY, CLASS]], metadata, features], axis=1)
    cleaned = cleaned.astype({DATASET: str, CELL_ID: "int64", CLASS: "int64"})
    return cleaned.reset_index(drop=True)


def _require_same_class(
    cells: pd.DataFrame, stimulations: pd.Series, name: str, study: Study
) -> None:
    """Refuse cells whose class is another one than that of their stimulation.

    Models learn classes, and responses go by stimulations: by a table that counts the classes the
    other way round, every response would have the wrong sign.
    """
    expected = stimulations.map({label: study.class_of(label) for label in study.stimulations})
    wrong = (expected.notna() & (expected != cells[CLASS])).to_numpy()
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"Feature table {name}: cells of dataset {cells[DATASET].iloc[first]!r}, which is "
            f"labelled {stimulations.iloc[first]!r}, have class {cells[CLASS].iloc[first]} and not "
            f"{int(expected.iloc[first])}: correct the table, the label of the dataset, or the "
            "classes of the study file."
        )


def used_columns(raw: HasColumns, study: Study) -> list[str]:
    """Names of the identity and class columns, and of the features that a classifier may use.

    Parameters
    ----------
    raw : pandas.DataFrame or StoredCells
    study : Study
        Names the features that are not used.

    Returns
    -------
    list of str
        Identity and class, as far as there are such columns, and the features that are used.
    """
    identity = [column for column in [*IDENTITY, CLASS] if column in raw.columns]
    excluded = study.excluded_features
    used = [c for c in feature_columns(raw) if not any(part in c for part in excluded)]
    return [*identity, *used]


def _metadata(cells: pd.DataFrame, datasets: pd.DataFrame) -> pd.DataFrame:
    """Metadata of the field of view of each cell."""
    described = _described(datasets)
    if described.index.is_unique:
        return described[METADATA].reindex(cells[DATASET].to_numpy())
    found = np.full(len(cells), -1)
    ids, places = cells[CELL_ID].to_numpy(), described.reset_index().groupby(DATASET).indices
    for dataset, rows in cells.groupby(DATASET).indices.items():
        if (fields := places.get(dataset)) is not None:
            firsts = described[FIRST_ID].to_numpy()[fields]
            found[rows] = fields[places_of_cells(firsts, ids[rows])]
    return described[METADATA].reset_index(drop=True).reindex(found)


def _described(datasets: pd.DataFrame) -> pd.DataFrame:
    if DATASET not in datasets.columns:
        raise InputError(f"The table of datasets has no column {DATASET!r}; name each dataset.")
    firsts = datasets[FIRST_ID] if FIRST_ID in datasets.columns else 0
    datasets = datasets.assign(**{FIRST_ID: firsts}).sort_values(FIRST_ID, kind="stable")
    again = datasets[[DATASET, FIRST_ID]].duplicated()
    if again.any():
        raise InputError(
            f"Dataset {datasets.loc[again, DATASET].iloc[0]!r} is described twice; "
            "keep one row per dataset, or per field of view with its first_id."
        )
    return datasets.set_index(DATASET).reindex(columns=[*METADATA, FIRST_ID])
