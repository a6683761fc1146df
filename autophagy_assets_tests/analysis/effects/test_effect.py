"""Effects of knockouts: right on studies of known truth, honest on few clones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test, ttest_ind

from autophagy_assets.analysis.effects.clone_statistics import (
    clones_needed,
    exact_p,
    smallest_p,
    welch_interval,
)
from autophagy_assets.analysis.effects.effect import Effect, effect_of, effects_table
from autophagy_assets.analysis.effects.effect_figures import effect_picture
from autophagy_assets.analysis.effects.responses import (
    MEAN_PROBABILITY,
    POSITIVE_SHARE,
    measure,
    responses,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.effects.scored import scored_study

STUDY = Study.load()
TORIN = STUDY.classes[1]
numbers = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=5).map(np.array)


def effect(seed: int, clones: int, true: float, confidence: float = 0.95) -> Effect:
    cells = scored_study(STUDY, seed, clones, true)
    found = responses(measure(cells, 0.4), STUDY)
    return effect_of(found, "KO", TORIN, MEAN_PROBABILITY, STUDY, confidence)


@pytest.mark.slow
def test_intervals_of_studies_of_eight_clones_cover_the_truth():
    found = [effect(seed, 4, -0.3, confidence=0.9) for seed in range(100)]
    assert 85 <= sum(e.low <= -0.3 <= e.high for e in found) <= 95
    assert np.mean([e.difference for e in found]) == pytest.approx(-0.3, abs=0.03)


@pytest.mark.slow
def test_a_knockout_without_effect_is_rarely_called_one():
    assert sum(effect(seed, 4, 0.0).is_seen for seed in range(100)) <= 7


def test_a_large_effect_is_seen_with_eight_clones():
    assert sum(effect(seed, 4, -0.5).is_seen for seed in range(20)) >= 18


@given(numbers, numbers)
def test_the_interval_is_welchs(first, second):
    low, high = welch_interval(first, second, 0.95)
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        assert np.isnan(low) and np.isnan(high)
        return
    known = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (low, high) == pytest.approx((known.low, known.high))


@given(numbers, numbers)
def test_the_exact_p_is_that_of_scipy_and_never_below_the_smallest(first, second):
    found = exact_p(first, second)
    known = permutation_test(
        (first, second), lambda a, b: abs(a.mean() - b.mean()), n_resamples=np.inf,
        alternative="greater",
    )  # fmt: skip
    assert found == pytest.approx(known.pvalue)
    assert found >= smallest_p(len(first), len(second)) - 1e-12


def test_the_smallest_p_of_few_clones():
    allowed = [smallest_p(n, n) for n in (1, 2, 3, 4)]
    assert allowed == pytest.approx([1, 1 / 3, 0.1, 2 / 70])
    assert smallest_p(2, 3) == pytest.approx(0.1)
    assert clones_needed(0.05) == 4


def test_two_clones_an_arm_say_what_they_allow():
    found = effect(3, 2, -0.5)
    assert "With 2 clones an arm the smallest two-sided exact p is 0.33" in found.sentence
    assert "4 an arm would allow 0.029" in found.sentence
    assert f"{found.difference:+.2f}" in found.sentence or "less by" in found.sentence


def test_one_clone_has_no_interval_and_says_so():
    found = effect(3, 1, -0.5)
    assert np.isnan(found.low) and not found.is_seen
    assert "with one clone in an arm there is no interval" in found.sentence


def test_two_clones_that_agree_by_chance_give_no_certainty():
    cells = scored_study(STUDY, 3, 2, 0.0)
    cells["prob_class1"] = np.where((cells["class"] == 1) & (cells["genotype"] == "WT"), 0.9, 0.1)
    found = responses(measure(cells, 0.4), STUDY)
    found = effect_of(found, "KO", TORIN, POSITIVE_SHARE, STUDY)
    assert found.difference == -1 and not found.is_seen
    assert (
        "responds less by 1.00; there is no interval, as the clones of each arm" in found.sentence
    )


def test_four_clones_say_the_p_they_reach():
    found = effect(3, 4, -0.8)
    assert found.is_seen and found.p == pytest.approx(2 / 70)
    assert "here it is 0.029" in found.sentence
    assert "The knockout responds less by" in found.sentence


def test_an_interval_with_0_in_it_is_no_effect():
    found = effect(1, 4, 0.0)
    assert not found.is_seen
    assert "No effect of the knockout is seen" in found.sentence


def test_clones_far_apart_but_few_are_said_to_be_both():
    found = effect_of(
        responses(measure(scored_study(STUDY, 1, 2, -0.4, between=0.05), 0.4), STUDY),
        "KO", TORIN, POSITIVE_SHARE, STUDY,
    )  # fmt: skip
    assert max(found.knockout_responses) < min(found.control_responses) and not found.is_seen
    assert "In these clones the knockout responds less" in found.sentence
    assert "may be chance" in found.sentence


def test_clones_a_little_apart_are_no_effect_where_a_large_one_is_left_out():
    found = Effect(
        "KO", "WT", TORIN, POSITIVE_SHARE, (0.78, 0.81), (0.83, 0.87), -0.055, -0.17, 0.06, 0.95,
        1 / 3,
    )  # fmt: skip
    assert max(found.knockout_responses) < min(found.control_responses)
    assert "No effect of the knockout is seen" in found.sentence
    assert "at most 20 % of the control's response" in found.sentence


def test_a_genotype_without_responses_is_named():
    found = responses(measure(scored_study(STUDY, 0, 2, 0.0), 0.4), STUDY)
    with pytest.raises(InputError, match="No clone of ATG5KO has a response"):
        effect_of(found, "ATG5KO", TORIN, POSITIVE_SHARE, STUDY)


def test_the_table_has_a_row_by_measure():
    cells = scored_study(STUDY, 0, 2, -0.4)
    measured = measure(cells, 0.4, {"puncta per cell": "marker_spots_contrast"})
    table = effects_table(responses(measured, STUDY), "KO", STUDY).set_index("measure")
    assert sorted(table.index) == [MEAN_PROBABILITY, POSITIVE_SHARE, "puncta per cell"]
    ratio = table["difference"]["puncta per cell"] / table["difference"][MEAN_PROBABILITY]
    assert ratio == pytest.approx(10)
    assert (table[["n_knockout", "n_control"]] == 2).all().all()


@pytest.mark.parametrize("clones", [1, 2, 4])
def test_the_figure_shows_every_clone_and_every_field(clones):
    cells = scored_study(STUDY, 0, clones, -0.4)
    measured = measure(cells, 0.4)
    found = effect_of(responses(measured, STUDY), "KO", TORIN, POSITIVE_SHARE, STUDY)
    picture = effect_picture(measured, found, STUDY)
    left, middle, right = picture.figure.axes
    sizes = [(line.get_markersize(), len(line.get_xdata())) for line in left.lines]
    assert sum(n for size, n in sizes if size == 10) == 2 * 2 * clones
    assert sum(n for size, n in sizes if size == 4) == 2 * 2 * 2 * clones
    drawn = [line for line in middle.lines if line.get_markersize() == 9]
    assert len(drawn) == 2 * clones
    assert any("no interval" in text.get_text() for text in right.texts) == (clones == 1)
    assert found.sentence in picture.caption


def test_a_clone_without_a_response_is_named_and_others_keep_their_marker():
    cells = scored_study(STUDY, 0, 3, -0.3)
    lacks = (cells["clone"] == "clone 1") & (cells["genotype"] == "WT") & (cells["class"] == 1)
    measured = measure(cells[~lacks], 0.4)
    found = effect_of(responses(measured, STUDY), "KO", TORIN, POSITIVE_SHARE, STUDY)
    assert len(found.control_responses) == 2
    picture = effect_picture(measured, found, STUDY)
    left, middle, _ = picture.figure.axes
    beside = {line.get_label(): line.get_marker() for line in left.lines}
    drawn = [line for line in middle.lines if line.get_markersize() == 9]
    control = {float(line.get_ydata()[0]): line.get_marker() for line in drawn[:2]}
    assert control == {
        value: beside[f"WT clone {number}"]
        for number, value in zip((2, 3), found.control_responses, strict=True)
    }
    said = f"clone 1 of WT has no {TORIN} cells, so it has no response."
    assert picture.caption.endswith(said)
