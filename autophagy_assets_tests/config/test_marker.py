"""What is measured of the marker: the default study says the defaults; wrong values are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets.errors import InputError


def test_the_default_study_has_the_values_of_a_study_without_the_section(tmp_path: Path):
    entries = yaml.safe_load(DEFAULT_STUDY.read_text())
    del entries["marker"]
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(entries))
    assert Study.load(file).marker == Study.load(DEFAULT_STUDY).marker == MarkerFeatures()


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("contrast_percentiles", [99, 1], "the lower one first"),
        ("contrast_percentiles", [-1, 99], "two percentiles"),
        ("radii_um", [1.2, 0.6], "must rise"),
        ("radii_um", [0.6, 0.6], "not repeat"),
        ("radii_um", [], "radii_um"),
        ("radii_um", [0.0], "radii_um"),
        ("puncta_contrast", 0, "puncta_contrast"),
        ("puncta_radius", 3, "puncta_radius"),
    ],
)
def test_a_wrong_value_is_refused_with_its_entry(tmp_path: Path, entry, value, words):
    entries = yaml.safe_load(DEFAULT_STUDY.read_text())
    entries["marker"][entry] = value
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(entries))
    with pytest.raises(InputError, match=rf"marker\.{entry}.*") as refused:
        Study.load(file)
    assert words in str(refused.value)
