"""A response curve: every clone, under every stimulation, in the order of the study file."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.effects.curve import PLACE, response_curve
from autophagy_assets.analysis.effects.curve_figures import curve_picture
from autophagy_assets.analysis.effects.knockout import measured_effect
from autophagy_assets.analysis.effects.responses import CLONE, POSITIVE_SHARE
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets_tests.analysis.evidence.tables import measured_cells, of_condition
from autophagy_assets_tests.platform import with_conditions

pytestmark = pytest.mark.slow

SHARES = {"2h Torin-1": 0.25, "6h Torin-1": 0.75}
PLAIN, STUDY = Study.load(), with_conditions(*SHARES)
MODEL = STUDY.model(STUDY.primary)
WT = measured_cells(STUDY, cells=40, seed=1, biology=5)
KO = measured_cells(STUDY, cells=40, genotype="KO", seed=2, biology=5, response=0.1)


def conditions_of(cells: pd.DataFrame) -> pd.DataFrame:
    parts = [of_condition(cells, label, share) for label, share in SHARES.items()]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Out-of-fold scores of the control, and predictions of the stored model for the rest."""
    scores = cross_validate(pd.concat([WT, conditions_of(WT)]), MODEL, STUDY)
    scoring = scoring_of(scores, MODEL)
    model = train(WT, MODEL, "v1", scoring.calibrator, scoring.threshold)
    return {
        "scores": scores,
        "control": predict(model, conditions_of(WT)),
        "knockout": predict(model, pd.concat([KO, conditions_of(KO)], ignore_index=True)),
    }


def test_a_curve_follows_the_true_shares_of_responding_cells(tables):
    table, threshold = response_curve(
        tables["scores"], tables["control"], [tables["knockout"]], MODEL, STUDY
    )
    assert 0 < threshold < 1 and set(table["measure"]) == {POSITIVE_SHARE}
    clones = table[table["level"] == CLONE]
    curves = clones.pivot(index=["genotype", "clone"], columns=PLACE, values="value")
    assert list(curves.columns) == [0, 1, 2, 3] and len(curves) == 4
    truth = [0, *SHARES.values(), 1]
    for clone, curve in curves.loc["WT"].iterrows():
        assert curve.tolist() == pytest.approx(truth, abs=0.15), clone
    assert (curves.loc["KO"] < 0.4).all(axis=None)
    assert list(dict.fromkeys(table["genotype"])) == ["WT", "KO"], "the control comes first"


def test_a_class_stands_where_the_conditions_name_it(tables):
    late = with_conditions("2h Torin-1", "14h Torin-1", "6h Torin-1")
    table, _ = response_curve(tables["scores"], tables["control"], [], MODEL, late)
    places = table.groupby("stimulation")[PLACE].unique().str[0].to_dict()
    assert places == {"untreated": 0, "2h Torin-1": 1, "14h Torin-1": 2, "6h Torin-1": 3}


def test_a_study_without_conditions_has_its_two_classes_and_says_so(tables):
    empty = tables["control"].head(0)
    table, threshold = response_curve(tables["scores"], empty, [], MODEL, PLAIN)
    assert set(table["stimulation"]) == {"untreated", "14h Torin-1"}
    picture = curve_picture(table, threshold, PLAIN)
    assert "no stimulations but its two classes" in picture.caption
    assert png_bytes(picture.figure).startswith(b"\x89PNG")


def test_a_figure_has_a_panel_by_genotype_and_a_line_by_clone(tables):
    table, threshold = response_curve(
        tables["scores"], tables["control"], [tables["knockout"]], MODEL, STUDY
    )
    picture = curve_picture(table, threshold, STUDY)
    titles = [ax.get_title(loc="left") for ax in picture.figure.axes if ax.get_title(loc="left")]
    assert titles == ["WT", "KO"]
    labels = [text.get_text() for text in picture.figure.axes[0].get_xticklabels()]
    assert labels == list(STUDY.stimulations)
    png_bytes(picture.figure)
    for ax in picture.figure.axes:
        lowest = ax.get_legend().get_window_extent().transformed(ax.transData.inverted()).ymin
        assert lowest > 1, "the names of the clones lie above all shares"
    assert "in the order of the study file" in picture.caption
    assert "No model was trained on others than untreated and 14h Torin-1" in picture.caption
    # Of conditions by a model that was trained on the same clones; see the fixture.
    assert "WT cells of the others are scored by the stored model" in picture.caption
    assert "that are untreated or 14h Torin-1 are scored by models" in picture.caption
    many = pd.concat(
        [table[table["genotype"] == "WT"]]
        + [table[table["genotype"] == "KO"].assign(genotype=f"KO{n}") for n in range(8)]
    )
    assert "Of 8 knockouts the first 6 are drawn" in curve_picture(many, threshold, STUDY).caption


def test_the_effect_of_a_knockout_is_measured_under_every_stimulation(tables):
    _, effect, effects = measured_effect(
        tables["scores"], tables["knockout"], tables["control"], MODEL, STUDY
    )
    assert effect.stimulation == "14h Torin-1"
    shares = effects[effects["measure"] == POSITIVE_SHARE].set_index("stimulation")["difference"]
    assert set(shares.index) == {*SHARES, "14h Torin-1"}
    assert shares["14h Torin-1"] < shares["6h Torin-1"] < shares["2h Torin-1"] < 0.05
    plain = tables["knockout"]
    classes = plain[plain["class"] >= 0].reset_index(drop=True)
    alone = measured_effect(
        tables["scores"], classes, tables["control"].head(0), MODEL, Study.load(DEFAULT_STUDY)
    )
    assert alone[1] == effect, "conditions say nothing of the effect under class 1"
