"""Thresholds for a false-positive rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.evidence.threshold import threshold_at
from autophagy_assets.errors import InputError

scores = st.lists(st.sampled_from(np.linspace(0, 1, 21).tolist()), min_size=1, max_size=60)


@given(scores, st.floats(0.001, 0.999))
def test_it_is_the_smallest_that_keeps_the_rate(values, rate):
    found = threshold_at(values, rate)
    assert np.mean(np.array(values) > found) <= rate
    assert np.mean(np.array(values) > np.nextafter(found, -1)) > rate


def test_the_rate_is_counted_in_whole_cells():
    values = np.arange(20) / 20
    assert (values > threshold_at(values, 0.35)).sum() == 7
    assert (values > threshold_at(values, 0.05)).sum() == 1


def test_without_a_rate_there_is_no_threshold():
    assert threshold_at([0.1], None) is None


def test_without_untreated_cells_it_is_refused():
    with pytest.raises(InputError, match="needs untreated cells"):
        threshold_at([], 0.05)
