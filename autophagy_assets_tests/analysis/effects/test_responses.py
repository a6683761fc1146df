"""Responses of clones and fields of view."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.effects.responses import (
    CLONE,
    COLUMNS,
    FIELD,
    MEAN_PROBABILITY,
    POSITIVE_SHARE,
    measure,
    responses,
    without_response,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.effects.scored import scored_study

STUDY = Study.load()
CELLS = scored_study(STUDY, seed=1, clones=2, effect=-0.3)
MEASURED = measure(CELLS, 0.4, {"puncta per cell": "marker_spots_contrast"})


def test_values_are_means_over_the_cells_of_a_clone_or_a_field():
    assert list(MEASURED.columns) == COLUMNS
    one = CELLS.query("genotype == 'KO' and clone == 'clone 2' and stimulation == 'untreated'")
    row = "genotype == 'KO' and clone == 'clone 2' and stimulation == 'untreated'"
    clone = MEASURED.query(f"{row} and level == '{CLONE}'").set_index("measure")
    assert clone.loc[POSITIVE_SHARE, "value"] == pytest.approx(np.mean(one["prob_class1"] > 0.4))
    assert clone.loc[MEAN_PROBABILITY, "value"] == pytest.approx(one["prob_class1"].mean())
    assert clone.loc["puncta per cell", "value"] == pytest.approx(10 * one["prob_class1"].mean())
    field = MEASURED.query(f"{row} and level == '{FIELD}' and fov == 'FOV2'").set_index("measure")
    of_field = one[one["fov"] == "FOV2"]
    assert field.loc[MEAN_PROBABILITY, "value"] == pytest.approx(of_field["prob_class1"].mean())
    assert field.loc[MEAN_PROBABILITY, "n_cells"] == len(of_field)


def test_a_response_is_stimulated_minus_untreated_of_the_same_clone():
    found = responses(MEASURED, STUDY)
    keys = ["genotype", "clone", "fov", "level", "measure"]
    sides = MEASURED.set_index([*keys, "stimulation"])["value"].unstack()
    expected = sides[STUDY.classes[1]] - sides[STUDY.classes[0]]
    np.testing.assert_allclose(
        found.set_index(keys)["value"], expected[found.set_index(keys).index]
    )
    assert len(found) == len(MEASURED) / 2
    assert (found.loc[found["level"] == CLONE, "n_cells"] == 60).all()


def test_a_stimulation_that_is_no_class_has_a_response_too():
    other = CELLS[CELLS["class"] == 1].assign(stimulation="2h Torin-1")
    other["dataset"] += " 2h"
    found = responses(measure(pd.concat([CELLS, other]), 0.4), STUDY)
    assert set(found["stimulation"]) == {"14h Torin-1", "2h Torin-1"}


def test_a_clone_of_one_stimulation_is_named():
    cells = CELLS[~((CELLS["clone"] == "clone 2") & (CELLS["class"] == 0))]
    measured = measure(cells, 0.4)
    assert "clone 2" not in set(responses(measured, STUDY)["clone"])
    said = without_response(measured, STUDY)
    assert said[0] == "clone 2 of KO has no untreated cells, so it has no response."
    assert len(said) == 2


def test_an_unknown_feature_and_no_cells_are_said():
    with pytest.raises(InputError, match="'nothing'"):
        measure(CELLS, 0.4, {"nothing": "nothing"})
    with pytest.raises(InputError, match="no scored cells"):
        measure(CELLS.head(0), 0.4)
