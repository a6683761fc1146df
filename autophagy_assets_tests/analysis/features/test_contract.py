"""The contract of a feature table: each violation is named with its place and its number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.features import contract
from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import raw_features, six_cells

STUDY = Study.load()


@pytest.fixture
def table() -> pd.DataFrame:
    return raw_features(1, STUDY, "WT").reset_index(drop=True)


def test_a_good_table_passes_also_when_ids_repeat_across_datasets():
    check_feature_table(six_cells(), "WT")


def put(column, row, value, dtype=None):
    def change(cells):
        if dtype:
            cells[column] = cells[column].astype(dtype)
        cells.loc[row, column] = value
        return cells

    return change


VIOLATIONS = {
    "no cell ids": (lambda t: t.drop(columns=CELL_ID), ["no column 'scportrait_cell_id'"]),
    "no dataset": (lambda t: t.drop(columns=DATASET), ["no column 'dataset'"]),
    "no class": (lambda t: t.drop(columns=CLASS), ["no column 'class'"]),
    "no rows": (lambda t: t.head(0), ["no cells"]),
    "no features": (lambda t: t[[*IDENTITY, CLASS]], ["no feature column"]),
    "same cell twice": (lambda t: pd.concat([t, t.head(2)]), ["2 cells twice", "cell 0", "'a'"]),
    "missing feature": (put("area", 3, np.nan), ["'area'", "1 of 6 rows"]),
    "infinite feature": (put("DAPI_mean", 2, np.inf), ["'DAPI_mean'", "1 of 6 rows"]),
    "text feature": (put("area", 1, "big", object), ["'area'", "object", "excluded_features"]),
    "unknown class": (put(CLASS, 5, 7), ["'class'", "7", "0, 1"]),
    "missing class": (put(CLASS, 5, np.nan, float), ["'class'", "nan", "1 of 6"]),
    "missing dataset": (put(DATASET, 0, None), ["'dataset'", "empty in 1 of 6"]),
    "ids with fractions": (put(CELL_ID, 0, 1.5, float), ["'scportrait_cell_id'", "float64"]),
    "column twice": (lambda t: t.set_axis([*t.columns[:-1], "area"], axis=1), ["'area'", "once"]),
}


@pytest.mark.parametrize("violation", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_each_violation_is_reported_in_one_sentence_with_its_place(violation):
    change, words = violation
    with pytest.raises(InputError) as error:
        check_feature_table(change(six_cells()), "WT table")
    message = str(error.value)
    assert "WT table" in message
    assert message.count("\n") == 0 and message.endswith(".")
    for part in words:
        assert part in message


def test_a_table_in_order_is_reported_with_its_numbers(table):
    n, features = len(table), table.shape[1] - 3
    found = contract.table_contract(table, "raw_features[WT]", STUDY)
    assert found.passed and found.numbers == {"cells": n, "features": features}
    assert f"raw_features[WT] has {n} cells" in found.sentence
    assert contract.identity_unique(table, "T").passed
    finite = contract.finite_values(table, "T")
    assert finite.passed and finite.numbers == {"values": n * features}


def test_each_part_of_the_contract_names_its_own_fault(table):
    unknown = contract.table_contract(table.assign(**{CLASS: 7}), "T", STUDY)
    assert not unknown.passed and "holds 7" in unknown.sentence
    empty = contract.table_contract(table.iloc[:0], "T", STUDY)
    assert not empty.passed and "no cells" in empty.sentence
    twice = contract.identity_unique(pd.concat([table, table.iloc[:2]]), "T")
    assert not twice.passed and "2 cells twice" in twice.sentence
    table.loc[3, "nucleus_area"] = np.nan
    gap = contract.finite_values(table, "T")
    assert not gap.passed and "'nucleus_area' is missing or infinite in 1 of" in gap.sentence


@pytest.mark.parametrize("column", [DATASET, CELL_ID, CLASS])
def test_a_table_without_a_column_of_identity_breaks_contract_and_identity(table, column):
    broken = table.drop(columns=column)
    assert column in contract.table_contract(broken, "T", STUDY).sentence
    assert not contract.identity_unique(broken, "T").passed
