"""A wrong entry of a study file is named with its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.config.entries import DEFAULT, with_model, without

BAD = {
    "a missing entry": (without("control"), "control", "required"),
    "a misspelt entry": ({**DEFAULT, "contorl": "WT"}, "contorl", "not permitted"),
    "an empty name": ({**DEFAULT, "name": ""}, "name", "at least 1"),
    "one class": ({**DEFAULT, "classes": {0: "untreated"}}, "classes", "0 and 1"),
    "classes alike": ({**DEFAULT, "classes": {0: "a", 1: "a"}}, "classes", "different"),
    "three classes": ({**DEFAULT, "classes": {0: "a", 1: "b", 2: "c"}}, "classes", "0 and 1"),
    "class 0 among the conditions": (
        {**DEFAULT, "conditions": ["6h Torin-1", "untreated"]},
        "",
        "conditions: 'untreated' is class 0, which comes first; take it out",
    ),
    "a condition twice": (
        {**DEFAULT, "conditions": ["6h Torin-1", "6h Torin-1"]},
        "conditions",
        "'6h Torin-1' is there twice; remove one of them",
    ),
    "a condition without a name": (
        {**DEFAULT, "conditions": [" "]},
        "conditions",
        "a condition has no name",
    ),
    "channels alike": ({**DEFAULT, "channels": ["DAPI"] * 3}, "", "different"),
    "an unknown marker": ({**DEFAULT, "marker_channel": "GFP"}, "", "marker_channel"),
    "a test size of one": (
        {**DEFAULT, "split": {"test_size": 1, "random_state": 42}},
        "split.test_size",
        "less than 1",
    ),
    "no trees": (with_model(parameters={"n_estimators": 0}), "models.0", "n_estimators of random"),
    "no trees in a file without models": (
        {**without("models"), "classifier": {"n_estimators": 0}},
        "models.0",
        "n_estimators of random_forest: Input should be greater than 0",
    ),
    "models and classifier": ({**DEFAULT, "classifier": {}}, "", "move its parameters to a model"),
    "two models of one name": (
        with_model(name="puncta"),
        "models",
        "two models are named 'puncta'",
    ),
    "no primary model": (with_model(at=1, primary=False), "models", "no model is primary"),
    "two primary models": (with_model(primary=True), "models", "more than one model is primary"),
    "an unknown estimator": (with_model(estimator="oracle"), "models.0.estimator", "random_forest"),
    "a parameter of another estimator": (
        with_model(parameters={"C": 1.0}),
        "models.0",
        "parameters.C of random_forest: Extra inputs are not permitted",
    ),
    "a network on features": (
        with_model(estimator="cnn", parameters={}),
        "models.0",
        "estimator cnn takes feature_sets [crops] and no other estimator takes it: cnn has [scport",
    ),
    "a forest on crops": (
        with_model(feature_sets=["crops"]),
        "models.0",
        "random_forest has [crops]",
    ),
    "crops beside features": (
        with_model(feature_sets=["crops", "marker"], estimator="cnn", parameters={}),
        "models.0",
        "cnn has [crops, marker]",
    ),
    "a channel that the study does not have": (
        with_model(feature_sets=["crops"], estimator="cnn", parameters={"channels": ["GFP"]}),
        "",
        "channels of model as_published must be some of ['DAPI', 'Alexa488', 'mCherry'], and 'GFP'",
    ),
    "weights without their hash": (
        with_model(feature_sets=["crops"], estimator="cnn", parameters={"weights": {"path": "x"}}),
        "models.0",
        "parameters.weights.sha256 of cnn: Field required",
    ),
    "an unknown feature set": (
        with_model(feature_sets=["vgg"]),
        "models.0.feature_sets.0",
        "scportrait",
    ),
    "feature sets that are no list": (
        with_model(feature_sets=1),
        "models.0.feature_sets",
        "valid tuple",
    ),
    "a network on what a network sees": (
        with_model(feature_sets=["cnn"], estimator="cnn", parameters={}),
        "models.0",
        "cnn has [cnn]; for another estimator on what a network sees, set feature_sets [cnn]",
    ),
    "a network that nothing uses": (
        with_model(network={"epochs": 3}),
        "models.0",
        "network is of the feature set cnn, which model as_published does not use: its "
        "feature_sets are [scportrait]; add cnn to them, or take network out",
    ),
    "a parameter that the network does not have": (
        with_model(feature_sets=["cnn"], network={"trees": 3}),
        "models.0.network.trees",
        "not permitted",
    ),
    "a channel that the network cannot see": (
        with_model(feature_sets=["cnn"], network={"channels": ["GFP"]}),
        "",
        "channels of model as_published must be some of ['DAPI', 'Alexa488', 'mCherry'], and 'GFP'",
    ),
    "a name that is no file name": (with_model(name="../x"), "models.0.name", "match pattern"),
    "labels of nobody": (with_model(labels="guessed"), "models.0.labels", "'as_given', 'audited'"),
    "no models": ({**DEFAULT, "models": []}, "models", "at least 1"),
    "an unknown segmentation": (
        {**DEFAULT, "segmentation": {**DEFAULT["segmentation"], "method": "magic"}},
        "segmentation.method",
        "classical",
    ),
    "a range the wrong way round": (
        {**DEFAULT, "checks": {"cells_per_field": [300, 20]}},
        "checks.cells_per_field",
        "fewest and the most cells",
    ),
    "a misspelt threshold": (
        {**DEFAULT, "checks": {"dirft": 1}},
        "checks.dirft",
        "not permitted",
    ),
    "a misspelt parameter": (
        {**DEFAULT, "galleries": {**DEFAULT["galleries"], "eror_cells": 9}},
        "galleries.eror_cells",
        "not permitted",
    ),
}


@pytest.mark.parametrize(("entries", "entry", "words"), BAD.values(), ids=BAD.keys())
def test_a_wrong_entry_is_named_with_its_file(tmp_path, entries, entry, words):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(entries))
    with pytest.raises(InputError) as raised:
        Study.load(file)
    text = str(raised.value)
    assert text.startswith(f"Study file {file}: {entry}")
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"name: [unclosed", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"- a list", "must hold named entries"),
        (b"", "must hold named entries"),
    ],
)
def test_a_file_that_is_no_study_is_reported(tmp_path, content, words):
    file = Path(tmp_path / "study.yaml")
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        Study.load(file)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)
