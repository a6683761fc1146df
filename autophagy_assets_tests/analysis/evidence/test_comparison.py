"""Models side by side: numbers by scheme and fold, gap, headline."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from autophagy_assets.analysis.evidence.comparison import POOLED, compare, headline
from autophagy_assets.analysis.evidence.comparison_figures import (
    comparison_picture,
    reliability,
    reliability_picture,
)
from autophagy_assets.analysis.evidence.cross_validation import cross_validate, refusals
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, RANDOM, SCHEMES
from autophagy_assets.analysis.identity import CLASS
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import PUBLISHED, forest
from autophagy_assets_tests.analysis.evidence.tables import cells_of, measured_cells

pytestmark = pytest.mark.slow

STUDY = Study.load()
CELLS = measured_cells(STUDY, biology=1.5)


def scores_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Scores of two models."""
    return pd.concat([cross_validate(cells, m, STUDY) for m in (PUBLISHED, forest())])


def comparison_of(cells: pd.DataFrame) -> pd.DataFrame:
    return compare(scores_of(cells), refusals(cells, STUDY))


@cache
def scored() -> pd.DataFrame:
    return scores_of(CELLS)


@cache
def compared() -> pd.DataFrame:
    return compare(scored(), refusals(CELLS, STUDY))


def test_there_is_a_row_for_every_model_scheme_and_fold():
    table = compared()
    counts = table.groupby(["model", "scheme"]).size().unstack()
    assert counts.loc["small", list(SCHEMES)].tolist() == [6, 5, 3]
    assert list(table["model"].unique()) == ["as_published", "small"]
    pooled = table[table["fold"] == POOLED]
    assert (pooled["n_cells"] == len(CELLS)).all()
    folds = table[table["fold"] != POOLED].groupby(["model", "scheme"])["n_positive"].sum()
    assert (folds == (CELLS[CLASS] == 1).sum()).all()


def test_numbers_are_those_of_scikit_learn():
    cells = scored().query(f"model == 'small' and scheme == '{CLONE}'")
    table = compared()
    row = table.query(f"model == 'small' and scheme == '{CLONE}' and fold == 'pooled'").iloc[0]
    assert row["auc"] == pytest.approx(roc_auc_score(cells[CLASS], cells["score"]))
    assert row["brier"] == pytest.approx(np.mean((cells["prob_class1"] - cells[CLASS]) ** 2))


def test_the_gap_is_random_minus_strictest_and_stands_once_by_model():
    table = compared()
    for model, rows in table[table["fold"] == POOLED].groupby("model"):
        auc = rows.set_index("scheme")["auc"]
        gap = table.loc[(table["model"] == model) & table["leakage_gap"].notna(), "leakage_gap"]
        assert gap.tolist() == [pytest.approx(auc[RANDOM] - auc[CLONE])]


def test_images_that_look_alike_within_give_a_gap():
    """Each image has its own level: cells of it give the class away, other clones do not."""
    cells = cells_of(STUDY, {c: (["A", "B"], ["A", "B"]) for c in "123"}, cells=30)
    images = cells["dataset"].unique()
    level = dict(zip(images, np.random.default_rng(2).permutation(len(images)), strict=True))
    noise = np.random.default_rng(3).normal(scale=0.05, size=len(cells))
    cells["marker_spots_contrast"] = cells["dataset"].map(level) + noise
    table = compare(cross_validate(cells, forest(), STUDY), {})
    row = table[table["leakage_gap"].notna()].iloc[0]
    assert row["scheme"] == CLONE
    assert row["leakage_gap"] > 0.3


def test_the_headline_is_the_strictest_scheme_with_as_published_beside_it():
    found = headline(compared(), "small")
    assert (found.scheme, found.n_cells, found.n_folds) == (CLONE, len(CELLS), 2)
    published = (
        compared()
        .query(f"model == 'as_published' and scheme == '{RANDOM}' and fold == 'pooled'")["auc"]
        .item()
    )
    assert found.as_published == pytest.approx(published)
    for said in (f"{found.auc:.2f}", f"{published:.2f}", f"{len(CELLS)} cells", "2 clones"):
        assert said in found.sentence


def test_a_scheme_that_is_not_possible_has_its_reason_and_the_headline_takes_the_next():
    table = comparison_of(CELLS[CELLS["clone"] == "clone 1"])
    note = table.loc[(table["model"] == "small") & (table["scheme"] == CLONE), "note"].item()
    assert "two clones" in note
    found = headline(table, "small")
    assert found.scheme == FIELD
    assert found.refused == {CLONE: note}


def test_a_clone_of_one_class_has_no_auc_and_says_so():
    clones = {"1": (["A"], ["A"]), "2": (["A"], ["A"]), "3": (["A"], [])}
    cells = cells_of(STUDY, clones)
    cells["marker_spots_contrast"] = np.random.default_rng(0).normal(size=len(cells))
    table = compare(cross_validate(cells, forest(), STUDY), {})
    row = table[(table["scheme"] == CLONE) & (table["fold"] == "3")].iloc[0]
    assert np.isnan(row["auc"]) and row["note"] == "One class only: no AUC."
    assert not np.isnan(headline(table, "small").auc)


def test_a_model_that_was_not_compared_has_no_headline():
    with pytest.raises(InputError, match="no numbers of model 'other'"):
        headline(compared(), "other")


def test_the_figure_has_a_dot_by_fold_and_says_the_gap_of_each_model():
    picture = comparison_picture(compared(), "small", STUDY)
    dots = [
        len(line.get_xdata()) for line in picture.figure.axes[0].lines if line.get_marker() == "o"
    ]
    assert dots == [11, 11]
    gaps = compared().dropna(subset="leakage_gap").set_index("model")["leakage_gap"]
    for model, gap in gaps.items():
        assert f"{gap:+.2f} ({model})" in picture.caption


def test_the_figure_of_a_study_of_one_clone_can_be_drawn():
    table = comparison_of(CELLS[CELLS["clone"] == "clone 1"])
    figure = comparison_picture(table, "small", STUDY).figure
    assert "not possible" in figure.axes[0].get_xticklabels()[2].get_text()


def test_reliability_counts_every_cell_once():
    rows = pd.DataFrame({"prob_class1": [0.0, 0.05, 0.1, 0.95, 1.0], "class": [0, 1, 0, 1, 1]})
    table = reliability(rows)
    assert table["n_cells"].tolist() == [2, 1, 2]
    assert table["share"].tolist() == [0.5, 0.0, 1.0]
    assert table["low"].tolist() == pytest.approx([0, 0.1, 0.9])


def test_the_reliability_figure_is_of_the_strictest_scheme():
    picture = reliability_picture(scored(), "small", STUDY)
    cells = scored().query(f"model == 'small' and scheme == '{CLONE}'")
    assert picture.table["n_cells"].sum() == len(cells)
    assert picture.numbers["brier"] == pytest.approx(
        np.mean((cells["prob_class1"] - cells[CLASS]) ** 2)
    )
