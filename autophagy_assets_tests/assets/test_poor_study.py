"""One clone, one field of view under each stimulation, no knockout: made, with sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from autophagy_assets.staleness.materializations import CAPTION
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(store: object, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    folder = tmp_path_factory.mktemp("poor")
    platform = Platform(study_file(folder, "poor study"))
    given_study(platform.study, folder, ["WT"], datasets=2)
    assert platform.refresh().complete
    return platform


def test_schemes_that_one_clone_with_one_field_does_not_allow_are_a_sentence_each(
    platform: Platform,
) -> None:
    table = platform.table("model_comparison")
    notes = table[table["n_cells"] == 0].set_index("scheme")["note"]
    assert "needs two clones of the control" in notes["leave a clone out"]
    assert "needs two fields of view" in notes["leave a clone's field out"]
    assert "on cells drawn at random" in platform.latest("model_comparison").metadata[CAPTION]


def test_without_a_knockout_the_report_asks_of_the_classes_alone(platform: Platform) -> None:
    assert platform.partitions("knockout") == []
    page = Path(platform.artifact("study_report").path).read_text()
    assert "Are 14h Torin-1 cells of WT told apart from untreated ones" in page
    assert "respond as they do" not in page and "What the models call cells of" not in page
    assert set(platform.table("response_curve")["genotype"]) == {"WT"}
