"""A dataset may hold the cells of one field of view or of several: nothing but names differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.deep.early_stopping import set_aside
from autophagy_assets.analysis.effects.components import components_of
from autophagy_assets.analysis.effects.responses import MEAN_PROBABILITY, cell_values, measure
from autophagy_assets.analysis.evidence.field_groups import field_groups
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, folds
from autophagy_assets.analysis.evidence.permutation import permuted
from autophagy_assets.analysis.evidence.shortcuts import cells_in_image
from autophagy_assets.analysis.galleries.choice import choose_class_cells
from autophagy_assets.analysis.galleries.gallery_cells import shown_cells
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY, field_numbers
from autophagy_assets.analysis.quality.drift import differences
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.effects.scored import scored_study
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()
SAMPLE = ["genotype", "clone", "stimulation"]

studies = st.builds(
    lambda clones, fields, cells, seed: (
        measured_cells(STUDY, clones, fields, cells, seed=seed)
        # Fields have different numbers of cells.
        .sample(frac=0.8, random_state=seed)
        .reset_index(drop=True)
    ),
    clones=st.integers(2, 3),
    fields=st.integers(2, 4),
    cells=st.integers(4, 8),
    seed=st.integers(0, 99),
)


def together(cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells in a dataset for each sample, whose ids do not repeat."""
    field = cells.groupby(SAMPLE)["fov"].rank("dense").astype("int64") - 1
    dataset = cells.groupby(SAMPLE).ngroup().astype(str)
    return cells.assign(
        **{DATASET: "sample " + dataset, CELL_ID: cells[CELL_ID] + 1_000_000 * field}
    )


def nameless(cells: pd.DataFrame, columns: list[str] | None = None) -> pd.DataFrame:
    """What is left of a table without the names of datasets and cells, in an order of its own."""
    rest = cells.drop(columns=IDENTITY, errors="ignore")
    return rest.sort_values(columns or list(rest.columns), ignore_index=True)


@settings(max_examples=8)
@given(studies)
def test_fields_are_told_apart_and_put_together_as_if_each_had_a_dataset(cells):
    one = together(cells)
    assert not one.duplicated(IDENTITY).any()
    assert len(set(field_numbers(one))) == cells[DATASET].nunique() > one[DATASET].nunique()
    same = pd.crosstab(field_numbers(cells), field_numbers(one)) > 0
    assert (same.sum() == 1).all() and (same.sum(axis=1) == 1).all()
    pd.testing.assert_frame_equal(nameless(field_groups(cells)), nameless(field_groups(one)))
    pd.testing.assert_series_equal(cells_in_image(cells), cells_in_image(one))


@settings(max_examples=5)
@given(studies)
def test_folds_and_permutations_are_of_fields_and_not_of_datasets(cells):
    one = together(cells)
    for scheme in (FIELD, CLONE):
        parted = [folds(table, scheme, STUDY) for table in (cells, one)]
        tests = [{fold.left_out: set(fold.test) for fold in some} for some in parted]
        assert tests[0] == tests[1]
    both = [permuted(table, folds(table, CLONE, STUDY), STUDY, np.mean) for table in (cells, one)]
    assert both[0].possible == both[1].possible


@settings(max_examples=5)
@given(studies, st.integers(0, 5))
def test_no_network_learns_from_the_field_that_is_set_aside(cells, seed):
    classes = cells[CLASS].to_numpy()
    both = [set_aside(table, classes, seed) for table in (cells, together(cells))]
    np.testing.assert_array_equal(*both)


@settings(max_examples=2)
@given(st.integers(0, 99))
def test_responses_and_their_components_are_the_same(seed):
    cells = scored_study(STUDY, seed, 3, -0.3, cells=6)
    both = []
    for table in (cells, together(cells)):
        values, measured = cell_values(table, 0.4), measure(table, 0.4)
        both.append(measured)
        found = components_of(values, measured, "KO", STUDY.classes[1], MEAN_PROBABILITY, STUDY)
        both.append(pd.DataFrame([found]))
    pd.testing.assert_frame_equal(both[0], both[2])
    pd.testing.assert_frame_equal(both[1], both[3])


@settings(max_examples=5)
@given(studies, st.integers(1, 40))
def test_galleries_draw_the_same_cells(cells, most):
    one, places = together(cells), [*SAMPLE, "fov"]
    pd.testing.assert_frame_equal(
        nameless(shown_cells(cells, most, STUDY), places),
        nameless(shown_cells(one, most, STUDY), places),
    )
    of_class = [
        choose_class_cells(table, "WT", STUDY.classes[1], 5, 0).drop(columns=IDENTITY)
        for table in (cells, one)
    ]
    pd.testing.assert_frame_equal(*of_class)
    assert of_class[0]["fov"].nunique() == 1


def test_fields_of_a_clone_are_compared_though_they_are_in_one_dataset():
    cells = measured_cells(STUDY, 1, 3, 20)
    both = [differences(table, 5) for table in (cells, together(cells))]
    assert set(both[1]["sample"]) > {"field sample 0, FOV1", "field sample 0, FOV2"}
    assert nameless(both[0].drop(columns="sample")).equals(nameless(both[1].drop(columns="sample")))
