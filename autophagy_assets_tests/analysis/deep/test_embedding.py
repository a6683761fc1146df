"""What a network sees as features: learned within the fold, and the same every time."""

from __future__ import annotations

import pickle
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.estimators import embedding_of
from autophagy_assets.analysis.classifier.model import dumps
from autophagy_assets.analysis.classifier.representation import describe_representation, represent
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.comparison import auc_of, compare
from autophagy_assets.analysis.evidence.controls import negative_controls
from autophagy_assets.analysis.evidence.cross_validation import control_cells, cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, SCHEMES, Fold, possible_folds
from autophagy_assets.analysis.evidence.out_of_fold import out_of_fold
from autophagy_assets.analysis.features.sets import features_of
from autophagy_assets.analysis.identity import CLASS, IDENTITY, feature_columns
from autophagy_assets.config.models import Model
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.deep.dotted import QUICK, STUDY, classifier, dotted
from autophagy_assets_tests.analysis.evidence.models import PUBLISHED, forest

pytestmark = pytest.mark.slow

MARKER = "marker_spots_contrast"
SMOOTH = {"estimator": "logistic_regression", "parameters": {}}


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> tuple[pd.DataFrame, Crops]:
    table, crops = dotted(tmp_path_factory.mktemp("dotted"))
    table[MARKER] = np.random.default_rng(1).normal(size=len(table))
    return control_cells(table, STUDY), crops


def embedded(epochs: int = 1, sets: tuple[str, ...] = ("cnn",), **entries: Any) -> Model:
    """A random forest on what a small network sees, or another estimator."""
    network = QUICK | {"epochs": epochs} | entries.pop("network", {})
    return forest(feature_sets=sets, network=network, **entries)


def scores(model: Model, cells: pd.DataFrame, crops: Crops, fold: Fold) -> np.ndarray:
    features = cells[features_of(model, feature_columns(cells))]
    return out_of_fold(model, features, cells[CLASS].to_numpy(), [fold], crops=crops)


class Altered(Crops):
    """The same crops, but that one cell's is its negative."""

    def __init__(self, crops: Crops, cell: tuple[str, int]) -> None:
        self.__dict__ |= crops.__dict__
        self.cell = cell

    def read(self, cells, channels, masked):
        found = super().read(cells, channels, masked)
        its = (cells[IDENTITY] == self.cell).all(axis=1).to_numpy()
        found[its] = 1 - found[its]
        return found


def test_a_forest_tells_cells_apart_that_neither_it_nor_the_network_has_seen(given):
    cells, crops = given
    fold = possible_folds(cells, STUDY).folds[CLONE][0]
    found = scores(embedded(epochs=12), cells, crops, fold)[fold.test]
    assert auc_of(cells[CLASS][fold.test], found) > 0.95


@settings(max_examples=4, deadline=None)
@drawn(place=st.integers(0, 47), scheme=st.sampled_from(SCHEMES), number=st.integers(0, 1))
def test_a_cell_changes_scores_of_others_only_where_it_is_in_the_training_part(
    given, place, scheme, number
):
    """Its crop and its label. A regression, as trees may shrug off what one cell is."""
    cells, crops = given
    model = embedded(**SMOOTH)
    fold = possible_folds(cells, STUDY).folds[scheme][number]
    altered = cells.copy()
    altered.loc[place, CLASS] = 1 - altered.loc[place, CLASS]
    before = scores(model, cells, crops, fold)
    others = fold.test[fold.test != place]
    cell = tuple(cells.loc[place, IDENTITY])
    after = scores(model, altered, Altered(crops, cell), fold)
    assert np.array_equal(after[others], before[others]) == (place in fold.test)


@pytest.mark.parametrize("estimator", [{}, SMOOTH])
def test_a_stored_model_has_the_same_bytes_and_predicts_by_its_crops(given, estimator):
    cells, crops = given
    model = embedded(sets=("cnn", "marker"), **estimator)
    trained = [train(cells, model, "table", crops=crops) for _ in range(2)]
    kept = dumps(trained[0])
    assert kept == dumps(trained[1]), "not the same bytes from the same seed"
    assert b".h5ad" not in kept
    assert trained[0].versions.keys() >= {"scikit-learn", "torch"}
    assert trained[0].parameters["network"]["epochs"] == 1
    with pytest.raises(InputError, match="was given none"):
        predict(trained[0], cells)
    found = predict(trained[0], cells, "cells", crops)
    mixed = predict(trained[0], cells.sample(frac=1, random_state=0), "cells", crops)
    again = mixed.sort_values(IDENTITY, ignore_index=True)
    pd.testing.assert_frame_equal(again, found)


def test_the_forest_sees_embeddings_and_features_and_no_label_of_an_image(given):
    cells, crops = given
    model = train(cells, embedded(sets=("cnn", "marker")), "table", crops=crops)
    names = list(model.estimator[-1].feature_names_in_)
    assert names == [*(f"cnn_{number}" for number in range(128)), MARKER]
    found = represent(model, cells, "cells", crops)
    assert found.shape == (len(cells), 129) and (found[:, -1] == cells[MARKER]).all()
    network = embedding_of(model.estimator).network_.with_crops(crops)
    np.testing.assert_array_equal(found[:, :-1], network.embed(cells))
    said = "the 128 values of a cell that go into its network's last layer"
    assert describe_representation(model, 129) == f"{said}, and a feature"
    assert describe_representation(train(cells, embedded(), "table", crops=crops), 128) == said


def test_weights_that_are_brought_are_the_same_embedding_in_every_fold(given, tmp_path):
    cells, crops = given
    content = classifier(crops, epochs=1).fit(cells, cells[CLASS]).weights_
    file = tmp_path / "weights.safetensors"
    file.write_bytes(content)
    brought = {"weights": {"path": str(file), "sha256": sha256(content).hexdigest()}}
    model = train(cells.head(24), embedded(network=brought), "table", crops=crops)
    network = embedding_of(model.estimator).network_
    assert (network.weights_, network.epochs_) == (content, 0)
    file.write_bytes(pickle.dumps("something else"))
    with pytest.raises(InputError, match=r"are another file.*correct weights\.sha256 of the model"):
        train(cells, embedded(network=brought), "table", crops=crops)


@pytest.mark.slow
def test_it_stands_in_the_comparison_like_any_other(given):
    cells, crops = given
    model = embedded(**SMOOTH)
    found = cross_validate(cells, model, STUDY, crops=crops)
    other = cross_validate(cells, PUBLISHED, STUDY)
    table = compare(pd.concat([found, other]), {})
    rows = table.groupby("model")[["scheme", "fold", "n_cells"]].apply(
        lambda part: part.to_numpy().tolist()
    )
    assert rows["small"] == rows["as_published"]
    assert table["auc"].notna().all()
    patches = cells.assign(marker_x_units=np.random.default_rng(0).normal(size=len(cells)))
    controls = negative_controls(cells, model, STUDY, found, patches, patches)
    numbers = controls[controls["scheme"] == FIELD].set_index("control")["auc"]
    assert set(numbers.index) == {"nuisance alone", "background in units"}
    assert numbers.notna().all()
    said = controls.set_index("control")["sentence"]
    for control in ("background", "swapped background"):
        assert "looks at the pixels of cells" in said[control]
    assert "trained again for each" in said["permuted labels"]
