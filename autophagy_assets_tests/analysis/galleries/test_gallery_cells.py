"""Which cells the gallery of all cells draws, and that each has the scores of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.galleries.gallery_cells import (
    SOURCE,
    scores_of,
    shown_cells,
    sortable,
)
from autophagy_assets.analysis.identity import (
    CELL_ID,
    DATASET,
    IDENTITY,
    MODEL,
    OUTCOME,
    SCORE,
)
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

STUDY = Study.load()
# Ids repeat between datasets, as they do between fields of view.
NAMES = st.tuples(st.sampled_from("abc"), st.integers(0, 6))


def cells(names) -> pd.DataFrame:
    return pd.DataFrame(names, columns=IDENTITY).astype({CELL_ID: "int64"})


def score(model: str, dataset: str, cell: int) -> float:
    """Another one for each model and cell."""
    return ("xy".index(model) * 100 + "abc".index(dataset) * 10 + cell) / 1000


def predictions(model: str, names) -> pd.DataFrame:
    table = cells(names)
    scores = [score(model, dataset, cell) for dataset, cell in names]
    outcomes = [f"of {dataset}{cell}" for dataset, cell in names]
    return table.assign(**{MODEL: model, SCORE: scores, OUTCOME: outcomes, SOURCE: f"of {model}"})


@settings(max_examples=30)
@given(
    shown=st.lists(NAMES, unique=True, min_size=1),
    scored=st.lists(NAMES, unique=True, min_size=1),
    parts=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_a_cell_has_its_own_score_in_whatever_order_and_pieces_scores_come(
    shown, scored, parts, seed
):
    mixed = [scored[i] for i in np.random.default_rng(seed).permutation(len(scored))]
    tables = [predictions(m, mixed[part::parts]) for m in "yx" for part in range(parts)]
    found = scores_of(cells(shown), [table.set_index(table.index + 7) for table in tables])
    assert list(found) == ["x", "y"]
    for model, table in found.items():
        for name, own in zip(shown, table.to_dict("records"), strict=True):
            if name in scored:
                assert own == {
                    SCORE: score(model, *name),
                    OUTCOME: f"of {name[0]}{name[1]}",
                    SOURCE: f"of {model}",
                }
            else:
                assert all(pd.isna(value) for value in own.values())


def test_two_scores_of_one_cell_by_one_model_are_refused_in_a_sentence():
    twice = [predictions("x", [("a", 1), ("b", 2)]), predictions("x", [("b", 2)])]
    with pytest.raises(InputError, match="Model 'x' has scored cell 2 of dataset b more than once"):
        scores_of(cells([("a", 1)]), twice)


def test_without_any_prediction_there_is_no_score():
    assert scores_of(cells([("a", 1)]), [predictions("x", []).astype({SCORE: float})]) == {}


def fields(sizes) -> pd.DataFrame:
    parts = [
        pd.DataFrame({DATASET: f"field {number}", CELL_ID: range(size), "fov": f"FOV{number}"})
        for number, size in enumerate(sizes)
    ]
    labels = {"genotype": "WT", "clone": "clone 1", "stimulation": "untreated"}
    return pd.concat(parts).assign(**labels)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 60), st.integers(0, 3))
def test_as_many_cells_are_drawn_of_each_field_or_all_that_it_has(sizes, most, seed):
    table = fields(sizes)
    mixed = table.sample(frac=1, random_state=seed)
    found = shown_cells(mixed, most, STUDY)
    assert len(found) == min(most, sum(sizes))
    assert not found.duplicated(IDENTITY).any()
    counts = found[DATASET].value_counts()
    got = [int(counts.get(f"field {number}", 0)) for number in range(len(sizes))]
    highest = max(got, default=0)
    for size, count in zip(sizes, got, strict=True):
        assert count == size or highest - 1 <= count <= highest
    # The same cells, in the same order, in whatever order they were given.
    pd.testing.assert_frame_equal(found, shown_cells(table, most, STUDY))


def test_another_seed_draws_other_cells_and_is_looked_up_only_if_cells_are_drawn():
    table = fields([40, 40])
    sizes = STUDY.galleries.model_copy(update={"random_state": 7})
    other = STUDY.model_copy(update={"galleries": sizes})
    assert not shown_cells(table, 30, STUDY).equals(shown_cells(table, 30, other))
    recorded = RecordedStudy.of(STUDY)
    assert shown_cells(table, 80, recorded).equals(shown_cells(table, 80, other))
    assert "galleries" not in recorded.entries_read


def test_the_control_comes_first():
    table = pd.concat([fields([2]).assign(genotype=name) for name in ("A", "WT", "Z")])
    table[DATASET] = table["genotype"]
    assert list(shown_cells(table, 10, STUDY)["genotype"].unique()) == ["WT", "A", "Z"]


def test_cells_are_sorted_by_areas_and_puncta_or_by_what_there_is_that_is_known():
    marker = ["marker_puncta_number_contrast", "marker_puncta_height_units", "marker_mean_units"]
    known = ["DAPI_mean_nucleus", "nucleus_area", *marker, "another lab's"]
    assert sortable(known) == ["nucleus_area", "marker_puncta_number_contrast"]
    assert sortable(["DAPI_mean_nucleus", "another lab's"]) == ["DAPI_mean_nucleus"]
