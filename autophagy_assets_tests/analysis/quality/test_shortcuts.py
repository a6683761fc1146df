"""The check of the negative controls: flagged ones fail it, in their strictest scheme only."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.evidence.controls import COLUMNS
from autophagy_assets.analysis.evidence.folds import CLONE, RANDOM
from autophagy_assets.analysis.evidence.shortcuts import BACKGROUND, IN_UNITS, NUISANCE
from autophagy_assets.analysis.quality.shortcuts import no_shortcut


def controls(*rows: tuple[str, str, float, bool], model: str = "puncta") -> pd.DataFrame:
    return pd.DataFrame(
        [
            [model, control, scheme, 50, auc, None, None, 0.9, flagged, f"{control}, {scheme}."]
            for control, scheme, auc, flagged in rows
        ],
        columns=COLUMNS,
    )


def test_what_is_flagged_in_the_strictest_scheme_fails_and_is_said():
    table = controls((NUISANCE, RANDOM, 0.6, False), (NUISANCE, CLONE, 0.88, True))
    said = no_shortcut(table, "puncta")
    assert not said.passed
    assert said.sentence == (
        f"Negative controls of model puncta that are flagged: 1 of 1. {NUISANCE}, {CLONE}."
    )
    assert said.numbers == {
        "controls flagged": 1,
        f"AUC, {NUISANCE}": pytest.approx(0.88),
        "AUC, the model": pytest.approx(0.9),
    }


def test_what_is_flagged_with_random_cells_alone_fails_nothing():
    table = controls((BACKGROUND, RANDOM, 0.9, True), (BACKGROUND, CLONE, 0.55, False))
    said = no_shortcut(table, "puncta")
    assert said.passed and said.numbers[f"AUC, {BACKGROUND}"] == pytest.approx(0.55)


def test_a_difference_in_staining_that_the_model_does_not_use_is_said_and_fails_nothing():
    said = no_shortcut(controls((IN_UNITS, CLONE, 0.99, False)), "puncta")
    assert said.passed and said.sentence.endswith(f" {IN_UNITS}, {CLONE}.")


def test_where_no_control_is_possible_nothing_is_known_and_other_models_are_left_out():
    other = controls((NUISANCE, CLONE, 0.9, True), model="as_published")
    refused = controls((BACKGROUND, "", float("nan"), False))
    said = no_shortcut(pd.concat([other, refused]), "puncta")
    assert not said.passed and said.numbers == {"controls flagged": 0}
    assert said.sentence == (
        f"Negative controls of model puncta that are flagged: 0 of 0. Not possible: {BACKGROUND}."
    )
