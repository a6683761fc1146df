"""Differences between the results of two versions of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from autophagy_assets.analysis.comparison.results import POSITIVE, Results
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.evidence.folds import SCHEMES
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, SCORE

BEFORE, AFTER = " before", " after"
_GROUP = [MODEL, "genotype", "stimulation"]
_CLAIM = ("asset", "rows", "column", "how")


@dataclass(frozen=True)
class Changes:
    """Differences between the results of two versions of a study.

    Attributes
    ----------
    cells : pandas.DataFrame
        Every cell of either version by every model of both: ``model``, identity, metadata, and
        ``prob_class1`` and ``positive`` with " before" and " after" (missing where a version does
        not have the cell).
    auc : pandas.DataFrame
        ``model``, ``scheme``, ``n_cells`` and ``auc`` with " before" and " after"; NaN where a
        version does not have it.
    clones : pandas.DataFrame
        ``genotype``, ``clone``, ``stimulation``, ``measure`` and ``value`` in the same way.
    claims : pandas.DataFrame
        Numbers and sentences of the report that are not as before: ``asset``, ``rows``,
        ``column``, ``how``, ``unit``, and ``says`` before and after (empty where it is not said).
    unsaid, said : list of (str, str)
        Heading and sentence, of the first version's report only, and of the second one's only.
    models : tuple of (list of str, list of str)
        Models that the first version alone has, and the second one alone.
    """

    cells: pd.DataFrame
    auc: pd.DataFrame
    clones: pd.DataFrame
    claims: pd.DataFrame
    unsaid: list[tuple[str, str]]
    said: list[tuple[str, str]]
    models: tuple[list[str], list[str]]

    @property
    def flipped(self) -> pd.DataFrame:
        """Cells whose class differs between the versions, the largest change of score first."""
        rows = self.cells[_in_both(self.cells)].copy()
        rows = rows[rows[POSITIVE + BEFORE].astype(bool) != rows[POSITIVE + AFTER].astype(bool)]
        by = (rows[SCORE + AFTER] - rows[SCORE + BEFORE]).abs()
        order = rows.assign(by=by).sort_values(
            [MODEL, "by", *IDENTITY], ascending=[True, False, True, True]
        )
        return order.drop(columns="by").reset_index(drop=True)

    @property
    def anything(self) -> bool:
        """Whether a cell, a number or a sentence differs."""
        numbers = [(self.auc, "auc"), (self.clones, "value")]
        moved = any(different(table, column).any() for table, column in numbers)
        cells = not _in_both(self.cells).all() or different(self.cells, SCORE).any()
        return bool(moved or cells or self.said or self.unsaid or len(self.claims))


def changes(before: Results, after: Results, models: Iterable[str] | None = None) -> Changes:
    """Compare two versions of a study's results.

    Parameters
    ----------
    models : iterable of str, optional
        Of which cells are compared; default all that both have.

    Returns
    -------
    Changes
        Cells are the same if they have the same identity: what was segmented again has other
        cells.
    """
    shared = [name for name in after.models if name in before.models]
    if models is not None:
        shared = [name for name in shared if name in set(models)]
    parts = [_cells(before, after, model) for model in shared]
    names = [MODEL, *IDENTITY, CLASS, *METADATA]
    empty = pd.DataFrame(columns=[*names, *_twice(SCORE), *_twice(POSITIVE)])
    sides = [
        [(heading, one) for heading, found in side.sentences.items() for one in found]
        for side in (before, after)
    ]
    auc = _joined(before.aucs(), after.aucs(), [MODEL, SCHEME])
    auc["at"] = auc[SCHEME].map({scheme: n for n, scheme in enumerate(SCHEMES)})
    return Changes(
        pd.concat(parts, ignore_index=True) if parts else empty,
        auc.sort_values([MODEL, "at"], ignore_index=True).drop(columns="at"),
        _joined(before.clones(), after.clones(), ["genotype", "clone", "stimulation", "measure"]),
        _claims(before.claims, after.claims),
        [one for one in sides[0] if one not in sides[1]],
        [one for one in sides[1] if one not in sides[0]],
        (
            [name for name in before.models if name not in after.models],
            [name for name in after.models if name not in before.models],
        ),
    )


def class_changes(found: Changes) -> pd.DataFrame:
    """Count the cells that changed class.

    Returns
    -------
    pandas.DataFrame
        A row by model, genotype and stimulation: ``cells`` of both versions, ``to positive``,
        ``to negative``, and cells ``gone`` and ``new``.
    """
    cells, both = found.cells, _in_both(found.cells)
    was = cells[POSITIVE + BEFORE].eq(True)  # and not where it is missing
    now = cells[POSITIVE + AFTER].eq(True)
    counted = cells[_GROUP].assign(
        **{
            "cells": both,
            "to positive": both & ~was & now,
            "to negative": both & was & ~now,
            "gone": cells[SCORE + AFTER].isna(),
            "new": cells[SCORE + BEFORE].isna(),
        }
    )
    return counted.groupby(_GROUP, sort=False).sum().reset_index()


def different(table: pd.DataFrame, column: str) -> pd.Series:
    """Which rows have different values before and after.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `Changes`.
    column : str
        Without " before" and " after".
    """
    was, now = table[column + BEFORE], table[column + AFTER]
    return ~((was == now) | (was.isna() & now.isna()))


def _twice(name: str) -> list[str]:
    return [name + BEFORE, name + AFTER]


def _in_both(cells: pd.DataFrame) -> pd.Series:
    return cells[SCORE + BEFORE].notna() & cells[SCORE + AFTER].notna()


def _cells(before: Results, after: Results, model: str) -> pd.DataFrame:
    labels = [*IDENTITY, CLASS, *METADATA]
    was, now = before.cells(model), after.cells(model)
    # Labels may have been corrected meanwhile: those of now count.
    known = pd.concat([now[labels], was[labels]]).drop_duplicates(IDENTITY)
    scores = [
        side.set_index(IDENTITY)[[SCORE, POSITIVE]].add_suffix(end)
        for side, end in ((was, BEFORE), (now, AFTER))
    ]
    joined = known.set_index(IDENTITY).join(scores[0]).join(scores[1]).reset_index()
    joined.insert(0, MODEL, model)
    return joined[[MODEL, *labels, *_twice(SCORE), *_twice(POSITIVE)]]


def _joined(was: pd.DataFrame, now: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    return was.merge(now, on=on, how="outer", suffixes=(BEFORE, AFTER))


def _claims(was: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    def by_place(claims: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], Mapping[str, Any]]:
        return {tuple(str(claim[name]) for name in _CLAIM): claim for claim in claims}

    sides = by_place(was), by_place(now)
    rows = []
    for place in dict.fromkeys([*sides[1], *sides[0]]):
        claims = [side.get(place, {}) for side in sides]
        if all(claims) and claims[0]["value"] == claims[1]["value"]:
            continue
        unit = (claims[1] or claims[0])["unit"]
        rows.append([*place, unit, *(claim.get("says", "") for claim in claims)])
    return pd.DataFrame(rows, columns=[*_CLAIM, "unit", *_twice("says")])
