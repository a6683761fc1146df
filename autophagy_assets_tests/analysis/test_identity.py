"""Columns of a table of cells are the same whether they are copied or looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.identity import side_by_side

TABLE = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=[*"abcd"]).assign(e="text")


@pytest.mark.parametrize("columns", ["bcd", "abcde", "a", "", "ca", "dcb", "bd"])
def test_columns_come_in_the_order_in_which_they_are_wanted(columns):
    pd.testing.assert_frame_equal(side_by_side(TABLE, [*columns]), TABLE[[*columns]])


def test_what_follows_each_other_is_not_copied_and_what_is_lacking_is_named():
    assert np.shares_memory(side_by_side(TABLE, [*"bcd"]).to_numpy(), TABLE["c"].to_numpy())
    with pytest.raises(KeyError, match="z"):
        side_by_side(TABLE, ["z"])
