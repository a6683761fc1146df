"""A network on crops: what it learns, that it is the same every time, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.model import dumps
from autophagy_assets.analysis.deep import estimator, training
from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.comparison import auc_of
from autophagy_assets.analysis.evidence.controls import negative_controls
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import FIELD, SCHEMES
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.deep.dotted import (
    SIDE,
    STUDY,
    classifier,
    dotted,
    network,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> tuple[pd.DataFrame, Crops]:
    return dotted(tmp_path_factory.mktemp("dotted"))


@pytest.fixture(scope="module")
def fitted(given) -> estimator.CropClassifier:
    cells, crops = given
    return classifier(crops, epochs=25).fit(cells, cells[CLASS])


def test_classes_that_differ_in_pixels_alone_are_told_apart_in_unseen_cells(given):
    cells, crops = given
    there = (cells["clone"] == "clone 1").to_numpy()
    learned = classifier(crops, epochs=25).fit(cells[there], cells[CLASS][there])
    scores = learned.predict_proba(cells[~there])[:, 1]
    assert auc_of(cells[CLASS][~there], scores) > 0.95


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_the_cells_and_of_torch(given):
    import torch

    cells, crops = given
    first = classifier(crops).fit(cells, cells[CLASS])
    state = torch.random.get_rng_state()
    torch.rand(7)
    shuffled = cells.sample(frac=1, random_state=3)
    second = classifier(crops).fit(shuffled, shuffled[CLASS])
    assert first.weights_ == second.weights_
    assert first.epochs_ == second.epochs_
    torch.random.set_rng_state(state)
    classifier(crops, random_state=1).fit(cells, cells[CLASS])
    assert torch.equal(torch.random.get_rng_state(), state), "the seed of others was changed"
    assert not torch.are_deterministic_algorithms_enabled()


def test_another_seed_gives_other_weights(given, fitted):
    cells, crops = given
    other = classifier(crops, epochs=2, random_state=43).fit(cells, cells[CLASS])
    same = classifier(crops, epochs=2).fit(cells, cells[CLASS])
    assert other.weights_ != same.weights_


def test_a_cell_has_its_own_score_in_any_order_and_beside_any_others(given, fitted):
    cells, _ = given
    scores = pd.Series(
        fitted.predict_proba(cells)[:, 1], index=pd.MultiIndex.from_frame(cells[IDENTITY])
    )
    some = cells.sample(frac=0.5, random_state=1)
    again = fitted.predict_proba(some)
    np.testing.assert_allclose(again.sum(axis=1), 1, atol=1e-6)
    wanted = scores.loc[pd.MultiIndex.from_frame(some[IDENTITY])]
    np.testing.assert_allclose(again[:, 1], wanted, atol=1e-6)


def test_embeddings_are_what_the_last_layer_sees(given, fitted):
    from safetensors.torch import load

    cells, _ = given
    seen, weights = fitted.embed(cells), load(fitted.weights_)
    assert seen.shape == (len(cells), 128)
    logits = seen @ weights["classes.weight"].numpy().T + weights["classes.bias"].numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(cells), expected, atol=1e-5)


def test_a_pickle_holds_weights_as_safetensors_and_no_path(given, fitted):
    cells, crops = given
    kept = pickle.dumps(fitted)
    assert b".h5ad" not in kept and b"torch" not in kept
    loaded = pickle.loads(kept)
    with pytest.raises(InputError, match="'pixels' learns from the crops of cells and was given"):
        loaded.predict_proba(cells)
    again = loaded.with_crops(crops).predict_proba(cells)
    assert (again == fitted.predict_proba(cells)).all()


def test_a_stored_model_has_the_same_bytes_and_predicts_by_its_crops(given):
    cells, crops = given
    models = [train(cells, network(), "table", crops=crops) for _ in range(2)]
    assert dumps(models[0]) == dumps(models[1])
    table = predict(models[0], cells, "cells", crops)
    expected = models[0].estimator.with_crops(crops).predict_proba(cells)[:, 1]
    assert (table["prob_class1"] == expected).all()


def test_it_is_cross_validated_in_every_scheme_and_each_cell_is_scored_once(given):
    cells, crops = given
    found = cross_validate(cells, network(epochs=1), STUDY, crops=crops)
    assert list(found["scheme"].unique()) == list(SCHEMES)
    assert found.groupby("scheme").size().eq(len(cells)).all()
    assert found["score"].between(0, 1).all()


def test_no_tested_cell_decides_when_training_stops(given, monkeypatch):
    cells, crops = given
    seen = []
    chosen = estimator.set_aside

    def watched(cells: pd.DataFrame, *rest):
        seen.append(set(map(tuple, cells[IDENTITY].to_numpy())))
        return chosen(cells, *rest)

    monkeypatch.setattr(estimator, "set_aside", watched)
    found = cross_validate(cells, network(epochs=1), STUDY, crops=crops)
    every = set(map(tuple, cells[IDENTITY].to_numpy()))
    tested = [
        set(map(tuple, part[IDENTITY].to_numpy())) for _, part in found.groupby(["scheme", "fold"])
    ]
    assert sorted(sorted(every - learned) for learned in seen) == sorted(map(sorted, tested))


@pytest.mark.slow
def test_negative_controls_have_a_number_or_a_sentence_each(given):
    cells, crops = given
    found = cross_validate(cells, network(epochs=1), STUDY, crops=crops)
    patches = cells.assign(marker_x_units=np.random.default_rng(0).normal(size=len(cells)))
    controls = negative_controls(cells, network(), STUDY, found, patches, patches)
    said = controls.drop_duplicates("control").set_index("control")["sentence"]
    assert list(said.index) == [
        "nuisance alone", "background", "background in units", "swapped background",
        "permuted labels",
    ]  # fmt: skip
    numbers = controls[controls["scheme"] == FIELD].set_index("control")["auc"]
    assert set(numbers.index) == {"nuisance alone", "background in units"}
    assert numbers.notna().all()
    assert "looks at the pixels of cells" in said["background"]
    assert "looks at the pixels of cells" in said["swapped background"]
    assert "trained again for each of 20 arrangements" in said["permuted labels"]


def test_a_loss_that_is_no_number_names_the_model_and_what_to_do(given):
    cells, crops = given
    with pytest.raises(InputError, match=r"model 'pixels' diverged.*learning_rate below 1e\+30"):
        classifier(crops, learning_rate=1e30).fit(cells, cells[CLASS])


def test_training_stops_when_cells_set_aside_are_told_apart_no_better(given, monkeypatch):
    cells, crops = given
    losses = iter([0.9, 0.5, 0.6, 0.7, 0.4, 0.3])
    monkeypatch.setattr(training, "_loss", lambda *_: next(losses))
    stopped = classifier(crops, epochs=6, patience=2).fit(cells, cells[CLASS])
    assert (stopped.epochs_, next(losses)) == (2, 0.4)
    assert stopped.n_aside_ == 12  # one field of view of one clone, under both stimulations
    plain = classifier(crops, epochs=2, patience=2)
    better = iter([0.9, 0.5])
    monkeypatch.setattr(training, "_loss", lambda *_: next(better))
    assert plain.fit(cells, cells[CLASS]).weights_ == stopped.weights_, "not the best epoch's"


def test_crops_of_another_size_are_refused(given, fitted, monkeypatch):
    cells, _ = given
    monkeypatch.setattr(fitted, "size_", SIDE * 2)
    with pytest.raises(InputError, match=r"\(32, 32\) px, and model 'pixels' was trained on 64 px"):
        fitted.predict_proba(cells)


def test_a_cell_without_a_crop_is_named(given, fitted):
    cells, _ = given
    with pytest.raises(InputError, match=f"Cell 99 is not in dataset '{cells[DATASET].iloc[0]}'"):
        fitted.predict_proba(cells.head(1).assign(**{CELL_ID: 99}))


def test_without_the_image_of_the_field_surroundings_are_refused_in_a_sentence(given):
    cells, crops = given
    with pytest.raises(InputError, match=r"no image of the field of view.*Set masked: true"):
        classifier(crops, masked=False).fit(cells, cells[CLASS])
