"""A study file is what it says."""

from __future__ import annotations

import locale

import pytest
import yaml

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.sections import Checks
from autophagy_assets.config.settings import STUDY_VARIABLE
from autophagy_assets.config.study import DEFAULT_STUDY, NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.config.entries import DEFAULT, without
from autophagy_assets_tests.platform import study_file, with_conditions


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


def test_a_study_file_is_in_utf_8_whatever_the_language_of_the_machine(tmp_path):
    """In another encoding labels would be other ones, without a word."""
    file = tmp_path / "study.yaml"
    named = DEFAULT_STUDY.read_text(encoding="utf-8").replace("autophagy imaging", "Überleben 1 µM")
    file.write_text(named, encoding="utf-8")
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C")
        assert Study.load(file).name == "Überleben 1 µM"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
