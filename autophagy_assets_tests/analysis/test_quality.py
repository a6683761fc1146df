"""Questions about fields, cells and tables are answered with the number and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis import quality
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, SCORE
from autophagy_assets.study import Study
from autophagy_assets_tests.analysis.synthetic import raw_features

STUDY = Study.load()
CHECKS = STUDY.checks


@pytest.fixture
def table() -> pd.DataFrame:
    return raw_features(1, STUDY, "WT").reset_index(drop=True)


def manifest(*cells: int, aside: int = 0) -> pd.DataFrame:
    rows = [(f"FOV{i}", "ok", n) for i, n in enumerate(cells)]
    rows += [(f"bad{i}", "set aside", 0) for i in range(aside)]
    return pd.DataFrame(rows, columns=["fov", "status", "n_cells"])


def test_a_table_in_order_is_told_with_its_numbers(table):
    n, features = len(table), table.shape[1] - 3
    contract = quality.table_contract(table, "raw_features[WT]", STUDY)
    assert contract.passed and contract.numbers == {"cells": n, "features": features}
    assert f"raw_features[WT] has {n} cells" in contract.sentence
    assert quality.identity_unique(table, "T").passed
    finite = quality.finite_values(table, "T")
    assert finite.passed and finite.numbers == {"values": n * features}


def test_each_part_of_the_contract_tells_its_own_fault(table):
    unknown = quality.table_contract(table.assign(**{CLASS: 7}), "T", STUDY)
    assert not unknown.passed and "holds 7" in unknown.sentence
    empty = quality.table_contract(table.iloc[:0], "T", STUDY)
    assert not empty.passed and "no cells" in empty.sentence
    twice = quality.identity_unique(pd.concat([table, table.iloc[:2]]), "T")
    assert not twice.passed and "2 cells twice" in twice.sentence
    table.loc[3, "nucleus_area"] = np.nan
    gap = quality.finite_values(table, "T")
    assert not gap.passed and "'nucleus_area' is missing or infinite in 1 of" in gap.sentence


@pytest.mark.parametrize("column", [DATASET, CELL_ID, CLASS])
def test_a_table_without_a_column_of_identity_breaks_contract_and_identity(table, column):
    broken = table.drop(columns=column)
    assert column in quality.table_contract(broken, "T", STUDY).sentence
    assert not quality.identity_unique(broken, "T").passed


@given(st.integers(0, 60), st.integers(1, 60))
def test_balance_is_the_share_of_the_rarer_class_whichever_it_is(few, many):
    cells = pd.DataFrame({CLASS: [0] * few + [1] * many})
    found = quality.class_balance(cells, "T", STUDY)
    turned = quality.class_balance(1 - cells, "T", STUDY)
    share = min(few, many) / (few + many)
    assert found.numbers["share of the rarer class"] == share
    assert found.passed == turned.passed == (share >= CHECKS.smallest_class)


def test_a_rare_class_is_told_with_its_cells():
    found = quality.class_balance(pd.DataFrame({CLASS: [0] * 95 + [1] * 5}), "T", STUDY)
    assert not found.passed
    assert "95 are untreated and 5 are 14h Torin-1" in found.sentence
    assert "5%, and at least 20% is expected: add fields" in found.sentence


def test_intensities_of_nucleus_and_cytosol_differ(table):
    found = quality.intensities_differ(table, "T", CHECKS)
    assert found.passed and found.numbers["share of cells with the same"] == 0
    assert "12 intensities were compared" in found.sentence


def test_a_mask_that_stands_for_both_is_told_with_the_feature(table):
    half = len(table) // 2
    table.loc[: half - 1, "DAPI_mean_cytosol"] = table.loc[: half - 1, "DAPI_mean_nucleus"]
    found = quality.intensities_differ(table, "T", CHECKS)
    assert not found.passed
    assert found.numbers["feature"] == "DAPI_mean_nucleus"
    assert found.numbers["share of cells with the same"] == half / len(table)
    assert "up to 5.0% is taken as usual: look at the outlines" in found.sentence


def test_a_table_without_such_intensities_is_not_blamed(table):
    found = quality.intensities_differ(
        table[[DATASET, CELL_ID, CLASS, "nucleus_area"]], "T", CHECKS
    )
    assert found.passed and "no intensities" in found.sentence


def test_all_fields_are_accounted_for_used_or_not():
    found = quality.fields_accounted_for(["FOV0", "FOV1", "bad0"], manifest(30, 40, aside=1))
    assert found.passed
    assert "Of 3 registered fields of view, the manifest lists 3; 2" in found.sentence


@pytest.mark.parametrize(
    ("registered", "listed", "told"),
    [
        (["FOV0", "FOV1"], manifest(30), "missing: FOV1"),
        (["FOV0"], manifest(30, 40), "not registered: FOV1"),
        (["FOV0"], pd.concat([manifest(30)] * 2), "listed twice: FOV0"),
    ],
)
def test_a_field_that_is_lost_unknown_or_doubled_is_named(registered, listed, told):
    found = quality.fields_accounted_for(registered, listed)
    assert not found.passed
    assert told in found.sentence and "run 'autophagy refresh'" in found.sentence


def test_no_field_set_aside_is_told_with_n():
    found = quality.fields_set_aside({}, 4)
    assert found.passed and found.sentence == "Fields of view set aside: 0 of 4."


def test_fields_set_aside_are_counted_with_their_reasons():
    found = quality.fields_set_aside({f"FOV{i}": "no cells" for i in range(5)}, 9)
    assert not found.passed and found.numbers["set aside"] == 5
    assert "5 of 9 (FOV0: no cells;" in found.sentence and "and 2 more" in found.sentence
    assert str(found.numbers["reasons"]).splitlines()[4] == "FOV4: no cells"


def test_many_long_reasons_stay_small():
    found = quality.fields_set_aside({f"FOV{i}": "why\n" * 9999 for i in range(999)})
    assert len(found.sentence) < 1000 and len(str(found.numbers["reasons"])) < 6000


def test_usual_numbers_of_cells_pass_with_their_range():
    found = quality.cells_per_field(manifest(35, 151, 80, aside=1), CHECKS)
    assert found.passed and found.numbers["median cells"] == 80
    assert "3 fields of view with 35 to 151 cells each; 20 to 300" in found.sentence


@pytest.mark.parametrize("cells", [3, 301])
def test_a_field_outside_the_range_is_named(cells):
    found = quality.cells_per_field(manifest(80, cells), CHECKS)
    assert not found.passed and found.numbers["fields outside"] == 1
    assert f"1 outside (FOV1 has {cells})" in found.sentence


def test_fields_whose_cells_are_not_known_are_not_judged():
    assert quality.cells_per_field(manifest(-1, -1), CHECKS).passed


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
    assert quality.features_match(order, ["area", "mean", "median"], "T").passed


def test_features_that_differ_from_the_models_are_named():
    found = quality.features_match(["area", "new"], ["area", "mean"], "clean_features[KO]")
    assert not found.passed
    assert "it lacks mean and the classifier does not know new: make both" in found.sentence
    assert found.numbers == {"features": 2, "lacking": 1, "unknown": 1}
