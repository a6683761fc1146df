"""Confident learning: which labels are suspect, and what does not affect that."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.labels.confident import label_quality, suspected
from autophagy_assets.errors import InputError

SCORES = np.array([0.1, 0.15, 0.2, 0.9, 0.8, 0.85, 0.9, 0.1])
CLASSES = np.array([0, 0, 0, 0, 1, 1, 1, 1])
ONE = np.zeros(8)


def test_cells_that_look_like_the_other_class_are_suspect_and_no_others():
    assert list(np.flatnonzero(suspected(CLASSES, SCORES, ONE))) == [3, 7]
    assert list(label_quality(CLASSES, SCORES)[[0, 3, 4, 7]]) == pytest.approx([0.9, 0.1, 0.8, 0.1])


def test_a_fold_whose_scores_are_all_higher_has_no_more_suspects_for_it():
    """Held against the other fold, its untreated cells would be suspect."""
    scores = np.concatenate([[0.05, 0.1, 0.1, 0.3, 0.35, 0.4], [0.6, 0.65, 0.7, 0.9, 0.95, 0.95]])
    classes, folds = np.tile([0, 0, 0, 1, 1, 1], 2), np.repeat(["one", "other"], 6)
    assert suspected(classes, scores, np.zeros(12)).any()
    assert not suspected(classes, scores, folds).any()


def test_a_fold_of_one_class_is_held_against_all_cells():
    folds = np.array([0] * 7 + [1])
    assert suspected(CLASSES, SCORES, folds)[7]


def test_one_class_cannot_be_audited():
    with pytest.raises(InputError, match="3 cells of one class"):
        suspected([0, 0, 0], [0.1, 0.2, 0.3], [0, 0, 0])


CELLS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.integers(0, 20).map(lambda n: n / 20), st.integers(0, 2)),
    min_size=2,
    max_size=40,
).filter(lambda cells: len({number for number, _, _ in cells}) == 2)


@settings(max_examples=60, deadline=None)
@given(CELLS, st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(cells, random):
    order = list(range(len(cells)))
    random.shuffle(order)
    classes, scores, folds = map(np.array, zip(*cells, strict=True))
    found = suspected(classes, scores, folds)
    assert list(suspected(classes[order], scores[order], folds[order])) == list(found[order])
    rather_the_other = np.where(classes == 1, scores < 0.5, scores > 0.5)
    assert not (found & ~rather_the_other).any()
