"""Cells that are set aside: a field of view where one can be spared, else a tenth."""

from __future__ import annotations

import numpy as np
import pytest

from autophagy_assets.analysis.deep.early_stopping import set_aside
from autophagy_assets.analysis.identity import CLASS
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.tables import cells_of

STUDY = Study.load()
FOVS = ["FOV1", "FOV2"]


@pytest.mark.parametrize("seed", range(6))
def test_a_field_of_one_clone_under_both_stimulations_is_set_aside(seed):
    cells = cells_of(STUDY, {"clone 1": (FOVS, FOVS), "clone 2": (FOVS, FOVS)})
    aside = set_aside(cells, cells[CLASS].to_numpy(), seed)
    chosen = cells[aside]
    assert len(chosen[["clone", "fov"]].drop_duplicates()) == 1
    assert set(chosen[CLASS]) == {0, 1} and len(chosen) == 24


def test_every_field_is_chosen_by_some_seed():
    cells = cells_of(STUDY, {"clone 1": (FOVS, FOVS), "clone 2": (FOVS, FOVS)})
    classes = cells[CLASS].to_numpy()
    chosen = {tuple(np.flatnonzero(set_aside(cells, classes, seed))) for seed in range(30)}
    assert len(chosen) == 4


@pytest.mark.parametrize("labels", [{"clone 1": (FOVS, FOVS)}, {"clone 1": (["A"], ["B"])}])
def test_where_no_field_can_be_spared_it_is_a_tenth_of_each_class(labels):
    cells = cells_of(STUDY, labels, cells=20)
    classes = cells[CLASS].to_numpy()
    aside = set_aside(cells, classes, 0)
    assert [int(aside[classes == n].sum()) for n in (0, 1)] == [
        round(0.1 * (classes == n).sum()) for n in (0, 1)
    ]


def test_a_class_of_one_cell_has_nothing_set_aside():
    cells = cells_of(STUDY, {"clone 1": (["A"], ["B"])}, cells=5).head(6)
    assert not set_aside(cells, cells[CLASS].to_numpy(), 0).any()
