"""The effect of a knockout from predictions, and what is drawn where there is none to measure."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.effects.knockout import (
    every_specification,
    measured_effect,
    planned_replicates,
)
from autophagy_assets.analysis.effects.not_measured import sentence_picture
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import PUBLISHED, forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

pytestmark = pytest.mark.slow

MODELS = (forest(name="puncta"), PUBLISHED)
STUDY = Study.load().model_copy(update={"models": MODELS})
CONTROL = measured_cells(STUDY, clones=4, cells=12)
NONE = no_predictions(CONTROL)


@cache
def of_control() -> dict[str, pd.DataFrame]:
    """Scores of the control's cells by model."""
    return {model.name: cross_validate(CONTROL, model, STUDY) for model in MODELS}


def predictions(response: float, seed: int = 7) -> pd.DataFrame:
    cells = measured_cells(STUDY, clones=4, cells=12, genotype="KO", seed=seed, response=response)
    trained = []
    for model in MODELS:
        scoring = scoring_of(of_control()[model.name], model)
        trained.append(train(CONTROL, model, "v1", scoring.calibrator, scoring.threshold))
    return pd.concat([predict(model, cells) for model in trained], ignore_index=True)


def test_a_knockout_that_does_not_respond_is_seen_and_every_measure_has_its_row():
    _, effect, effects = measured_effect(
        of_control()["puncta"], predictions(0.0), NONE, MODELS[0], STUDY
    )
    assert effect.is_seen and effect.difference < -0.5
    assert set(effects["measure"]) == {"positive share", "mean probability"}
    assert set(effects["level"]) == {"difference"}


def test_a_knockout_that_responds_as_the_control_has_no_effect_that_is_seen():
    _, effect, _ = measured_effect(of_control()["puncta"], predictions(1.0), NONE, MODELS[0], STUDY)
    assert not effect.is_seen
    assert "No effect of the knockout is seen" in effect.sentence


def test_a_plan_is_of_the_effect_that_was_measured_in_every_measure():
    given = predictions(0.0)
    _, effect, _ = measured_effect(of_control()["puncta"], given, NONE, MODELS[0], STUDY)
    plan = planned_replicates(of_control()["puncta"], given, MODELS[0], STUDY)
    assert set(plan["measure"]) == {"positive share", "mean probability"}
    of_effect = plan[(plan["measure"] == effect.measure) & (plan["effect"] == "the effect seen")]
    assert (of_effect["true_difference"] == effect.difference).all()
    assert (plan["n_control"] == 4).all() and (plan["n_knockout"] == 4).all()


def test_a_plan_of_a_knockout_with_one_clone_and_a_control_with_one_is_a_sentence():
    one = predictions(0.0).query("clone == 'clone 1'")
    scores = of_control()["puncta"].query("clone == 'clone 1'")
    with pytest.raises(InputError, match="have no two clones with a response between them"):
        planned_replicates(scores, one, MODELS[0], STUDY)


def test_every_way_of_measuring_it_comes_with_the_sentence_that_sums_it_up():
    table = every_specification(of_control(), predictions(0.0), STUDY)
    assert set(table["model"]) == {"puncta", "as_published"}
    assert table["sentence"].nunique() == 1 and f"of {len(table)}" in table["sentence"].iloc[0]


def test_a_knockout_that_was_not_stimulated_has_a_sentence_in_place_of_the_figure():
    untreated = predictions(0.0).query("stimulation == 'untreated'")
    with pytest.raises(InputError, match="No clone of KO has a response") as refused:
        measured_effect(of_control()["puncta"], untreated, NONE, MODELS[0], STUDY)
    picture = sentence_picture("Response of KO", str(refused.value))
    assert picture.table["sentence"].tolist() == [str(refused.value)]
    assert picture.caption.startswith("Not measured. No clone of KO")
