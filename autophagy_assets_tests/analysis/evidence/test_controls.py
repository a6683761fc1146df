"""Negative controls: staining is found where it differs, and only there."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.evidence import altered_data
from autophagy_assets.analysis.evidence.altered_data import PERMUTED, SWAPPED
from autophagy_assets.analysis.evidence.controls import cautions, negative_controls
from autophagy_assets.analysis.evidence.controls_figures import controls_picture
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, RANDOM, SCHEMES
from autophagy_assets.analysis.evidence.permutation import Permutations
from autophagy_assets.analysis.evidence.shortcuts import BACKGROUND, BETTER, IN_UNITS, NUISANCE
from autophagy_assets.analysis.identity import CLASS
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence import models
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

pytestmark = pytest.mark.slow

STUDY = Study.load()


def with_few(**entries: int) -> Study:
    """The study with fewer folds and permutations."""
    changed = STUDY.cross_validation.model_copy(update=entries)
    return STUDY.model_copy(update={"cross_validation": changed})


FEW = with_few(folds=3, permutations=6)
FEWEST = with_few(folds=2, permutations=1)  # where it is not about labels permuted
forest = partial(models.forest, parameters={"n_estimators": 10})
UNITS = forest(marker_scales=["units"])


def patches(staining: float) -> pd.DataFrame:
    """Background of the same images: no biology in it."""
    table = measured_cells(STUDY, cells=12, seed=9, biology=0.0, staining=staining)
    return table.drop(columns=[c for c in table if c.endswith(("_area", "_nucleus", "_cytosol"))])


def measured(
    cells: pd.DataFrame, model: Model, study: Study = FEWEST, **tables: pd.DataFrame
) -> pd.DataFrame:
    return negative_controls(cells, model, study, cross_validate(cells, model, study), **tables)


def row(table: pd.DataFrame, control: str, scheme: str = CLONE) -> pd.Series:
    return table[(table["control"] == control) & (table["scheme"] == scheme)].iloc[0]


# Once, and only where they are asked for: what a module computes, every process does that collects.
@cache
def of_biology() -> pd.DataFrame:
    return measured(measured_cells(STUDY), forest(), FEW, background=patches(0.0))


@cache
def of_staining() -> pd.DataFrame:
    cells = measured_cells(STUDY, biology=0.0, staining=3.0)
    return measured(cells, UNITS, background=patches(3.0))


def test_where_only_the_biology_differs_nothing_is_flagged_in_clones_left_out():
    strict = of_biology()[of_biology()["scheme"] == CLONE]
    assert set(strict["control"]) == {NUISANCE, BACKGROUND, IN_UNITS, PERMUTED}
    assert not strict["flagged"].any()
    assert cautions(of_biology()) == []


def test_where_only_the_staining_differs_background_and_nuisance_are_flagged_in_words():
    strict = of_staining()[of_staining()["scheme"] == CLONE].set_index("control")
    assert strict["flagged"].drop(PERMUTED).all()
    said = cautions(of_staining())
    assert any("The background, on" in s and "nearly as well as the model" in s for s in said)


def test_staining_that_the_model_does_not_use_is_said_and_not_flagged():
    cells = measured_cells(STUDY, biology=3.0, staining=3.0)
    table = measured(cells, forest(), background=patches(3.0))
    found = row(table, IN_UNITS)
    assert found["auc"] > 0.9 and not found["flagged"]
    said = "which uses no feature in units: the images differ in staining."
    assert found["sentence"].endswith(said)
    assert any(caution.endswith(said) for caution in cautions(table))


def test_staining_is_found_in_a_clone_of_another_brightness():
    background = patches(0.0)
    units = [name for name in background if name.endswith("_units")]
    brightness = background["clone"].map(
        {clone: 10.0**n for n, clone in enumerate(sorted(set(background["clone"])))}
    )
    level = 100 + 50 * background[CLASS] + background[units[0]]
    background = background.assign(**{name: brightness * level for name in units})
    found = row(measured(measured_cells(STUDY), forest(), background=background), IN_UNITS)
    assert found["auc"] > 0.9 and found["sentence"].endswith("the images differ in staining.")


def test_the_number_of_cells_of_an_image_is_part_of_the_nuisance():
    cells = measured_cells(STUDY)
    keep = (cells[CLASS] == 0) | (cells["scportrait_cell_id"] <= 20)
    found = row(measured(cells[keep], forest()), NUISANCE)
    assert found["auc"] > 0.95 and found["flagged"]


def test_controls_are_measured_in_every_scheme_and_labels_permuted_in_the_strictest():
    assert list(of_biology().loc[of_biology()["control"] == NUISANCE, "scheme"]) == list(SCHEMES)
    assert list(of_biology().loc[of_biology()["control"] == PERMUTED, "scheme"]) == [CLONE]


def test_the_marker_is_no_nuisance_where_cells_are_found_by_it():
    study = FEWEST.model_copy(update={"cytosol_channel": STUDY.marker_channel})
    cells = measured_cells(study)
    told = cells[CLASS] + np.arange(len(cells)) / len(cells)
    cells = cells.assign(**{f"{STUDY.marker_channel}_mean_cytosol": told})
    assert row(measured(cells, forest(), study), NUISANCE)["auc"] < 0.8


def test_permuted_labels_are_guessed():
    found = row(of_biology(), PERMUTED)
    assert found["low"] <= found["auc"] <= found["high"] < found["reference"]
    assert "6 arrangements (of 34 that there are)" in found["sentence"]
    assert "so few cannot rule out chance" in found["sentence"]


def test_a_model_without_anything_to_learn_is_flagged_as_chance():
    cells = measured_cells(STUDY, biology=0.0, seed=4)
    found = row(measured(cells, forest(), FEW), PERMUTED)
    assert found["flagged"] and "may be chance" in found["sentence"]


def test_two_images_of_a_clone_cannot_be_permuted_and_the_rest_goes_on():
    cells = measured_cells(STUDY, clones=1, fields=1)
    table = measured(cells, forest())
    refused = table[table["control"] == PERMUTED].iloc[0]
    assert "there is no other way" in refused["sentence"] and np.isnan(refused["auc"])
    assert not np.isnan(row(table, NUISANCE, RANDOM)["auc"])


def test_a_model_that_relies_on_the_background_is_flagged_when_it_is_swapped():
    cells = measured_cells(STUDY, biology=0.0, staining=3.0)
    other = cells.assign(marker_spots_units=cells["marker_spots_units"] - 3.0 * cells[CLASS])
    found = row(measured(cells, UNITS, swapped=other), SWAPPED)
    assert found["flagged"] and found["reference"] > 0.9 and found["auc"] < 0.7
    assert "relies on the background" in found["sentence"]


def test_a_model_that_relies_on_the_cell_is_not_and_cells_are_joined_by_identity():
    cells = measured_cells(STUDY)
    other = cells.sample(frac=0.7, random_state=1)
    found = row(measured(cells, forest(), swapped=other), SWAPPED)
    assert found["auc"] == pytest.approx(found["reference"])
    assert found["n_cells"] == len(other) and not found["flagged"]


def test_patches_without_the_features_of_the_model_are_said():
    table = measured(
        measured_cells(STUDY), forest(feature_sets=["scportrait"]), background=patches(0)
    )
    sentence = table.loc[table["control"] == BACKGROUND, "sentence"].item()
    assert sentence.startswith(
        "Patches without a cell are measured by features of the marker alone"
    )


def test_cells_without_the_features_of_the_model_are_said():
    cells = measured_cells(STUDY)
    model = forest(feature_sets=["scportrait", "marker"])
    table = measured(cells, model, swapped=patches(0))
    sentence = table.loc[table["control"] == SWAPPED, "sentence"].item()
    assert "by features of the marker alone, and model small uses others" in sentence


@pytest.mark.parametrize(
    ("reached", "tried", "flagged"),
    [(0, 5, False), (1, 18, True), (1, 20, True), (1, 39, False), (5, 100, True), (4, 100, False)],
)
def test_more_than_one_in_twenty_arrangements_the_true_one_among_them_are_flagged(
    monkeypatch, reached, tried, flagged
):
    aucs = np.array([1.0] * reached + [0.5] * (tried - reached))
    monkeypatch.setattr(altered_data, "permuted", lambda *_: Permutations(aucs, 1000))
    cells, model = measured_cells(STUDY, cells=4), forest()
    scores = cross_validate(cells, model, FEWEST)
    (found,) = altered_data.with_labels_permuted(cells, model, FEWEST, scores)
    assert found["flagged"] == flagged
    assert ("may be chance" in found["sentence"]) == flagged
    assert ("so few cannot rule out chance" in found["sentence"]) == (tried < 19)


def test_no_patches_at_all_are_said_in_the_row_and_the_caption():
    none = patches(0).iloc[:0]
    table = measured(measured_cells(STUDY), forest(), background=none, swapped=none)
    refused = table[table["scheme"] == ""].set_index("control")["sentence"]
    assert list(refused.index) == [BACKGROUND, IN_UNITS, SWAPPED]
    assert refused[BACKGROUND].startswith("There are no patches without a cell: LaminDB has no")
    assert refused[SWAPPED].startswith("No background was swapped: LaminDB has no segmented field")
    caption = controls_picture(table, "small", STUDY).caption
    assert caption.count(refused[BACKGROUND]) == 1 and refused[SWAPPED] in caption


def test_a_model_without_features_of_the_marker_is_told_that_the_images_differ_in_staining():
    table = measured(
        measured_cells(STUDY), forest(feature_sets=["scportrait"]), background=patches(3.0)
    )
    found = row(table, IN_UNITS)
    assert found["auc"] > 0.9 and not found["flagged"]
    assert found["sentence"].endswith("uses no feature in units: the images differ in staining.")


def test_the_shortcut_card_says_flagged_beside_each_flagged_control():
    table = of_staining()
    texts = controls_picture(table, "small", STUDY).figure.axes[0].texts
    words = [text.get_text().rpartition(", ")[2] for text in texts]
    assert words.count("flagged") == table["flagged"].sum()
    assert words.count("not flagged") == (~table["flagged"]).sum()
    assert "nearly as well" in controls_picture(table, "small", STUDY).caption


@pytest.mark.parametrize(
    ("scale", "words"), [("contrast", ", not used by the model"), ("units", "")]
)
def test_the_shortcut_card_says_of_staining_whether_the_model_uses_it(scale, words):
    cells = measured_cells(STUDY, cells=20)
    model = forest(marker_scales=list(dict.fromkeys(["contrast", scale])))
    table = measured(cells, model, background=patches(1.5))
    found = row(table, IN_UNITS)
    assert BETTER <= found["auc"] < 0.88 and not found["flagged"]
    texts = [
        text.get_text() for text in controls_picture(table, "small", STUDY).figure.axes[0].texts
    ]
    said = f"{found['auc']:.2f} against {found['reference']:.2f}, staining differs{words}"
    assert said in texts


def test_a_shortcut_card_of_controls_that_were_not_possible_does_not_speak_for_the_model():
    table = measured(measured_cells(STUDY), forest(), background=patches(0).iloc[:0])
    refused = table[table["scheme"] == ""]
    caption = controls_picture(refused, "small", STUDY).caption
    assert "None could be measured." in caption and "none is flagged" not in caption


def test_the_shortcut_card_names_a_control_that_is_not_possible():
    table = measured(measured_cells(STUDY, clones=1, fields=1), forest())
    figure = controls_picture(table, "small", STUDY).figure
    assert figure.get_supxlabel() == "permuted labels: not possible"
