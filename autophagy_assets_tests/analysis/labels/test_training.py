"""Training parts: a cell that is left out does not affect the model that scores it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, SCHEMES, folds
from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.analysis.labels.confident import suspected
from autophagy_assets.analysis.labels.training import training_part
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells
from autophagy_assets_tests.analysis.labels.answered import answers_of

pytestmark = pytest.mark.slow

STUDY = Study.load()
UNTREATED, STIMULATED = STUDY.classes[0], STUDY.classes[1]
CELLS = measured_cells(STUDY, biology=2.5, cells=20).sort_values(IDENTITY, ignore_index=True)
FEATURE = ["marker_spots_contrast"]
AUDITED = forest(labels="audited")
ANNOTATED = forest(labels="annotated")
OTHER, OWN = (CELLS[CELLS["clone"] == clone] for clone in ("clone 1", "clone 2"))


@cache
def as_given() -> pd.DataFrame:
    return cross_validate(CELLS, forest(), STUDY)


@cache
def as_audited() -> pd.DataFrame:
    return cross_validate(CELLS, AUDITED, STUDY)


def fitted(cells: pd.DataFrame) -> RandomForestClassifier:
    plain = RandomForestClassifier(n_estimators=20, max_depth=10, random_state=42)
    return plain.fit(cells[FEATURE], cells[CLASS])


def of_clone_2(scores: pd.DataFrame) -> np.ndarray:
    kept = (scores["scheme"] == CLONE) & (scores["fold"] == "clone 2")
    return scores[kept]["score"].to_numpy()


def flipped(cells: pd.DataFrame, every: int = 3) -> pd.DataFrame:
    found = cells.copy()
    found.loc[cells.index[::every], CLASS] = 1 - cells.loc[cells.index[::every], CLASS]
    return found


def test_a_model_of_audited_labels_is_fitted_without_the_suspects_of_its_training_part():
    scores, number = np.empty(len(OTHER)), np.empty(len(OTHER), dtype=int)
    for place, fold in enumerate(folds(OTHER, FIELD, STUDY)):
        model = fitted(OTHER.iloc[fold.train])
        scores[fold.test] = model.predict_proba(OTHER.iloc[fold.test][FEATURE])[:, 1]
        number[fold.test] = place
    suspects = suspected(OTHER[CLASS], scores, number)
    assert 0 < suspects.sum() < 20
    expected = fitted(OTHER[~suspects]).predict_proba(OWN[FEATURE])[:, 1]
    np.testing.assert_allclose(of_clone_2(as_audited()), expected, rtol=0, atol=1e-12)
    assert not np.allclose(of_clone_2(as_audited()), of_clone_2(as_given()))


def test_every_cell_is_tested_with_the_label_that_it_was_given():
    columns = ["scheme", "fold", *IDENTITY, CLASS]
    assert as_audited()[columns].equals(as_given()[columns])


@pytest.mark.parametrize("model", [forest(), AUDITED], ids=["as_given", "audited"])
def test_labels_of_cells_that_are_left_out_change_no_score_of_theirs(model):
    other = cross_validate(pd.concat([OTHER, flipped(OWN)]), model, STUDY)
    found = as_audited() if model is AUDITED else as_given()
    assert (of_clone_2(other) == of_clone_2(found)).all()
    trained_on_them = cross_validate(pd.concat([flipped(OTHER), OWN]), model, STUDY)
    assert (of_clone_2(trained_on_them) != of_clone_2(found)).any()


def test_answers_about_cells_that_are_left_out_change_no_score_of_theirs():
    said = answers_of(OWN, flipped(OWN)[CLASS].map(STUDY.classes))
    found = cross_validate(CELLS, ANNOTATED, STUDY, said)
    assert (of_clone_2(found) == of_clone_2(as_given())).all()
    assert found[["scheme", *IDENTITY, CLASS]].equals(as_given()[["scheme", *IDENTITY, CLASS]])


def test_a_model_of_annotated_labels_learns_what_people_say():
    bad, other = OTHER.iloc[:5], OTHER.iloc[5:20]
    truth = 1 - other[CLASS]
    said = answers_of(
        pd.concat([bad, other]), ["bad crop"] * 5 + [STUDY.classes[number] for number in truth]
    )
    found = cross_validate(CELLS, ANNOTATED, STUDY, said)
    learned = OTHER.iloc[5:].copy()
    learned.loc[other.index, CLASS] = truth
    expected = fitted(learned).predict_proba(OWN[FEATURE])[:, 1]
    np.testing.assert_allclose(of_clone_2(found), expected, rtol=0, atol=1e-12)


def test_labels_as_given_leave_a_training_part_as_it_is():
    assert training_part(OTHER, forest(), STUDY) is OTHER


def test_every_scheme_is_there_for_a_model_of_audited_labels():
    assert list(as_audited()["scheme"].unique()) == list(SCHEMES)


@pytest.mark.parametrize(
    "said", [None, answers_of(CELLS.head(0), []), answers_of(CELLS.head(9), ["unsure"] * 9)]
)
def test_too_few_annotated_cells_are_refused(said):
    with pytest.raises(InputError, match=r"'small' learns from annotated labels.*at least 10"):
        cross_validate(CELLS, ANNOTATED, STUDY, said)


def test_answers_about_other_cells_do_not_count():
    gone = answers_of(CELLS.assign(dataset="gone").head(30), ["unsure"] * 30)
    with pytest.raises(InputError, match="there is none of them"):
        cross_validate(CELLS, ANNOTATED, STUDY, gone)


def test_a_training_part_left_with_one_class_is_refused():
    stimulated = OTHER[OTHER[CLASS] == 1]
    said = answers_of(stimulated, [UNTREATED] * len(stimulated))
    with pytest.raises(
        InputError, match=rf"no cell of {STIMULATED} left to learn from when clone 2 is left out"
    ):
        cross_validate(CELLS, ANNOTATED, STUDY, said)


def test_a_training_part_that_cannot_be_audited_is_refused():
    few = pd.concat(
        [part.head(1) for _, part in OTHER.groupby(["dataset"]) if "FOV1" in part["fov"].iloc[0]]
    )
    with pytest.raises(
        InputError, match=r"labels cannot be audited when it is small\. .*rarer one has 1"
    ):
        training_part(few, AUDITED, STUDY, when=" when it is small")
