"""Questions about fields of view are answered with the number and what to do."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.quality import fields
from autophagy_assets.config.study import Study

CHECKS = Study.load().checks


def manifest(*cells: int, excluded: int = 0) -> pd.DataFrame:
    rows = [(f"FOV{i}", "ok", n) for i, n in enumerate(cells)]
    rows += [(f"bad{i}", "excluded", 0) for i in range(excluded)]
    return pd.DataFrame(rows, columns=["fov", "status", "n_cells"])


def test_all_fields_are_accounted_for_used_or_not():
    found = fields.fields_accounted_for(["FOV0", "FOV1", "bad0"], manifest(30, 40, excluded=1))
    assert found.passed
    assert "Of 3 registered fields of view, the manifest lists 3; 2" in found.sentence


@pytest.mark.parametrize(
    ("registered", "listed", "words"),
    [
        (["FOV0", "FOV1"], manifest(30), "missing: FOV1"),
        (["FOV0"], manifest(30, 40), "not registered: FOV1"),
        (["FOV0"], pd.concat([manifest(30)] * 2), "listed twice: FOV0"),
    ],
)
def test_a_field_that_is_lost_unknown_or_doubled_is_named(registered, listed, words):
    found = fields.fields_accounted_for(registered, listed)
    assert not found.passed
    assert words in found.sentence and "run 'autophagy refresh'" in found.sentence


def test_no_field_excluded_is_reported_with_n():
    found = fields.fields_excluded({}, 4)
    assert found.passed and found.sentence == "Fields of view excluded: 0 of 4."


def test_fields_excluded_are_counted_with_their_reasons():
    found = fields.fields_excluded({f"FOV{i}": "no cells" for i in range(5)}, 9)
    assert not found.passed and found.numbers["excluded"] == 5
    assert "5 of 9 (FOV0: no cells;" in found.sentence and "and 2 more" in found.sentence
    assert str(found.numbers["reasons"]).splitlines()[4] == "FOV4: no cells"


def test_many_long_reasons_stay_small():
    found = fields.fields_excluded({f"FOV{i}": "why\n" * 9999 for i in range(999)})
    assert len(found.sentence) < 1000 and len(str(found.numbers["reasons"])) < 6000


def test_usual_numbers_of_cells_pass_with_their_range():
    found = fields.cells_per_field(manifest(35, 151, 80, excluded=1), CHECKS)
    assert found.passed and found.numbers["median cells"] == 80
    assert "3 fields of view with 35 to 151 cells each; 20 to 300" in found.sentence


@pytest.mark.parametrize("cells", [3, 301])
def test_a_field_outside_the_range_is_named(cells):
    found = fields.cells_per_field(manifest(80, cells), CHECKS)
    assert not found.passed and found.numbers["fields outside"] == 1
    assert f"1 outside (FOV1 has {cells})" in found.sentence


def test_fields_whose_cells_are_not_known_are_not_judged():
    assert fields.cells_per_field(manifest(-1, -1), CHECKS).passed
