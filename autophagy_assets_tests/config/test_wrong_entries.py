"""A study file is what it says, or the entry that is wrong is named."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import yaml

from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.sections import Checks
from autophagy_assets.config.settings import STUDY_VARIABLE
from autophagy_assets.config.study import DEFAULT_STUDY, NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.platform import study_file, with_conditions

DEFAULT = yaml.safe_load(DEFAULT_STUDY.read_text())


def test_the_default_is_the_notebooks_study():
    study = Study.load()
    assert (study.name, study.control) == ("autophagy imaging", "WT")
    assert study.classes == {0: "untreated", 1: "14h Torin-1"}
    assert study.channels == ("DAPI", "Alexa488", "mCherry")
    assert study.channels.index(study.marker_channel) + 2 == 4  # after the two masks
    assert study.excluded_features == ("mCherry",)
    assert study.split.model_dump() == {"test_size": 0.4, "random_state": 42}
    published = study.model(AS_PUBLISHED)
    assert (published.feature_sets, published.trained_on) == (("scportrait",), "split")
    assert (published.calibrated, published.false_positive_rate) == (False, None)
    assert study.primary == "puncta"
    assert published.parameters.model_dump() == {
        "random_state": 42,
        "n_estimators": 100,
        "max_depth": 10,
        "min_samples_split": 2,
        "min_samples_leaf": 1,
        "max_features": "sqrt",
        "criterion": "gini",
        "bootstrap": True,
    }
    assert study.galleries.error_cells == 9
    assert study.galleries.class_cells == 16


def test_a_study_file_without_thresholds_has_those_of_the_default_study(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(without("checks")))
    assert Study.load(file).checks == Study.load().checks == Checks()
    assert set(DEFAULT["checks"]) == set(Checks.model_fields)


def test_a_file_that_is_named_comes_before_the_environment(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv(STUDY_VARIABLE, str(study_file(tmp_path, "from the environment")))
    assert Study.load().name == "from the environment"
    assert Study.load(study_file(tmp_path / "other", "named")).name == "named"


def test_a_study_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="frozen"):
        Study.load().name = "another"  # type: ignore[misc]


def test_the_class_of_a_stimulation():
    study = Study.load()
    assert [study.class_of(label) for label in ("untreated", "14h Torin-1")] == [0, 1]
    with pytest.raises(InputError, match=r"'6h' is unknown: this study has 'untreated', '14h"):
        study.class_of("6h")


def test_conditions_have_no_class_and_stand_between_the_classes():
    study = with_conditions("2h Torin-1", "6h Torin-1")
    assert [study.class_of(label) for label in study.stimulations] == [0, NO_CLASS, NO_CLASS, 1]
    assert study.stimulations == ("untreated", "2h Torin-1", "6h Torin-1", "14h Torin-1")
    assert set(study.class_numbers) == {0, 1, NO_CLASS}
    with pytest.raises(InputError, match=r"'24h' is unknown: .* '6h Torin-1', '14h Torin-1'"):
        study.class_of("24h")


def test_class_1_stands_where_the_conditions_name_it():
    study = with_conditions("6h Torin-1", "14h Torin-1", "24h Torin-1")
    assert study.stimulations == ("untreated", "6h Torin-1", "14h Torin-1", "24h Torin-1")
    assert [study.class_of(label) for label in study.stimulations] == [0, NO_CLASS, 1, NO_CLASS]
    assert with_conditions("14h Torin-1").class_numbers == (0, 1)


def test_a_study_file_without_conditions_has_its_classes_alone():
    study = Study.load()
    assert study.stimulations == ("untreated", "14h Torin-1")
    assert study.class_numbers == (0, 1)


def test_a_condition_is_read_only_for_what_is_no_class():
    """Else the samples of both classes would be made again when a condition is added."""
    recorded = RecordedStudy.of(with_conditions("6h Torin-1"))
    assert recorded.class_of("14h Torin-1") == 1 and recorded.entries_read == {"classes"}
    assert recorded.class_of("6h Torin-1") == NO_CLASS
    assert recorded.entries_read == {"classes", "conditions"}


def without(entry: str) -> dict:
    return {name: value for name, value in DEFAULT.items() if name != entry}


def with_model(at: int = 0, **changes) -> dict:
    models = [dict(model) for model in DEFAULT["models"]]
    models[at] |= changes
    return {**DEFAULT, "models": models}


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


def test_a_file_without_models_has_those_of_the_default_study(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(without("models")))
    assert Study.load(file).models == Study.load().models
    old = without("models") | {"classifier": {"n_estimators": 7, "max_depth": None}}
    file.write_text(yaml.safe_dump(old))
    assert Study.load(file).model(AS_PUBLISHED).parameters.model_dump() == {
        **Study.load().model(AS_PUBLISHED).parameters.model_dump(),
        "n_estimators": 7,
        "max_depth": None,
    }
    assert Study.load(file).model("puncta") == Study.load().model("puncta")


def test_a_model_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="'cnn' is unknown: this study has as_published, puncta"):
        Study.load().model("cnn")


def test_one_model_or_which_is_primary_is_read_without_the_others():
    recorded = RecordedStudy.of(Study.load())
    recorded.model("puncta")
    assert recorded.entries_read == {"models.puncta"}
    assert recorded.primary == "puncta"
    assert recorded.entries_read == {"models.puncta", "primary_model"}
    assert [model.name for model in recorded.models] == ["as_published", "puncta"]
    assert recorded.entries_read == {"models.puncta", "models.as_published", "primary_model"}
    assert recorded.entries_read <= recorded.values().keys()
    assert "primary" not in recorded.values()["models.puncta"]


def test_a_recorded_study_of_a_recorded_one_leaves_what_that_has_noted():
    outer = RecordedStudy.of(Study.load())
    inner = RecordedStudy.of(outer)
    assert inner.split.test_size == 0.4
    assert (outer.entries_read, inner.entries_read) == (set(), {"split"})
    assert pickle.loads(pickle.dumps(inner)).entries_read == set()
    assert inner.class_of("untreated") == 0 and inner.entries_read == {"split", "classes"}
    assert inner.values() == outer.values() and outer.entries_read == set()
    inner.model_dump()
    assert inner.entries_read == set(outer.values()) - {"pin_code"}


def test_whether_the_code_is_pinned_is_no_part_of_what_a_step_was_made_with():
    """Else pinning the code, or a field that is kept by it, would make everything again."""
    recorded = RecordedStudy.of(Study.load())
    assert recorded.pin_code is False and recorded.entries_read == set()


def test_a_study_is_read_back_from_its_recorded_values() -> None:
    study = Study.load()
    values = json.loads(json.dumps(study.values()))
    assert Study.from_values(values) == study
    later = {name: value for name, value in values.items() if name not in ("marker", "pin_code")}
    assert Study.from_values(later).marker == MarkerFeatures()
    with pytest.raises(InputError, match="cannot read a recorded study: brightness"):
        Study.from_values({**values, "brightness": 3})


def test_labels_as_given_are_no_entry_so_that_what_was_made_without_them_stays_up_to_date():
    before = Study.load().values()["models.puncta"]
    assert "labels" not in before
    said = Study.model_validate(with_model(at=1, labels="as_given"))
    assert said.values()["models.puncta"] == before and said.model("puncta").labels == "as_given"
    audited = Study.model_validate(with_model(at=1, labels="audited"))
    assert audited.values()["models.puncta"] == before | {"labels": "audited"}
    assert Study.model_validate(audited.model_dump()).model("puncta").labels == "audited"
