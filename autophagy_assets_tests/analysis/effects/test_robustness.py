"""Robustness: every way of measuring is there, and the sentence says what they agree on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.effects.robustness import (
    NO_MODEL,
    robustness_sentence,
    scores_by_scheme,
    specifications,
)
from autophagy_assets.analysis.effects.robustness_figures import robustness_picture
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, SCHEMES
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.effects.scored import scored_study
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()
TORIN = STUDY.classes[1]


def scores(effect: float, clones: int = 3) -> pd.DataFrame:
    """Two models, of which one sees the effect half as large, in two schemes."""
    parts = []
    for model, part in (("puncta", 1.0), ("as_published", 0.5)):
        for scheme in (SCHEMES[0], CLONE):
            cells = scored_study(STUDY, 1, clones, effect * part, between=0.02)
            parts.append(cells.assign(model=model, scheme=scheme))
    return pd.concat(parts, ignore_index=True)


def table_of(effect: float, clones: int = 3) -> pd.DataFrame:
    cells = scored_study(STUDY, 2, clones, effect, between=0.02)
    features = {"spots, contrast": "marker_spots_contrast"}
    return specifications([scores(effect, clones)], "KO", TORIN, STUDY, cells, features)


LESS = table_of(-0.4)


def test_there_is_a_row_by_model_scheme_measure_and_threshold():
    of_models = LESS[LESS["scheme"] != NO_MODEL]
    counts = of_models.groupby(["model", "scheme"]).size()
    assert counts.tolist() == [5] * 4
    assert (LESS["scheme"] == NO_MODEL).sum() == 3
    assert not LESS.duplicated(["model", "scheme", "measure", "threshold"]).any()
    assert LESS["difference"].is_monotonic_increasing


def test_an_effect_of_one_sign_is_the_sentence():
    said = robustness_sentence(LESS, "KO", STUDY)
    size = LESS["difference"].abs()
    assert said.startswith(
        f"In 23 of 23 ways of measuring it KO responds less than WT, by {size.min():.2f} to "
        f"{size.max():.2f}; in "
    )


def test_a_sign_that_changes_is_the_sentence():
    mixed = LESS.assign(difference=np.where(np.arange(len(LESS)) < 5, 0.1, -0.2))
    said = robustness_sentence(mixed, "KO", STUDY)
    assert "depends on how it is measured" in said
    assert "in 18 of 23 it responds less, by up to 0.20, in 5 of 23 it responds more" in said


def test_a_threshold_that_no_cell_is_above_is_left_out():
    cells = scores(-0.4)
    cells["prob_class1"] = cells["prob_class1"].clip(0.1, 0.3)
    table = specifications([cells], "KO", TORIN, STUDY)
    assert set(table["threshold"]) == {"none"}


def test_one_clone_has_no_intervals_and_nothing_to_measure_is_said():
    table = table_of(-0.4, clones=1)
    assert "no interval" in robustness_sentence(table, "KO", STUDY)
    with pytest.raises(InputError, match="no way of measuring"):
        robustness_sentence(table.head(0), "KO", STUDY)


def test_a_knockout_has_the_same_scores_in_every_scheme():
    control = measured_cells(STUDY, biology=2.0)
    knockout = measured_cells(STUDY, genotype="KO", biology=2.0, response=0.2)
    predictions = knockout.assign(prob_class1=np.linspace(0, 1, len(knockout)))
    tables = scores_by_scheme(cross_validate(control, forest(), STUDY), predictions, forest())
    found = pd.concat(tables, ignore_index=True)
    assert set(found["scheme"]) == set(SCHEMES)
    for _, rows in found.groupby("scheme"):
        assert len(rows) == len(control) + len(knockout)
        own = rows.loc[rows["genotype"] == "KO", "prob_class1"]
        assert own.tolist() == predictions["prob_class1"].tolist()


def test_the_figure_has_a_point_by_specification_and_its_choices_below():
    picture = robustness_picture(LESS, "KO", TORIN, STUDY)
    top, below = picture.figure.axes
    points = sum(len(line.get_xdata()) for line in top.lines if line.get_marker() == "o")
    assert points == len(LESS)
    labels = [label.get_text() for label in below.get_yticklabels()]
    assert labels[0] == STUDY.primary and CLONE in labels and NO_MODEL in labels
    assert robustness_sentence(LESS, "KO", STUDY) in picture.caption
