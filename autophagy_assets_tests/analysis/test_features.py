"""The table contract, and metadata that joins by identity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.features import check_feature_table, clean
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
from autophagy_assets_tests.analysis.synthetic import described, raw_features

STUDY = Study.load()


def table(n: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            DATASET: ["a"] * (n // 2) + ["b"] * (n - n // 2),
            CELL_ID: [*range(n // 2), *range(n - n // 2)],
            CLASS: [0] * (n // 2) + [1] * (n - n // 2),
            "area": np.arange(n, dtype=float),
            "DAPI_mean": np.ones(n),
        }
    )


def test_a_good_table_passes_also_when_ids_repeat_across_datasets():
    check_feature_table(table(), "WT")


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
def test_each_violation_is_told_in_one_sentence_with_its_place(violation):
    change, told = violation
    with pytest.raises(InputError) as error:
        check_feature_table(change(table()), "WT table")
    message = str(error.value)
    assert "WT table" in message
    assert message.count("\n") == 0 and message.endswith(".")
    for part in told:
        assert part in message


def test_clean_keeps_rows_in_order_and_drops_excluded_features():
    raw = raw_features(0, STUDY, "WT")
    cleaned = clean(raw, described(raw, STUDY, "WT"), STUDY)
    assert list(cleaned.columns[:7]) == [*IDENTITY, CLASS, *METADATA]
    assert cleaned[IDENTITY].to_numpy().tolist() == raw[IDENTITY].to_numpy().tolist()
    features = feature_columns(cleaned)
    assert features == [name for name in feature_columns(raw) if "mCherry" not in name]
    np.testing.assert_array_equal(cleaned[features], raw[features])
    assert list(cleaned.index) == list(range(len(raw)))


@given(st.permutations(["a", "b", "c"]), st.permutations(range(9)))
def test_metadata_joins_by_dataset_whatever_the_order(order, rows):
    raw = pd.DataFrame(
        {DATASET: np.repeat(["a", "b", "c"], 3), CELL_ID: [1, 2, 3] * 3, CLASS: 0, "area": 1.0}
    ).iloc[list(rows)]
    datasets = pd.DataFrame({DATASET: order, "clone": [f"clone of {d}" for d in order]})
    cleaned = clean(raw, datasets, STUDY)
    assert list(cleaned["clone"]) == [f"clone of {d}" for d in raw[DATASET]]
    assert set(cleaned["fov"]) == {"unknown"}


def test_what_is_not_known_of_a_dataset_is_unknown():
    datasets = pd.DataFrame({DATASET: ["a"], "genotype": ["WT"], "clone": [None]})
    cleaned = clean(table(), datasets, STUDY)
    assert list(cleaned["genotype"].unique()) == ["WT", "unknown"]
    assert list(cleaned["clone"].unique()) == ["unknown"]


def test_a_dataset_described_twice_is_refused():
    datasets = pd.DataFrame({DATASET: ["a", "a"], "genotype": ["WT", "KO"]})
    with pytest.raises(InputError, match="'a' is described twice"):
        clean(table(), datasets, STUDY)


def test_an_excluded_feature_may_be_missing_values():
    raw = table().assign(mCherry_mean=np.nan)
    assert "mCherry_mean" not in clean(raw, pd.DataFrame({DATASET: ["a"]}), STUDY)
