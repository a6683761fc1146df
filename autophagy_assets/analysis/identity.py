"""What names a cell, and which columns of a table are not features.

A cell is (``dataset``, ``scportrait_cell_id``): ids repeat between datasets, so
neither column alone names a cell and position never does.
"""

from __future__ import annotations

import pandas as pd

DATASET = "dataset"
CELL_ID = "scportrait_cell_id"
CLASS = "class"
IDENTITY = [DATASET, CELL_ID]
METADATA = ["genotype", "stimulation", "clone", "fov"]
PREDICTED = "predicted_class"
SCORE = "prob_class1"
OUTCOME = "outcome"
PREDICTION = [PREDICTED, SCORE, OUTCOME]

NOT_FEATURES = frozenset([*IDENTITY, CLASS, *METADATA, *PREDICTION])


def feature_columns(table: pd.DataFrame) -> list[str]:
    """Names of the feature columns of a table, in its order.

    Parameters
    ----------
    table : pandas.DataFrame
        A feature table; identity, class, metadata and prediction columns may be present.

    Returns
    -------
    list of str
        Every column that is none of those.
    """
    return [column for column in table.columns if is_feature(column)]


def is_feature(column: str) -> bool:
    """Whether a column holds a feature.

    Parameters
    ----------
    column : str

    Returns
    -------
    bool
        True for every column that is none of identity, class, metadata and prediction.
    """
    return column not in NOT_FEATURES
