"""Annotated labels: what people together say of a cell."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.analysis.labels.annotated import last_answers, resolved, with_answers
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.tables import measured_cells
from autophagy_assets_tests.analysis.labels.answered import answers_of

STUDY = Study.load()
UNTREATED, STIMULATED = STUDY.classes[0], STUDY.classes[1]
CELLS = measured_cells(STUDY, cells=4)
BY_ADA = [STIMULATED, STIMULATED, "bad crop", "unsure", STIMULATED, "bad crop"]
BY_BO = [STIMULATED, UNTREATED, "unsure", "unsure", "unsure", UNTREATED]
BOTH = pd.concat(
    [answers_of(CELLS.head(6), BY_ADA), answers_of(CELLS.head(6), BY_BO, "Bo")], ignore_index=True
)


def test_people_agree_contradict_each_other_or_are_unsure():
    found = CELLS.head(6)[IDENTITY].merge(resolved(BOTH, STUDY), on=IDENTITY)
    assert list(found["outcome"]) == [
        *("agreed", "contradiction", "bad crop", "unsure", "agreed", "contradiction")
    ]
    assert list(found["said_class"]) == [1, -1, -1, -1, 1, -1]
    assert set(found["n_people"]) == {2}


def test_the_last_answer_of_a_person_counts_and_not_how_often_it_was_given():
    again = answers_of(CELLS.head(1), [UNTREATED], at="2026-11-02T09:00:00")
    before = answers_of(CELLS.head(1), [STIMULATED])
    for table in (pd.concat([before, again]), pd.concat([again, before])):
        assert list(last_answers(table)["answer"]) == [UNTREATED]
        found = resolved(table, STUDY)
        assert (found["outcome"][0], found["said_class"][0], found["n_people"][0]) == (
            "agreed",
            0,
            1,
        )


def test_a_model_learns_agreed_classes_and_no_bad_crops_and_the_label_of_the_rest():
    mixed = CELLS.sample(frac=1, random_state=0)
    learned = with_answers(mixed, BOTH, STUDY)
    assert list(learned.columns) == list(CELLS.columns) and learned[CLASS].dtype == "int64"
    assert set(mixed.index) - set(learned.index) == {2}
    assert learned[CLASS].sort_index().drop([0, 4]).equals(CELLS[CLASS].drop([0, 2, 4]))
    assert learned.loc[[0, 4], CLASS].tolist() == [1, 1] != CELLS.loc[[0, 4], CLASS].tolist()
    assert mixed.equals(CELLS.loc[mixed.index]), "the cells that were given were changed"


def test_an_answer_that_the_study_does_not_know_is_named():
    with pytest.raises(InputError, match=r"answer 'starved'.*'untreated'.*'bad crop'"):
        resolved(answers_of(CELLS.head(1), ["starved"]), STUDY)
