"""Folds: what is left out together, and when there is nothing to leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.evidence.field_groups import GROUP, field_groups
from autophagy_assets.analysis.evidence.folds import (
    CLONE,
    FIELD,
    RANDOM,
    SCHEMES,
    folds,
    possible_folds,
    strictest,
)
from autophagy_assets.analysis.identity import CLASS, DATASET, IDENTITY
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.tables import cells_of

pytestmark = pytest.mark.slow

STUDY = Study.load()
TWO = {"1": (["FOV1", "FOV2"], ["FOV1", "FOV2"]), "2": (["FOV1", "FOV2"], ["FOV1", "FOV2"])}
names = st.lists(st.sampled_from([f"FOV{n}" for n in range(1, 13)]), unique=True, max_size=4)
studies = st.dictionaries(st.sampled_from("abcd"), st.tuples(names, names), min_size=1).filter(
    lambda clones: all(a or b for a, b in clones.values())
)


def _sides(table: pd.DataFrame, scheme: str) -> list[tuple[str, set, set]]:
    """Names and identities of the cells on both sides of each fold."""
    cells = [tuple(row) for row in table[IDENTITY].itertuples(index=False)]
    return [
        (fold.left_out, {cells[i] for i in fold.train}, {cells[i] for i in fold.test})
        for fold in folds(table, scheme, STUDY)
    ]


@settings(max_examples=60, deadline=None)
@given(studies, st.randoms(use_true_random=False))
def test_every_cell_is_left_out_once_and_is_never_on_both_sides(clones, random):
    table = cells_of(STUDY, clones, cells=6)
    found = possible_folds(table, STUDY)
    assert set(found.folds) | set(found.refused) == set(SCHEMES)
    for scheme, parts in found.folds.items():
        tested = np.concatenate([fold.test for fold in parts])
        assert sorted(tested) == list(range(len(table)))
        for fold in parts:
            assert set(fold.train) | set(fold.test) == set(range(len(table)))
            assert not set(fold.train) & set(fold.test)
            assert set(table[CLASS].iloc[fold.train]) == {0, 1}
        shuffled = list(range(len(table)))
        random.shuffle(shuffled)
        assert _sides(table, scheme) == _sides(table.iloc[shuffled], scheme)


@settings(max_examples=60, deadline=None)
@given(studies)
def test_an_image_a_field_of_a_clone_and_a_clone_are_never_on_both_sides(clones):
    table = cells_of(STUDY, clones, cells=3)
    found = possible_folds(table, STUDY).folds
    kept = {FIELD: [[DATASET], ["clone", "fov"]], CLONE: [[DATASET], ["clone"]]}
    for scheme in found.keys() & kept.keys():
        for fold in found[scheme]:
            for columns in kept[scheme]:
                keys = table[columns].agg("|".join, axis=1)
                assert not set(keys.iloc[fold.train]) & set(keys.iloc[fold.test])


def test_a_field_that_is_left_out_holds_both_classes():
    table = cells_of(STUDY, TWO)
    parts = folds(table, FIELD, STUDY)
    assert [fold.left_out for fold in parts] == ["1, FOV1", "1, FOV2", "2, FOV1", "2, FOV2"]
    assert all(set(table[CLASS].iloc[fold.test]) == {0, 1} for fold in parts)


def test_fields_of_different_labels_go_together_in_the_order_people_count():
    table = cells_of(STUDY, {"1": (["FOV2", "FOV10"], ["FOV11", "FOV3", "FOV20"])})
    groups = field_groups(table).set_index("fov")[GROUP]
    assert groups["FOV2"] == groups["FOV3"] == groups["FOV20"] != groups["FOV10"]
    assert groups["FOV10"] == groups["FOV11"] == "FOV11 with FOV10"


def test_random_parts_hold_the_classes_in_their_shares():
    table = cells_of(STUDY, {"1": (["FOV1"], ["FOV1", "FOV2"])}, cells=25)
    parts = folds(table, RANDOM, STUDY)
    assert [table[CLASS].iloc[fold.test].tolist().count(0) for fold in parts] == [5] * 5


@pytest.mark.parametrize(
    ("clones", "scheme", "said"),
    [
        ({"1": (["A", "B"], ["A", "B"])}, CLONE, r"two clones of the control, .* one \(1\)"),
        ({"1": (["A"], ["A"]), "2": (["A"], ["A"])}, FIELD, "each of 2 has one"),
        ({"1": (["A"], ["A"])}, FIELD, "two fields of view"),
        ({"1": (["A"], []), "2": (["A"], [])}, CLONE, "none of 14h Torin-1: add"),
        ({"1": (["A"], ["A"]), "2": (["A"], [])}, CLONE, "Torin-1 when 1 is left out"),
        ({"1": (["A"], []), "2": (["A"], []), "3": ([], ["A"]), "4": ([], ["A"])}, CLONE, "both"),
    ],
)
def test_a_scheme_that_cannot_be_says_what_is_missing(clones, scheme, said):
    table = cells_of(STUDY, clones)
    with pytest.raises(InputError, match=said):
        folds(table, scheme, STUDY)
    assert scheme in possible_folds(table, STUDY).refused


def test_few_cells_of_a_class_are_divided_in_as_many_folds():
    parts = folds(cells_of(STUDY, TWO, cells=1), RANDOM, STUDY)
    assert [fold.left_out for fold in parts] == [f"part {n} of 4" for n in (1, 2, 3, 4)]


def test_one_cell_of_a_class_is_not_divided():
    table = cells_of(STUDY, {"1": (["A"], ["A"])}, cells=1)
    with pytest.raises(InputError, match="rarer one has 1"):
        folds(table, RANDOM, STUDY)


def test_the_strictest_scheme_is_the_last_one_possible():
    assert strictest([CLONE, RANDOM]) == CLONE
    assert strictest([FIELD, RANDOM]) == FIELD
