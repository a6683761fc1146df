"""Cleaning: rows keep their order, excluded features go, and metadata joins by identity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.features.cleaning import clean
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
from autophagy_assets_tests.analysis.synthetic import described, raw_features, six_cells

STUDY = Study.load()


def test_clean_keeps_rows_in_order_and_drops_excluded_features():
    raw = raw_features(0, STUDY, "WT")
    cleaned = clean(raw, described(raw, STUDY, "WT"), STUDY)
    assert list(cleaned.columns[:7]) == [*IDENTITY, CLASS, *METADATA]
    assert cleaned[IDENTITY].to_numpy().tolist() == raw[IDENTITY].to_numpy().tolist()
    features = feature_columns(cleaned)
    assert features == [name for name in feature_columns(raw) if "mCherry" not in name]
    np.testing.assert_array_equal(cleaned[features], raw[features])
    assert list(cleaned.index) == list(range(len(raw)))


@pytest.mark.parametrize("number", [0, 1])
def test_a_table_that_counts_classes_the_other_way_round_is_refused(number):
    raw = six_cells()
    known = described(raw, STUDY, "WT")
    raw.loc[raw[CLASS] == number, CLASS] = 1 - number
    with pytest.raises(InputError, match=f"labelled '{STUDY.classes[number]}', have class"):
        clean(raw, known, STUDY)


@given(st.permutations(["a", "b", "c"]), st.permutations(range(9)))
def test_metadata_joins_by_dataset_whatever_the_order(order, rows):
    raw = pd.DataFrame(
        {DATASET: np.repeat(["a", "b", "c"], 3), CELL_ID: [1, 2, 3] * 3, CLASS: 0, "area": 1.0}
    ).iloc[list(rows)]
    datasets = pd.DataFrame({DATASET: order, "clone": [f"clone of {d}" for d in order]})
    cleaned = clean(raw, datasets, STUDY)
    assert list(cleaned["clone"]) == [f"clone of {d}" for d in raw[DATASET]]
    assert set(cleaned["fov"]) == {"unknown"}


@given(st.permutations(range(4)), st.permutations(range(9)))
def test_cells_of_fields_that_share_a_dataset_have_the_labels_of_their_own(order, rows):
    raw = pd.DataFrame(
        {DATASET: ["all"] * 6 + ["b"] * 3, CELL_ID: [1, 7, 8, 9, 20, 21, 0, 7, 30], CLASS: 0}
    ).assign(area=1.0)
    shown = raw.iloc[list(rows)]
    datasets = pd.DataFrame(
        {DATASET: ["all", "all", "all", "b"], "fov": list("xyzw"), "first_id": [0, 7, 20, 0]}
    ).iloc[list(order)]
    cleaned = clean(shown, datasets, STUDY)
    assert "".join(cleaned["fov"]) == "".join("xxyyyzwww"[row] for row in rows)


def test_what_is_not_known_of_a_dataset_is_unknown():
    datasets = pd.DataFrame({DATASET: ["a"], "genotype": ["WT"], "clone": [None]})
    cleaned = clean(six_cells(), datasets, STUDY)
    assert list(cleaned["genotype"].unique()) == ["WT", "unknown"]
    assert list(cleaned["clone"].unique()) == ["unknown"]


def test_a_dataset_described_twice_is_refused():
    datasets = pd.DataFrame({DATASET: ["a", "a"], "genotype": ["WT", "KO"]})
    with pytest.raises(InputError, match="'a' is described twice"):
        clean(six_cells(), datasets, STUDY)


def test_an_excluded_feature_may_be_missing_values():
    raw = six_cells().assign(mCherry_mean=np.nan)
    assert "mCherry_mean" not in clean(raw, pd.DataFrame({DATASET: ["a"]}), STUDY)
