"""A recorded study notes which entries are read, and can be read back from its values."""

from __future__ import annotations

import json
import pickle

import pytest

from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.platform import with_conditions


def test_a_condition_is_read_only_for_what_is_no_class():
    """Else the samples of both classes would be made again when a condition is added."""
    recorded = RecordedStudy.of(with_conditions("6h Torin-1"))
    assert recorded.class_of("14h Torin-1") == 1 and recorded.entries_read == {"classes"}
    assert recorded.class_of("6h Torin-1") == NO_CLASS
    assert recorded.entries_read == {"classes", "conditions"}


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
