"""What a cell is called, and whether that is right."""

from __future__ import annotations

import numpy as np

from autophagy_assets.analysis.classifier.predictions import called, outcomes


def test_outcomes_are_named_after_class_1():
    found = outcomes(np.array([1, 0, 0, 1]), np.array([1, 0, 1, 0]))
    assert list(found) == ["TP", "TN", "FP", "FN"]


def test_a_cell_is_positive_above_the_threshold_and_not_at_it():
    assert called(np.array([0.2, 0.3, 0.4]), 0.3).tolist() == [0, 0, 1]
    assert called(np.array([0.5, 0.51]), None).tolist() == [0, 1]
