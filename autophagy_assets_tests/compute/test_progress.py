"""What is said of work on its way: seldom, and right."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.compute.progress import Progress


def test_it_says_done_of_all_rate_and_time_left_every_30_s():
    progress = Progress(450, began=0.0)
    said = {second: progress.one_more(second) for second in range(10, 370, 10)}
    assert [second for second, sentence in said.items() if sentence] == [*range(30, 370, 30)]
    assert said[30] == "3 of 450 fields, 6.0 a minute, 74 min left"
    assert said[360] == "36 of 450 fields, 6.0 a minute, 69 min left"


def test_the_last_one_is_said_where_anything_was():
    short, long = Progress(2, began=0.0), Progress(2, began=0.0)
    assert [short.one_more(5.0), short.one_more(9.0)] == ["", ""]
    assert long.one_more(40.0) == "1 of 2 fields, 1.5 a minute, 40 s left"
    assert long.one_more(50.0) == "2 of 2 fields, 2.4 a minute"


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=50))
def test_no_two_sentences_are_nearer_than_30_s_but_for_the_last(pauses):
    progress, now, times = Progress(len(pauses), began=0.0), 0.0, []
    for pause in pauses:
        now += pause
        if progress.one_more(now):
            times.append(now)
    assert progress.done == len(pauses)
    assert all(b - a >= 30 for a, b in pairwise(times[:-1]))
