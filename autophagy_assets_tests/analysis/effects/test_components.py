"""Components of variance: right on average, on studies whose clones, fields and cells are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.effects.components import Components, components_of
from autophagy_assets.analysis.effects.responses import MEAN_PROBABILITY, cell_values, measure
from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.effects.scored import scored_study

STUDY = Study.load()
TORIN = STUDY.classes[1]


def found(cells: pd.DataFrame) -> Components:
    values, measured = cell_values(cells, 0.4), measure(cells, 0.4)
    return components_of(values, measured, "KO", TORIN, MEAN_PROBABILITY, STUDY)


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """Components of studies of 6 clones an arm, 2 fields of 15 cells: sd 0.1, 0.08 and 0.15."""
    rows = [found(scored_study(STUDY, seed, 6, -0.3, fields=0.08)) for seed in range(60)]
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_the_components_are_on_average_the_true_ones(many: pd.DataFrame) -> None:
    # A response is a difference: fields and cells count under both stimulations.
    true = {"clones": 0.1**2, "fields": 2 * 0.08**2 / 2, "cells": 2 * 0.15**2 / 30}
    for name, variance in true.items():
        error = many[name].std() / np.sqrt(len(many))
        assert many[name].mean() == pytest.approx(variance, abs=4 * error), name
    assert many["observed"].mean() == pytest.approx(sum(true.values()), rel=0.15)
    assert (many["degrees"] == 10).all() and (many["n_fields"] == 2).all()


@pytest.mark.slow
def test_parts_that_are_not_cut_at_0_add_up_to_what_was_observed(many: pd.DataFrame) -> None:
    kept = many[many["clones"] > 0]
    total = kept[["clones", "fields", "cells"]].sum(axis=1)
    assert len(kept) > 30
    assert total.to_numpy() == pytest.approx(kept["observed"].to_numpy())


def test_more_fields_and_cells_reduce_their_parts_and_not_that_of_clones() -> None:
    one = Components(4.0, 2.0, 1.0, 7.0, 2, 2.0, 15.0)
    assert one.variance() == 7
    assert one.variance(more_fields=2) == 4 + 1 + 0.5
    assert one.variance(more_cells=2) == 4 + 2 + 0.5
    assert one.variance(more_fields=np.inf) == 4
    bound = one.at_upper_bound()
    assert bound.variance() == pytest.approx(7 * 4.48, rel=0.01)
    assert (bound.fields, bound.cells) == (2, 1)


def test_fields_of_unequal_size_are_weighted() -> None:
    cells = scored_study(STUDY, 1, 2, -0.3, cells=20)
    first = cells[DATASET].str.endswith("FOV1")
    few = cells[first | (cells["scportrait_cell_id"] <= 5)]
    sizes = found(few)
    # By hand: of each clone and stimulation 20 and 5 cells, so the mean has 1/25 of a cell's
    # variance, and (20^2 + 5^2) / 25^2 of a field's.
    within = cell_values(few, 0.4).groupby(["genotype", "clone", "stimulation", "field"])
    spread = within[MEAN_PROBABILITY]
    of_cells = (spread.var() * (spread.size() - 1)).sum() / (len(few) - spread.ngroups)
    assert sizes.cells == pytest.approx(2 * of_cells / 25)
    assert (sizes.n_fields, sizes.n_cells) == (2, 12.5)


def test_one_field_of_each_clone_leaves_fields_unknown() -> None:
    cells = scored_study(STUDY, 1, 2, -0.3)
    one = found(cells[cells["fov"] == "FOV1"])
    assert np.isnan(one.fields) and one.variance() > 0


def test_one_clone_in_each_arm_is_a_sentence() -> None:
    with pytest.raises(InputError, match="WT and KO have no two clones with a response between"):
        found(scored_study(STUDY, 1, 1, -0.3))


def test_one_cell_in_each_field_is_a_sentence() -> None:
    with pytest.raises(InputError, match="as each field has one cell"):
        found(scored_study(STUDY, 1, 2, -0.3, cells=1))
