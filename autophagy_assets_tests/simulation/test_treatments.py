"""What treatment and knockout do to the cells is what the options say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.simulation import simulate
from autophagy_assets_tests.simulation.tiny import TINY, files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many_cells(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("many") / "study"
    return simulate(out, size=700, cells_per_field=60, fields_per_sample=1).ground_truth


@pytest.fixture(scope="module")
def without_effect(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("none") / "study"
    return simulate(out, size=700, cells_per_field=60, fields_per_sample=1, effect=0).ground_truth


def test_number_of_cells_follows_the_option(many_cells: pd.DataFrame):
    untreated = many_cells[many_cells["stimulation"] == "untreated"]
    treated = many_cells[many_cells["stimulation"] != "untreated"]
    assert 45 < untreated.groupby("field").size().mean() < 75
    assert treated.groupby("field").size().mean() < untreated.groupby("field").size().mean()


def test_areas_are_those_of_nuclei_within_cells(many_cells: pd.DataFrame):
    inner = many_cells[~many_cells["touches_border"]]
    assert inner["nucleus_area"].median() == pytest.approx(480, rel=0.2)
    assert (inner["cell_area"] >= inner["nucleus_area"]).all()


def test_spontaneous_cells_are_the_autophagic_untreated_ones(many_cells: pd.DataFrame):
    untreated = many_cells["stimulation"] == "untreated"
    assert (many_cells["spontaneous"] == (many_cells["autophagic"] & untreated)).all()
    assert 0 < many_cells.loc[untreated, "spontaneous"].mean() < 0.1


def puncta(truth: pd.DataFrame, genotype: str, stimulation: str) -> float:
    return truth.query("genotype == @genotype and stimulation == @stimulation")["n_puncta"].mean()


def test_torin_gives_wild_type_many_puncta_and_the_knockout_few(many_cells: pd.DataFrame):
    resting, stimulated = (puncta(many_cells, "WT", s) for s in ("untreated", "14h Torin-1"))
    assert stimulated > 5 * resting
    knockout = puncta(many_cells, "EI24KO", "14h Torin-1")
    assert puncta(many_cells, "EI24KO", "untreated") < knockout < stimulated / 3


def test_without_effect_treated_cells_are_as_untreated_ones(
    without_effect: pd.DataFrame, many_cells: pd.DataFrame
):
    def difference(truth: pd.DataFrame) -> float:
        """Puncta of treated against untreated cells of the same clone, in WT."""
        wild = truth[truth["genotype"] == "WT"].groupby(["clone", "stimulation"])["n_puncta"]
        return float(wild.mean().unstack().pipe(lambda t: t["14h Torin-1"] - t["untreated"]).mean())

    assert difference(many_cells) > 30
    assert abs(difference(without_effect)) < 4
    autophagic = without_effect.groupby("stimulation")["autophagic"].mean()
    assert autophagic["14h Torin-1"] == pytest.approx(autophagic["untreated"], abs=0.04)


def test_halfway_has_half_of_the_effect_and_leaves_all_other_fields_as_they_are(tmp_path: Path):
    from autophagy_assets.config.study import Study

    one_clone = {**TINY, "clones": 1, "cells_per_field": 40}
    without = simulate(tmp_path / "without", **one_clone)
    study = simulate(tmp_path / "with", **one_clone, halfway=True)
    before, after = files(without.folder / "images"), files(study.folder / "images")
    assert {name: after[name] for name in before} == before and len(after) == 3 * len(before) // 2
    stimulations = ("untreated", "6h Torin-1", "14h Torin-1")
    untreated, halfway, full = (puncta(study.ground_truth, "WT", s) for s in stimulations)
    assert untreated + 0.2 * (full - untreated) < halfway < untreated + 0.8 * (full - untreated)
    assert "6h Torin-1" not in Study.load().stimulations


def test_the_strongest_effect_still_draws_possible_cells():
    from autophagy_assets.simulation import cells
    from autophagy_assets.simulation.treatments import Condition

    rng = np.random.default_rng(0)
    drawn = cells.draw(
        rng, np.zeros((5000, 2)), Condition("WT", 1, "14h Torin-1", 1), cells.Clone.draw(rng), 1.5
    )
    assert drawn["severity"].max() > 1.2
    assert (drawn.drop(columns=["autophagic", "spontaneous", "mitotic", "dying"]) >= 0).all().all()
