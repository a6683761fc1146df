"""Replicate plans: what they promise is what simulated studies keep."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from autophagy_assets.analysis.effects.components import Components
from autophagy_assets.analysis.effects.power import clones_for, welch_power
from autophagy_assets.analysis.effects.replicates import Pilot, pilot_of, replicate_plan
from autophagy_assets.analysis.effects.replicates_figures import ASSUMED, replicate_picture
from autophagy_assets.analysis.effects.replicates_words import (
    ALL_FIELDS,
    AS_NOW,
    AS_SEEN,
    AT_BOUND,
    HALF,
    MORE_CELLS,
    MORE_FIELDS,
    NAMED,
    SEEN,
)
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.effects.simulated import mean_responses, share_seen

SHARE = "positive share"
# Standard deviations of clones, of fields and of cells; fields of a clone, cells of a field.
STUDIES = {
    "clones differ most": ((0.15, 0.03, 0.3), 2, 40),
    "fields differ most": ((0.03, 0.15, 0.3), 2, 40),
    "few cells": ((0.05, 0.02, 0.5), 2, 10),
}


def pilot(of: str = "clones differ most", difference: float = -0.3, degrees: int = 2) -> Pilot:
    (clones, fields, cells), n_fields, n_cells = STUDIES[of]
    parts = (
        clones**2,
        2 * fields**2 / n_fields,
        2 * cells**2 / n_fields / n_cells,
    )
    known = Components(*parts, sum(parts), degrees, n_fields, n_cells)
    n = 1 + degrees // 2
    return Pilot("KO", "WT", "14h Torin-1", SHARE, n, n, difference, known)


@pytest.mark.parametrize("of", STUDIES)
def test_the_clones_of_a_plan_give_the_power_that_it_promises(of: str) -> None:
    random, (sds, fields, cells) = np.random.default_rng(1), STUDIES[of]
    plan = replicate_plan(pilot(of)).query(f"variance_between_clones == {AS_SEEN!r}")
    numbers = {
        AS_NOW: (fields, cells),
        MORE_CELLS: (fields, 2 * cells),
        MORE_FIELDS: (2 * fields, cells),
    }
    for row in plan[plan["design"] != ALL_FIELDS].itertuples():
        n = int(row.needed)
        arms = [mean_responses(random, 4000, n, *numbers[row.design], sds) for _ in range(2)]
        seen = share_seen(arms[0] + row.true_difference, arms[1])
        promised = welch_power(row.true_difference, row.variance, n, n, 0.95)
        assert promised >= 0.8
        assert seen == pytest.approx(promised, abs=0.03), row
        now = [mean_responses(random, 4000, 2, *numbers[row.design], sds) for _ in range(2)]
        assert row.power_now == pytest.approx(
            share_seen(now[0] + row.true_difference, now[1]), abs=0.03
        )


def test_shares_of_few_cells_keep_the_promise_within_a_tenth() -> None:
    """Positive cells are counted, so responses are not normal and their variance is not even."""
    random, n, cells = np.random.default_rng(2), 4, 30
    arms = []
    for lift in (0.55, 0.25):
        untreated = random.binomial(cells, 0.05, (4000, n)) / cells
        chance = np.clip(0.05 + lift + random.normal(0, 0.1, (4000, n)), 0, 1)
        arms.append(random.binomial(cells, chance) / cells - untreated)
    variance = np.mean([arm.var(ddof=1) for arm in arms])
    difference = arms[1].mean() - arms[0].mean()
    promised = welch_power(difference, variance, n, n, 0.95)
    assert 0.4 < promised < 0.98
    assert share_seen(*arms) == pytest.approx(promised, abs=0.1)


def test_plans_at_the_bound_keep_their_promise_in_four_of_five_pilots_of_two_clones() -> None:
    true = 0.15**2
    kept = {AS_SEEN: 0, AT_BOUND: 0}
    estimates = true * chi2.ppf((np.arange(25) + 0.5) / 25, 2) / 2  # as pilots give them
    for estimate in estimates:
        known = Components(estimate, 0.0, 0.0, estimate, 2, 2, 40)
        for name, one in ((AS_SEEN, known), (AT_BOUND, known.at_upper_bound())):
            needed = clones_for(-0.3, one.variance(), 0.8, 0.95)
            kept[name] += needed is None or welch_power(-0.3, true, needed, needed, 0.95) >= 0.8
    assert kept[AT_BOUND] / 25 >= 0.8
    assert kept[AS_SEEN] / 25 <= 0.6  # so the plan from what was seen alone is no plan


def test_more_fields_help_where_fields_differ_and_not_where_clones_do() -> None:
    def needed(of: str) -> dict[str, float]:
        plan = replicate_plan(pilot(of))
        rows = plan.query(f"variance_between_clones == {AS_SEEN!r} and effect == {HALF!r}")
        return dict(zip(rows["design"], rows["needed"], strict=True))

    fields, clones, cells = map(needed, ("fields differ most", "clones differ most", "few cells"))
    assert fields[MORE_FIELDS] < 0.7 * fields[AS_NOW] and fields[MORE_CELLS] > 0.9 * fields[AS_NOW]
    assert clones[ALL_FIELDS] >= clones[AS_NOW] - 2
    assert cells[MORE_CELLS] < 0.7 * cells[AS_NOW]
    said = replicate_plan(pilot("clones differ most"))["sentence"].iloc[0]
    assert "twice the cells would not change that" in said


def test_the_sentence_has_the_clones_of_the_table_and_the_width_of_the_variance() -> None:
    plan = replicate_plan(pilot())
    now = plan[plan["design"] == AS_NOW].set_index(["effect", "variance_between_clones"])["needed"]
    said = plan["sentence"].iloc[0]
    assert f"the effect seen (-0.30) needs {now[SEEN, AS_SEEN]:.0f} clones an arm" in said
    assert f"{now[SEEN, AT_BOUND]:.0f} if clones scatter as much as can be believed" in said
    assert f"half of it (-0.15) needs {now[HALF, AS_SEEN]:.0f}" in said
    assert "2 degrees of freedom only: the upper 80 % bound is 4.5 times" in said
    assert plan["sentence"].nunique() == 1
    at_bound = plan.query(f"design == {AS_NOW!r} and variance_between_clones == {AT_BOUND!r}")
    one_arm = at_bound["needed_if_one_arm_scatters"].iloc[-1]
    assert one_arm > at_bound["needed"].iloc[-1]
    assert f"in one arm, the last number would be {one_arm:.0f}" in said
    assert (plan["needed_if_one_arm_scatters"].fillna(999) >= plan["needed"].fillna(999)).all()
    few = "with fewer than 4 an arm no exact p can be below 0.05"
    assert few not in said and few in replicate_plan(pilot(difference=-0.9))["sentence"].iloc[0]


def test_a_plan_can_be_made_again_from_its_table_for_another_effect_and_power() -> None:
    plan = replicate_plan(pilot("fields differ most"))
    assert pilot_of(plan, SHARE) == pilot("fields differ most")
    other = replicate_plan(pilot_of(plan, SHARE), power=0.9, difference=0.5)
    assert list(other["effect"].unique()) == [NAMED]
    assert "To be seen with 90 % power" in other["sentence"].iloc[0]
    with pytest.raises(InputError, match="no plan for the measure 'brightness', only for 'positiv"):
        pilot_of(plan, "brightness")


def test_what_cannot_be_planned_is_a_sentence() -> None:
    alike = Components(0.0, 0.0, 0.0, 0.0, 2, 2, 40)
    with pytest.raises(InputError, match="KO responds in its positive share exactly as WT does"):
        replicate_plan(pilot(difference=0.0))
    with pytest.raises(InputError, match="respond exactly alike in their positive share"):
        replicate_plan(replace(pilot(), components=alike))
    with pytest.raises(InputError, match="An effect of 0 cannot be shown"):
        replicate_plan(pilot(), difference=0.0)


def test_one_field_of_each_clone_says_that_fields_are_not_known() -> None:
    known = replace(pilot().components, fields=math.nan)
    plan = replicate_plan(replace(pilot(), components=known))
    assert "fields cannot be told from clones" in plan["sentence"].iloc[0]
    assert set(plan["design"]) == {AS_NOW, MORE_CELLS}
    _, middle, right = replicate_picture(plan, SHARE).figure.axes
    assert [text.get_text().rstrip(" 0123456789%") for text in middle.texts][:2] == [
        "clones and fields",
        "cells",
    ]
    assert len(right.lines) == 8


@pytest.mark.parametrize("difference", [-0.3, 0.005])
def test_the_figure_has_curves_parts_and_clones_of_every_design(difference: float) -> None:
    picture = replicate_picture(replicate_plan(pilot(difference=difference)), SHARE)
    left, middle, right = picture.figure.axes
    assert len([line for line in left.lines if len(line.get_xdata()) > 2]) == 4
    assert len(middle.patches) == 3
    assert sum(p.get_height() for p in middle.patches) == pytest.approx(1)
    assert len(right.lines) == len(picture.table) == 16
    assert any("> 200" in text.get_text() for text in right.texts) == (difference == 0.005)
    assert ASSUMED in picture.caption and picture.table["sentence"].iloc[0] in picture.caption
