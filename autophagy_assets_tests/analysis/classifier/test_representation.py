"""Representation of cells: features of a forest, embedding of a network."""

from __future__ import annotations

import numpy as np
import pytest

from autophagy_assets.analysis.classifier.classification import train
from autophagy_assets.analysis.classifier.representation import describe_representation, represent
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.deep.dotted import dotted, network
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells


def test_a_forest_represents_cells_by_the_features_that_it_uses():
    cells = measured_cells(Study.load(), cells=6)
    model = train(cells, forest(), "table")
    assert (represent(model, cells)[:, 0] == cells["marker_spots_contrast"]).all()
    assert describe_representation(model, represent(model, cells).shape[1]) == "its only feature"
    with pytest.raises(InputError, match="'marker_spots_contrast'"):
        represent(model, cells.drop(columns="marker_spots_contrast"))


@pytest.mark.slow
def test_a_network_represents_cells_by_what_goes_into_its_last_layer(tmp_path):
    cells, crops = dotted(tmp_path, cells=3)
    model = train(cells, network(epochs=1), "table", crops=crops)
    found = represent(model, cells, "cells", crops)
    np.testing.assert_array_equal(found, model.estimator.with_crops(crops).embed(cells))
    assert "128 values of a cell" in describe_representation(model, found.shape[1])
    with pytest.raises(InputError, match="given none"):
        represent(model, cells)
