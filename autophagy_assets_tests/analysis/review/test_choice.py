"""Which cells a page shows: parts, balance, and each cell once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY, METADATA, MODEL
from autophagy_assets.analysis.review.answers import CHOSEN_BY
from autophagy_assets.analysis.review.choice import (
    DISAGREEMENT,
    LABEL,
    MARGIN,
    PARTS,
    RANDOM,
    UNCERTAINTY,
    choose,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

pytestmark = pytest.mark.slow

STUDY = Study.load()
CLONES = [("WT", "clone 1"), ("WT", "clone 2"), ("KO", "clone 1"), ("KO", "clone 2")]


def scored(fields: list[int], seed: int = 0, models: tuple[str, ...] = ("puncta", "other")):
    """Cells of fields of view of the given sizes, with scores drawn at random."""
    random, rows = np.random.default_rng(seed), []
    for number, size in enumerate(fields):
        genotype, clone = CLONES[number % len(CLONES)]
        code = number // len(CLONES) % 2
        for cell in range(size):
            for model in models:
                place = (genotype, STUDY.classes[code], clone, f"FOV{number}")
                margin = random.uniform(-1, 1)
                rows.append((f"dataset{number}", cell, code, *place, model, margin))
    return pd.DataFrame(rows, columns=[*IDENTITY, CLASS, *METADATA, MODEL, MARGIN])


def identities(cells: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(cells[DATASET], cells[CELL_ID], strict=True))


@given(
    fields=st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any),
    n=st.integers(1, 60),
    seed=st.integers(0, 5),
    models=st.sampled_from([("puncta",), ("puncta", "other"), ("puncta", "a", "b")]),
)
def test_each_cell_is_shown_once_and_as_many_as_were_asked_for(fields, n, seed, models):
    table = scored(fields, seed, models)
    chosen = choose(table, n, seed, STUDY)
    shown = identities(chosen)
    assert len(shown) == len(set(shown)) == min(n, sum(fields))
    assert set(shown) <= set(identities(table))
    assert set(chosen[CHOSEN_BY]) <= set(PARTS)


@given(seed=st.integers(0, 1000), fields=st.lists(st.integers(1, 9), min_size=4, max_size=9))
def test_every_field_has_its_share_of_the_cells_drawn_at_random(seed, fields):
    table = scored(fields)
    chosen = choose(table, 24, seed, STUDY)
    drawn = chosen[chosen[CHOSEN_BY] == RANDOM]
    assert len(drawn) == -(-min(24, sum(fields)) // 4)
    for number, size in enumerate(fields):
        expected = len(drawn) * size / sum(fields)
        assert abs((drawn[DATASET] == f"dataset{number}").sum() - expected) < 1


@pytest.mark.slow
def test_every_cell_is_as_likely_to_be_drawn_at_random():
    table = scored([3, 5, 2, 6, 4])
    counts = pd.Series(
        0, index=pd.MultiIndex.from_tuples(identities(table.drop_duplicates(IDENTITY)))
    )
    for seed in range(100):
        chosen = choose(table, 16, seed, STUDY)
        counts[identities(chosen[chosen[CHOSEN_BY] == RANDOM])] += 1
    # 4 of 20 cells each time: 20 times in 100, with a standard deviation of 4.
    assert counts.between(4, 36).all()


def test_the_same_seed_gives_the_same_page_and_another_one_another():
    table = scored([20] * 8)
    first = choose(table, 40, 1, STUDY)
    pd.testing.assert_frame_equal(first, choose(table.sample(frac=1), 40, 1, STUDY))
    assert identities(first) != identities(choose(table, 40, 2, STUDY))


def test_the_order_of_a_page_says_nothing_of_field_or_part():
    chosen = choose(scored([20] * 8), 80, 0, STUDY)
    for column in (DATASET, CHOSEN_BY, CLASS):
        runs = (chosen[column] != chosen[column].shift()).sum()
        assert runs > chosen[column].nunique() * 2


@pytest.mark.parametrize("part", [DISAGREEMENT, UNCERTAINTY])
def test_parts_take_as_many_cells_of_each_clone_and_field(part):
    chosen = choose(scored([30] * 8), 64, 0, STUDY)
    cells = chosen[chosen[CHOSEN_BY] == part]
    assert set(cells.groupby(["genotype", "clone"]).size()) == {4}
    assert set(cells.groupby(DATASET).size()) == {2}


def test_each_part_shows_what_it_is_for():
    table = scored([30] * 8)
    chosen = choose(table, 64, 0, STUDY).set_index(IDENTITY)
    margins = table.pivot(index=IDENTITY, columns=MODEL, values=MARGIN).loc[chosen.index]
    suspected = chosen[CHOSEN_BY] == LABEL
    assert set(chosen[suspected]["genotype"]) == {STUDY.control}
    called = (margins["puncta"] > 0).astype(int)
    assert (called[suspected] != chosen[suspected][CLASS]).all()
    apart = margins[chosen[CHOSEN_BY] == DISAGREEMENT]
    assert ((apart["puncta"] > 0) != (apart["other"] > 0)).all()
    near = margins[chosen[CHOSEN_BY] == UNCERTAINTY]["puncta"].abs()
    assert near.max() < margins[suspected]["puncta"].abs().max()
    assert near.median() < 0.15 < table[MARGIN].abs().median()


def test_one_model_cannot_disagree_and_its_part_is_filled():
    chosen = choose(scored([30] * 8, models=("puncta",)), 64, 0, STUDY)
    assert len(chosen) == 64 and DISAGREEMENT not in set(chosen[CHOSEN_BY])


def test_no_cells_are_refused():
    with pytest.raises(InputError, match="no cell to choose from"):
        choose(scored([1]).head(0), 5, 0, STUDY)
