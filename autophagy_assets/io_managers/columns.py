"""Columns of a table as Dagster shows them: description and column lineage."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.features.tables import Table, columns_of
from autophagy_assets.analysis.identity import CLASS, OUTCOME, is_feature

# Dagster keeps the lineage in the event; an event stays small also with thousands of features.
_MOST = 2000


def column_schema(table: pd.DataFrame, kind: Table | None) -> dict[str, Any]:
    """Describe the columns of a table, as Dagster shows them.

    Parameters
    ----------
    kind : Table or None
        None for a table of which no more is known than the types of its columns.

    Returns
    -------
    dict
        Metadata of the materialization.
    """
    types = {str(name): str(dtype) for name, dtype in table.dtypes.items()}
    found = dict.fromkeys(types)
    if kind:
        found = {c.name: c.description for c in columns_of(kind, list(types))}
    columns = [dg.TableColumn(name, types[name], description=found[name]) for name in types]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def column_lineage(columns: Sequence[str], read: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Column lineage of a table, as Dagster shows it.

    Parameters
    ----------
    columns : sequence of str
        Of the table that was made.
    read : mapping of str to sequence of str
        Columns of each upstream table that the step has read, by asset.

    Returns
    -------
    dict
        Metadata of the materialization; empty where nothing is known or there is too much.

    Notes
    -----
    A column comes from the columns of the same name. One that no upstream table has was worked
    out from the features, and an outcome from the class as well.
    """
    features = [(asset, c) for asset, names in read.items() for c in names if is_feature(c)]
    classes = [(asset, c) for asset, names in read.items() for c in names if c == CLASS]
    found: dict[str, list[tuple[str, str]]] = {}
    for column in columns:
        same = [(asset, column) for asset, names in read.items() if column in names]
        found[column] = same or features + (classes if column == OUTCOME else [])
    if not 0 < sum(len(origins) for origins in found.values()) <= _MOST:
        return {}
    deps = {
        column: [dg.TableColumnDep(dg.AssetKey(asset), name) for asset, name in origins]
        for column, origins in found.items()
        if origins
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}
