"""Questions about cells and scores are answered with the number and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, SCORE
from autophagy_assets.analysis.quality import cells as quality
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets_tests.analysis.synthetic import raw_features

STUDY = Study.load()
CHECKS = STUDY.checks


@pytest.fixture
def table() -> pd.DataFrame:
    return raw_features(1, STUDY, "WT").reset_index(drop=True)


@given(st.integers(0, 60), st.integers(1, 60))
def test_balance_is_the_share_of_the_rarer_class_whichever_it_is(few, many):
    cells = pd.DataFrame({CLASS: [0] * few + [1] * many})
    found = quality.class_balance(cells, "T", STUDY)
    turned = quality.class_balance(1 - cells, "T", STUDY)
    share = min(few, many) / (few + many)
    assert found.numbers["share of the rarer class"] == share
    assert found.passed == turned.passed == (share >= CHECKS.smallest_class)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 200))
def test_cells_of_no_class_say_nothing_of_the_balance(few, many, others):
    classes = [0] * few + [1] * many
    alone = quality.class_balance(pd.DataFrame({CLASS: classes}), "T", STUDY)
    more = pd.DataFrame({CLASS: [*classes, *[NO_CLASS] * others]})
    found = quality.class_balance(more, "T", STUDY)
    assert (found.passed, found.numbers) == (alone.passed, alone.numbers)


def test_a_rare_class_is_reported_with_its_cells():
    found = quality.class_balance(pd.DataFrame({CLASS: [0] * 95 + [1] * 5}), "T", STUDY)
    assert not found.passed
    assert "95 are untreated and 5 are 14h Torin-1" in found.sentence
    assert "5%, and at least 20% is expected: add fields" in found.sentence


def test_intensities_of_nucleus_and_cytosol_differ(table):
    found = quality.intensities_differ(table, "T", CHECKS)
    assert found.passed and found.numbers["share of cells with the same"] == 0
    assert "12 intensities were compared" in found.sentence


def test_a_mask_that_stands_for_both_is_reported_with_the_feature(table):
    half = len(table) // 2
    table.loc[: half - 1, "DAPI_mean_cytosol"] = table.loc[: half - 1, "DAPI_mean_nucleus"]
    found = quality.intensities_differ(table, "T", CHECKS)
    assert not found.passed
    assert found.numbers["feature"] == "DAPI_mean_nucleus"
    assert found.numbers["share of cells with the same"] == half / len(table)
    assert "up to 5.0% is taken as usual: look at the outlines" in found.sentence


def test_a_table_without_such_intensities_passes(table):
    found = quality.intensities_differ(
        table[[DATASET, CELL_ID, CLASS, "nucleus_area"]], "T", CHECKS
    )
    assert found.passed and "no intensities" in found.sentence


def test_cells_on_both_sides_are_counted_by_identity(table):
    training, test = table.iloc[:50], table.iloc[50:]
    assert quality.sides_apart(test, training).passed
    found = quality.sides_apart(test, table.iloc[:52].sample(frac=1, random_state=0))
    assert not found.passed and found.numbers["cells on both sides"] == 2
    other = test.assign(**{DATASET: "elsewhere"})  # the same numbers in another dataset
    assert quality.sides_apart(other, test).passed


def test_a_score_is_compared_with_that_of_its_own_cell(table):
    scores = np.linspace(0, 1, len(table))
    predictions = table[[DATASET, CELL_ID]].assign(**{SCORE: scores})
    drawn = predictions.rename(columns={SCORE: "score"}).sample(9, random_state=1)
    right = quality.scores_agree(drawn, "score", predictions)
    assert right.passed and right.numbers == {"pictures": 9, "wrong scores": 0}
    moved = drawn.assign(score=drawn["score"].to_numpy()[::-1])
    wrong = quality.scores_agree(moved, "score", predictions)
    assert not wrong.passed and "8 of 9 pictures carry a score" in wrong.sentence
    assert not quality.scores_agree(drawn, "score", predictions.iloc[:0]).passed


@given(st.permutations(["area", "mean", "median"]))
def test_the_order_of_features_does_not_matter(order):
    assert quality.features_match([*order, "more"], {"m": ["area", "mean", "median"]}, "T").passed


def test_features_that_differ_from_the_models_are_named():
    models = {"one": ["area", "mean"], "other": ["area"]}
    found = quality.features_match(["area", "new"], models, "model_features[KO]")
    assert not found.passed
    assert "for one it lacks mean: make both" in found.sentence
    assert found.numbers == {"features": 2, "lacking": 1}
