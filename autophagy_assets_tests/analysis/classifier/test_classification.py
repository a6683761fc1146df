"""Splitting, training, predicting; and equal models with equal bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.classifier.classification import predict, split_cells, train
from autophagy_assets.analysis.classifier.model import dumps
from autophagy_assets.analysis.classifier.predictions import NO_OUTCOME, no_predictions
from autophagy_assets.analysis.features.cleaning import clean
from autophagy_assets.analysis.features.tables import PREDICTIONS, misfits
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY
from autophagy_assets.config.models import Model
from autophagy_assets.config.sections import Split
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import described, raw_features

STUDY = Study.load()
PUBLISHED = STUDY.model("as_published")


def cells(seed: int = 0) -> pd.DataFrame:
    raw = raw_features(seed, STUDY, "WT")
    return clean(raw, described(raw, STUDY, "WT"), STUDY)


@pytest.fixture(scope="module")
def model():
    return train(cells(), PUBLISHED, "version 1")


@settings(max_examples=30, deadline=None)
@given(n=st.integers(12, 60), size=st.floats(0.1, 0.9), seed=st.integers(0, 99), data=st.data())
def test_a_split_loses_no_cell_and_shares_none(n, size, seed, data):
    labels = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    table = pd.DataFrame(
        {DATASET: [f"d{i % 3}" for i in range(n)], CELL_ID: [i // 3 for i in range(n)],
         CLASS: [0, 1, *labels[2:]], "area": 1.0}
    )  # fmt: skip
    training, test = split_cells(table, Split(test_size=size, random_state=seed))
    left, right = ({tuple(c) for c in part[IDENTITY].to_numpy()} for part in (training, test))
    assert not left & right
    assert left | right == {tuple(c) for c in table[IDENTITY].to_numpy()}
    assert len(training) + len(test) == n


def with_a_condition() -> pd.DataFrame:
    """The cells, with others of no class among them."""
    table = cells()
    others = cells(3).assign(**{CLASS: NO_CLASS})
    others[DATASET] += "late"
    half = len(table) // 2
    return pd.concat([others, table[:half], others.assign(dataset="z"), table[half:]])


def test_cells_of_no_class_change_neither_the_split_nor_the_model(model):
    parts = zip(
        split_cells(with_a_condition(), STUDY.split), split_cells(cells(), STUDY.split), strict=True
    )
    for found, expected in parts:
        pd.testing.assert_frame_equal(found, expected)
    again = train(with_a_condition().drop_duplicates(IDENTITY), PUBLISHED, "version 1")
    assert dumps(again) == dumps(model)


def test_cells_of_no_class_are_scored_and_have_no_outcome(model):
    table = cells(1)
    found = predict(model, table.assign(**{CLASS: NO_CLASS}))
    expected = predict(model, table)
    pd.testing.assert_series_equal(found["prob_class1"], expected["prob_class1"])
    pd.testing.assert_series_equal(found["predicted_class"], expected["predicted_class"])
    assert set(found["outcome"]) == {NO_OUTCOME}
    assert misfits(no_predictions(table), PREDICTIONS) == []
    assert list(no_predictions(table).columns) == list(expected.columns)


def test_a_single_class_is_refused_before_the_split():
    table = cells()
    with pytest.raises(InputError, match=r"single class \(only class 1, \d+ cells\)"):
        split_cells(table[table[CLASS] == 1], STUDY.split)


def test_too_few_cells_are_refused():
    two = cells().groupby(CLASS).head(1)
    assert len(two) == 2
    with pytest.raises(InputError, match=r"2 cells are too few for test_size 0\.99"):
        split_cells(two, Split(test_size=0.99, random_state=0))


def test_the_model_says_what_it_was_made_of(model):
    table = cells()
    assert model.training_data == "version 1"
    assert model.name == "as_published"
    assert model.parameters == PUBLISHED.parameters.model_dump()
    assert model.n_training_cells == table[CLASS].value_counts().to_dict()
    assert set(model.versions) == {"python", "scikit-learn", "numpy"}
    assert not [name for name in model.feature_names if "mCherry" in name]


def test_predictions_keep_identity_and_order_whatever_the_order_of_columns(model):
    table = cells(1)
    shuffled = table[[*table.columns[:7], *table.columns[:6:-1]]]
    predictions = predict(model, table)
    pd.testing.assert_frame_equal(predictions, predict(model, shuffled))
    assert predictions[IDENTITY].to_numpy().tolist() == table[IDENTITY].to_numpy().tolist()
    assert predictions["prob_class1"].between(0, 1).all()
    assert predictions["predicted_class"].dtype == "int64"


def test_scores_are_those_of_the_forest_for_the_table_to_the_bit(model):
    table = cells(1)
    plain = model.estimator.predict_proba(table[list(model.feature_names)])[:, 1]
    assert predict(model, table)["prob_class1"].tolist() == plain.tolist()


def test_other_features_are_refused_by_name(model):
    table = cells().rename(columns={"nucleus_area": "area of nucleus"})
    with pytest.raises(InputError) as error:
        predict(model, table, "the knockout's table")
    assert "lacks 'nucleus_area'" in str(error.value)
    assert "the knockout's table" in str(error.value)


def test_features_that_the_model_does_not_use_are_left_alone(model):
    table = cells(1)
    pd.testing.assert_frame_equal(predict(model, table.assign(more=1.0)), predict(model, table))


class Half:
    """A calibrator: every probability is half the score."""

    def calibrate(self, scores):
        return np.asarray(scores) / 2


def test_the_threshold_applies_to_calibrated_scores_and_a_cell_at_it_is_negative():
    plain = predict(train(cells(), PUBLISHED, "1"), cells(1))["prob_class1"]
    at = float(plain.iloc[0]) / 2
    found = predict(train(cells(), PUBLISHED, "1", Half(), at), cells(1))
    np.testing.assert_allclose(found["prob_class1"], plain / 2)
    assert found["predicted_class"].tolist() == (plain / 2 > at).astype(int).tolist()
    assert found["predicted_class"].iloc[0] == 0


@pytest.mark.parametrize("name", ["logistic_regression", "histogram_gradient_boosting"])
def test_other_estimators_are_trained_with_equal_bytes(name):
    model = Model(name="other", feature_sets=["scportrait"], estimator=name, parameters={})
    trained = train(cells(), model, "version 1")
    assert dumps(trained) == dumps(train(cells(), model, "version 1"))
    assert predict(trained, cells(1))["prob_class1"].between(0, 1).all()
    assert set(predict(trained, cells(1))["model"]) == {"other"}


def test_cells_without_a_value_are_refused_although_a_forest_would_take_them(model):
    table = cells()
    table.loc[0, "nucleus_area"] = np.nan
    with pytest.raises(InputError, match="'nucleus_area' is missing or infinite in 1 of"):
        predict(model, table)


def test_a_loaded_model_predicts_the_same_and_has_the_same_bytes(model):
    again = joblib.load(io.BytesIO(dumps(model)))
    pd.testing.assert_frame_equal(predict(model, cells(2)), predict(again, cells(2)))
    assert dumps(again) == dumps(model)


def test_unused_bytes_of_tree_nodes_are_not_stored(model):
    before = dumps(model)
    for tree in model.estimator.estimators_:
        nodes = tree.tree_.__getstate__()["nodes"]
        nodes.view(np.uint8).reshape(len(nodes), -1)[:, 57:] = 171
    assert dumps(model) == before


def test_other_cells_give_other_bytes(model):
    assert dumps(train(cells(1), PUBLISHED, "version 1")) != dumps(model)


SCRIPT = """
import hashlib
from autophagy_assets.analysis.classifier.classification import train
from autophagy_assets.analysis.classifier.model import dumps
from autophagy_assets_tests.analysis.classifier.test_classification import PUBLISHED, cells
print(hashlib.sha256(dumps(train(cells(), PUBLISHED, "version 1"))).hexdigest())
"""


@pytest.mark.slow
def test_two_processes_with_different_memory_make_equal_bytes():
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "MALLOC_PERTURB_": fill, "PYTHONHASHSEED": fill},
            stdout=subprocess.PIPE,
            text=True,
        )
        for fill in ("1", "170")
    ]
    first, second = (process.communicate(timeout=120)[0].strip() for process in running)
    assert len(first) == 64
    assert first == second
