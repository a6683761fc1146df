"""Figure of agreement: what it says in words, and where there is nothing to say."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.labels.agreement import agreement_table
from autophagy_assets.analysis.labels.agreement_figures import agreement_picture
from autophagy_assets_tests.analysis.labels.answered import answers_of
from autophagy_assets_tests.analysis.labels.test_agreement import (
    ANSWERS,
    PREDICTIONS,
    SHOWN,
    STUDY,
    said,
)


def picture_of(answers: pd.DataFrame):
    return agreement_picture(agreement_table(answers, PREDICTIONS, STUDY), STUDY)


def test_the_caption_says_agreement_noise_kappa_and_what_the_next_answers_may_change():
    picture = picture_of(pd.concat([ANSWERS, answers_of(SHOWN.head(8), said(SHOWN.head(8)), "Bo")]))
    assert "agree on 40 WT cells: of 90% the label is what they say" in picture.caption
    assert "of 40% the call of model blind and of 90% the call of model sees" in picture.caption
    assert "drawn at random the label of 4 is another, 10%" in picture.caption
    assert "kappa of Ada and Bo is 1.00 (8 cells that both saw)" in picture.caption
    assert (
        "Of 40 cells that were answered the label of 4 was changed; of the next 50"
        in picture.caption
    )
    assert picture.numbers["label noise, label"] == 0.1
    assert png_bytes(picture.figure)


def test_answers_that_agree_on_no_cell_are_drawn_as_such():
    picture = picture_of(answers_of(SHOWN, ["unsure"] * len(SHOWN)))
    assert picture.caption.startswith("There is no WT cell that people agree on.")
    assert "how many labels are wrong is not known" in picture.caption
    assert png_bytes(picture.figure)


def test_where_nobody_has_answered_the_figure_says_what_to_do():
    picture = picture_of(ANSWERS.head(0))
    assert "'autophagy review' writes a page" in picture.table["sentence"][0]
    assert png_bytes(picture.figure)
