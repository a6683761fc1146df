"""Validation of tables, and their LaminDB schemas: columns with unit and meaning."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from autophagy_assets.analysis.features.tables import (
    MANIFEST,
    Column,
    Table,
    feature,
    misfits,
)
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.instance import connect, retried, writing
from autophagy_assets.registry.store.labels import GENOTYPE, STIMULATION, find_feature, find_label

# So many reasons why a table does not fit are named.
_SHOWN = 3


def validated(table: pd.DataFrame, kind: Table, name: str) -> Any:
    """Validate a table, and register its schema.

    Parameters
    ----------
    kind : Table
        The contract that it has to fit.
    name : str
        What messages call the table.

    Returns
    -------
    lamindb.Schema or None
        The schema; None for a kind of table that has none in LaminDB.

    Raises
    ------
    InputError
        If a column is missing or of another type; names it.
    """
    if distinct := misfits(table, kind):
        more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
        raise InputError(
            f"Table {name} does not fit its schema: {'; '.join(distinct[:_SHOWN])}{more}. Make the "
            "table again, or correct the file that it comes from."
        )
    if kind is MANIFEST:  # its columns are what people may call their own labels
        return None
    names = {column.name for column in kind.columns}
    _register_labels(table, [label for label in (GENOTYPE, STIMULATION) if label in names])
    return _schema(kind, tuple(kind.features_of(table)))


@cache
def _schema(kind: Table, features: tuple[str, ...]) -> Any:
    columns = [*kind.columns, *(feature(name) for name in features)]

    def find_or_create() -> Any:
        with writing() as ln:
            names = [column.name for column in columns]
            known = {f.name: f for f in ln.Feature.filter(name__in=names, is_type=False)}
            members = [
                # The labels of artifacts are of the same kinds: whoever comes first, table or
                # label, has to register them as labels.
                find_feature(ln, column.name)
                if column.name in (GENOTYPE, STIMULATION)
                else known.get(column.name) or _feature(ln, column)
                for column in columns
            ]
            # Named by what it holds, as tables of several assets hold the same; and by a code
            # of the features: LaminDB would change the schema that has the name already.
            code = derived(4, "features", *features)
            full = f"{kind.name}, {len(features)} features {code}"
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
                    find_label(ln, name)

        retried(create)


def _feature(ln: Any, column: Column) -> Any:
    # Its name is known to be new: LaminDB would compare it with every feature there is.
    creation = ln.settings.creation
    searched, creation.search_names = creation.search_names, False
    try:
        new = ln.Feature(name=column.name, dtype=column.type, description=column.meaning)
    finally:
        creation.search_names = searched
    new.unit = column.unit
    new.uid = derived(12, "column", column.name)
    return new.save()
