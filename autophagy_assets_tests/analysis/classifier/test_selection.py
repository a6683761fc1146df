"""A random selection keeps the shares of clones and classes, and does not depend on order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.classifier.selection import select_cells, shares
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY
from autophagy_assets.config.study import NO_CLASS

STRATUM = ["clone", CLASS]


@st.composite
def control_cells(draw) -> pd.DataFrame:
    """Cells of a few clones and classes, the ids of which repeat between datasets."""
    parts = []
    for clone in range(draw(st.integers(1, 3))):
        for number in draw(st.sets(st.sampled_from([0, 1, NO_CLASS]), min_size=1)):
            n = draw(st.integers(1, 40))
            part = {DATASET: f"{clone}.{number}", CELL_ID: range(n), CLASS: number}
            parts.append(pd.DataFrame(part | {"clone": f"clone {clone}"}))
    seed = draw(st.integers(0, 99))
    return pd.concat(parts).sample(frac=1, random_state=seed).reset_index(drop=True)


def identities(cells: pd.DataFrame, chosen: np.ndarray) -> set[tuple]:
    return set(cells.loc[chosen, IDENTITY].itertuples(index=False, name=None))


@settings(max_examples=30)
@given(control_cells(), st.integers(1, 150), st.integers(0, 5))
def test_clones_and_classes_keep_their_shares_and_none_is_lost(cells, most, seed):
    chosen = select_cells(cells, most, seed)
    of_class = cells[cells[CLASS] != NO_CLASS]
    there, taken = of_class.groupby(STRATUM).size(), cells[chosen].groupby(STRATUM).size()
    assert chosen.sum() == min(most, len(of_class))
    assert not (cells.loc[chosen, CLASS] == NO_CLASS).any()
    if most >= len(there):
        taken = taken.reindex(there.index, fill_value=0)
        assert taken.ge(1).all() and taken.le(there).all()
        exact = there * chosen.sum() / max(1, len(of_class))
        # One cell of each comes first, so that a rare one is not lost: that is all that differs.
        assert taken.sub(exact).abs().le(len(there)).all()


@settings(max_examples=30)
@given(control_cells(), st.integers(1, 60), st.integers(0, 5), st.integers(0, 99))
def test_neither_the_order_of_cells_nor_other_columns_change_the_selection(
    cells, most, seed, order
):
    other = cells.sample(frac=1, random_state=order).assign(area=1.0)
    assert identities(cells, select_cells(cells, most, seed)) == identities(
        other, select_cells(other, most, seed)
    )


def test_another_seed_selects_other_cells():
    cells = pd.DataFrame({DATASET: "d", CELL_ID: range(200), CLASS: 0, "clone": "1"})
    assert (select_cells(cells, 100, 1) != select_cells(cells, 100, 2)).any()


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=20), st.data())
def test_shares_sum_to_the_draws_and_ask_no_group_for_more_than_it_has(sizes, data):
    most = data.draw(st.integers(1, sum(sizes)))
    found = shares(np.array(sizes), most)
    assert found.sum() == most and (found >= 0).all() and (found <= sizes).all()
