"""Models of a study file: those of the default study where it names none."""

from __future__ import annotations

import pytest
import yaml

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.config.entries import with_model, without


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


def test_labels_as_given_are_no_entry_so_that_what_was_made_without_them_stays_up_to_date():
    before = Study.load().values()["models.puncta"]
    assert "labels" not in before
    said = Study.model_validate(with_model(at=1, labels="as_given"))
    assert said.values()["models.puncta"] == before and said.model("puncta").labels == "as_given"
    audited = Study.model_validate(with_model(at=1, labels="audited"))
    assert audited.values()["models.puncta"] == before | {"labels": "audited"}
    assert Study.model_validate(audited.model_dump()).model("puncta").labels == "audited"
