"""Agreement with people: labels, models, each other, and what the next answers may change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import betabinom

from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, MODEL, PREDICTED
from autophagy_assets.analysis.labels.agreement import (
    agreement_table,
    kappas,
    label_noise,
    next_answers,
)
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.tables import measured_cells
from autophagy_assets_tests.analysis.labels.answered import answers_of

STUDY = Study.load()
UNTREATED, STIMULATED = STUDY.classes[0], STUDY.classes[1]
CELLS = measured_cells(STUDY, cells=10)[[*IDENTITY, CLASS, *METADATA]]
PREDICTIONS = pd.concat(
    [
        CELLS.assign(**{MODEL: "blind", PREDICTED: 0}),
        CELLS.assign(**{MODEL: "sees", PREDICTED: CELLS[CLASS]}),
    ],
    ignore_index=True,
)
SHOWN = CELLS.groupby(["clone", CLASS]).head(10)
WRONG = SHOWN.index[:4]  # untreated ones of clone 1 that a person takes for stimulated


def said(cells: pd.DataFrame, wrong: pd.Index = WRONG) -> list[str]:
    return [STUDY.classes[n if at not in wrong else 1 - n] for at, n in cells[CLASS].items()]


ANSWERS = answers_of(SHOWN, said(SHOWN))


def one(table: pd.DataFrame, **where: object) -> pd.Series:
    rows = table.loc[np.logical_and.reduce([table[name] == value for name, value in where.items()])]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_labels_and_models_are_held_against_people_by_class_and_clone():
    table = agreement_table(ANSWERS, PREDICTIONS, STUDY)
    table = table[table["measure"] == "agreement"]
    everywhere = {"class": "all", "clone": "all"}
    label = one(table, who="label", **everywhere)
    assert (label["count"], label["n_cells"]) == (36, 40)
    assert (label["low"], label["high"]) == pytest.approx((0.7695, 0.9604), abs=1e-4)
    assert one(table, who="label", **{"class": UNTREATED, "clone": "clone 1"})["value"] == 0.6
    assert one(table, who="label", **{"class": UNTREATED, "clone": "clone 2"})["value"] == 1
    assert one(table, who="model sees", **everywhere)["value"] == label["value"]
    assert one(table, who="model blind", **everywhere)["count"] == 16
    assert one(table, who="model blind", **{"class": STIMULATED, "clone": "all"})["value"] == 0
    assert len(table) == 3 * 3 * 3


def test_cells_that_people_do_not_agree_on_count_for_nobody():
    unsure = answers_of(SHOWN, ["unsure"] * len(SHOWN))
    table = agreement_table(unsure, PREDICTIONS, STUDY)
    assert not table["measure"].isin(["agreement", "label noise"]).any()
    assert one(table, measure="next answers", who="all")["count"] == 0


def test_without_answers_there_is_a_table_without_rows():
    table = agreement_table(ANSWERS.head(0), PREDICTIONS, STUDY)
    assert table.empty and "value" in table


def test_kappa_between_people_is_that_of_the_cells_that_both_have_seen():
    first = answers_of(CELLS.head(4), [UNTREATED, UNTREATED, STIMULATED, STIMULATED])
    other = answers_of(
        CELLS.head(5), [UNTREATED, STIMULATED, STIMULATED, STIMULATED, "unsure"], "Bo"
    )
    (pair,) = kappas(pd.concat([first, other]))
    assert (pair["who"], pair["n_cells"], pair["count"]) == ("Ada and Bo", 4, 3)
    assert pair["value"] == pytest.approx((0.75 - 0.5) / (1 - 0.5))


def test_people_with_one_answer_have_no_kappa_and_people_without_common_cells_no_row():
    same = [answers_of(CELLS.head(3), [UNTREATED] * 3, name) for name in ("Ada", "Bo")]
    (pair,) = kappas(pd.concat(same))
    assert np.isnan(pair["value"]) and pair["count"] == 3
    apart = [
        answers_of(part, [UNTREATED] * 3, name)
        for name, part in (("Ada", CELLS.head(3)), ("Bo", CELLS.tail(3)))
    ]
    assert list(kappas(pd.concat(apart))) == []


def test_label_noise_comes_from_cells_that_were_drawn_at_random_alone():
    random, chosen = SHOWN.iloc[::2], SHOWN.iloc[1::2]
    answers = pd.concat(
        [answers_of(random, said(random)), answers_of(chosen, said(chosen), chosen_by="suspicion")]
    )
    rows = {row["class"]: row for row in label_noise(answers, CELLS, STUDY)}
    assert (rows["all"]["count"], rows["all"]["n_cells"]) == (2, 20)
    assert (rows[UNTREATED]["count"], rows[STIMULATED]["count"]) == (2, 0)
    assert (rows["all"]["low"], rows["all"]["high"]) == pytest.approx((0.0279, 0.3010), abs=1e-4)
    assert list(label_noise(answers[answers["chosen_by"] != "random"], CELLS, STUDY)) == []


def test_what_people_say_of_a_random_cell_on_another_page_counts_as_well():
    wrong = SHOWN.loc[WRONG]
    other = [STUDY.classes[number] for number in wrong[CLASS]]  # that the label is right
    later = {"chosen_by": "suspected label", "at": "2026-11-02T10:00:00"}
    again = answers_of(wrong.head(1), other[:1], **later)
    somebody = answers_of(wrong.iloc[1:2], other[1:2], "Bo", **later)
    answers = pd.concat([ANSWERS, again, somebody], ignore_index=True)
    noise = next(label_noise(answers, CELLS, STUDY))
    agreed = one(
        agreement_table(answers, PREDICTIONS, STUDY),
        **{"measure": "agreement", "who": "label", "class": "all", "clone": "all"},
    )
    assert (noise["count"], noise["n_cells"]) == (2, 39) == (39 - agreed["count"], 39)
    assert agreed["n_cells"] == 39


def test_the_next_answers_change_as_many_labels_as_the_last_ones_of_each_reason():
    wrong, right = SHOWN.loc[WRONG], SHOWN.drop(WRONG)
    answers = pd.concat(
        [answers_of(wrong, said(wrong), chosen_by="suspicion"), answers_of(right, said(right))]
    )
    rows = {row["who"]: row for row in next_answers(answers, CELLS, STUDY)}
    assert (rows["suspicion"]["count"], rows["random"]["count"]) == (4, 0)
    assert rows["suspicion"]["value"] == pytest.approx(5 * 4.5 / 5)  # 4 of 40 cells: 5 of 50
    assert rows["random"]["value"] == pytest.approx(45 * 0.5 / 37)
    assert rows["all"]["value"] == pytest.approx(
        rows["suspicion"]["value"] + rows["random"]["value"]
    )
    rows = {r["who"]: r for r in next_answers(answers, CELLS, STUDY, queue={"random": 50})}
    assert rows["suspicion"]["value"] == 0 and rows["all"]["value"] == pytest.approx(50 * 0.5 / 37)
    expected = betabinom(50, 0.5, 36.5).ppf([0.05, 0.95])
    assert [rows["all"]["low"], rows["all"]["high"]] == list(expected)


def test_the_interval_of_the_next_answers_holds_what_comes_in_most_studies():
    random, held, n = np.random.default_rng(0), 0, 100
    cells = pd.concat(
        [CELLS.assign(dataset=CELLS["dataset"] + str(k)) for k in range(2)], ignore_index=True
    )
    for _ in range(n):
        rate = random.uniform(0.02, 0.4)
        shown = cells.head(60)
        wrong = shown.index[random.random(60) < rate]
        *_, last = next_answers(answers_of(shown, said(shown, wrong)), cells, STUDY)
        held += last["low"] <= random.binomial(50, rate) <= last["high"]
    assert held >= 0.83 * n
