"""Progress of processing: reported rarely, and correct."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.compute.progress import Note, Notes, Progress


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


def test_a_note_replaces_the_last_one_of_its_step_and_no_other_and_goes_with_it(tmp_path):
    notes, other = Notes(tmp_path / "progress"), Note(1, 4, 0.5)
    notes.write("cells[a]", other)
    for done in (1, 2):
        notes.write("cells[b]", Note(done, 9, 1.5, "2 of 9 fields"))
    assert notes.read("cells[b]") == Note(2, 9, 1.5, "2 of 9 fields")
    notes.remove("cells[b]")
    assert (notes.read("cells[a]"), notes.read("cells[b]")) == (other, None)
    assert len([*notes.folder.iterdir()]) == 1
    next(notes.folder.iterdir()).write_text('{"of another": "version"}')
    assert notes.read("cells[a]") is None


def test_where_no_note_can_be_left_the_work_goes_on(tmp_path):
    (tmp_path / "file").touch()
    notes = Notes(tmp_path / "file")
    notes.write("cells", Note(1, 4, 0.0))
    assert notes.read("cells") is None
