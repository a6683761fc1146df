"""Evaluation as one table, and its figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.classifier.evaluation import (
    auc_of,
    confusion_of,
    evaluate,
    models_of,
    of_model,
    roc_of,
)
from autophagy_assets.analysis.classifier.evaluation_figures import (
    confusion_pictures,
    evaluation_picture,
)
from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError

STUDY = Study.load()


def predictions(true, scores) -> pd.DataFrame:
    scores = np.asarray(scores, dtype=float)
    return pd.DataFrame(
        {
            "model": "puncta",
            "class": true,
            "predicted_class": (scores > 0.5).astype(int),
            "prob_class1": scores,
        }
    )


FOUR = predictions([0, 0, 0, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.4])


def test_cells_of_no_class_are_in_no_number():
    others = predictions([NO_CLASS] * 3, [0.1, 0.6, 0.9])
    both = evaluate(pd.concat([others, FOUR], ignore_index=True))
    pd.testing.assert_frame_equal(both, evaluate(FOUR))


def test_cells_of_conditions_alone_have_no_auc_and_empty_counts():
    table = evaluate(predictions([NO_CLASS] * 3, [0.1, 0.6, 0.9]))
    assert np.isnan(auc_of(table)) and not confusion_of(table).to_numpy().any()
    picture = confusion_pictures(table, STUDY, "KO cells")
    assert png_bytes(picture.figure).startswith(b"\x89PNG")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=1, max_size=40))
def test_auc_is_the_chance_that_a_positive_cell_scores_higher(cells):
    table = evaluate(predictions([c for c, _ in cells], [s / 10 for _, s in cells]))
    high = [s for c, s in cells if c == 1]
    low = [s for c, s in cells if c == 0]
    if high and low:
        wins = [(h > x) + 0.5 * (h == x) for h in high for x in low]
        assert auc_of(table) == pytest.approx(np.mean(wins))
    else:
        assert np.isnan(auc_of(table)) and roc_of(table).empty
    assert confusion_of(table).to_numpy().sum() == len(cells)


def test_rows_of_the_matrix_are_true_classes():
    table = evaluate(FOUR)
    assert confusion_of(table).to_numpy().tolist() == [[2, 1], [1, 1]]
    np.testing.assert_allclose(confusion_of(table, normalise=True), [[2 / 3, 1 / 3], [0.5, 0.5]])


def test_a_class_that_is_absent_has_no_share():
    table = evaluate(predictions([0, 0], [0.1, 0.9]))
    assert confusion_of(table).to_numpy().tolist() == [[1, 1], [0, 0]]
    assert np.isnan(confusion_of(table, normalise=True).loc[1]).all()


def test_the_table_survives_parquet(tmp_path):
    table = evaluate(FOUR)
    table.to_parquet(tmp_path / "t.parquet")
    again = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(again, table)
    assert auc_of(again) == auc_of(table)
    pd.testing.assert_frame_equal(confusion_of(again), confusion_of(table))


def test_no_cells_are_refused():
    with pytest.raises(InputError, match="no predicted cells"):
        evaluate(FOUR.head(0))


def texts(picture) -> str:
    found = [picture.figure.get_suptitle(), picture.caption]
    for ax in picture.figure.axes:
        labels = [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_yticklabels()]
        found += [text.get_text() for text in labels]
        if ax.get_legend():
            found += [text.get_text() for text in ax.get_legend().get_texts()]
    return "\n".join(found)


@pytest.mark.parametrize("draw", [evaluation_picture, confusion_pictures])
def test_figures_show_n_and_shares_and_whose_cells(draw):
    shown = texts(draw(evaluate(FOUR), STUDY, "WT test cells"))
    for part in ("WT test cells", "(n = 3)", "(n = 2)", "67 %", "33 %", "50 %", "2 cells", "0.67"):
        assert part in shown
    for label in STUDY.classes.values():
        assert label in shown


@pytest.mark.parametrize("draw", [evaluation_picture, confusion_pictures])
def test_one_class_can_be_drawn(draw):
    shown = texts(draw(evaluate(predictions([0, 0], [0.1, 0.9])), STUDY, "KO"))
    assert "not defined" in shown and "no cells" in shown


def test_models_are_told_apart_and_the_primary_one_is_drawn_first():
    both = pd.concat([FOUR.assign(model="as_published"), FOUR.head(3)], ignore_index=True)
    table = evaluate(both)
    assert models_of(table) == ["as_published", "puncta"]
    pd.testing.assert_frame_equal(of_model(table, "puncta"), evaluate(FOUR.head(3)))
    picture = confusion_pictures(table, STUDY, "KO cells")
    titles = [ax.get_title(loc="left") for ax in picture.figure.axes]
    assert [title.split(":")[0] for title in titles] == ["puncta", "as_published"]
    assert picture.numbers["as_published: cells"] == 5
