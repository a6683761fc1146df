"""Conditions that are no class, from the images to the report: scored, and learned from by none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from autophagy_assets.analysis.classifier.evaluation import confusion_of, of_model
from autophagy_assets.analysis.classifier.predictions import NO_OUTCOME
from autophagy_assets.analysis.effects.responses import CLONE
from autophagy_assets.analysis.identity import CLASS, DATASET, MODEL, OUTCOME, SCORE
from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.config.study import NO_CLASS
from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets_tests.assets.fakes import (
    CELLS,
    fake_featurize,
    fake_process_field,
    one_by_one,
)
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

CONDITION = "6h Torin-1"
STIMULATIONS = ("untreated", CONDITION, "14h Torin-1")
FIELDS = [
    (genotype, f"clone {clone}", stimulation, fov)
    for genotype, clones, fovs in (("WT", 2, ("FOV1", "FOV2")), ("KO", 1, ("FOV1",)))
    for clone in range(1, clones + 1)
    for stimulation in STIMULATIONS
    for fov in fovs
]


@pytest.fixture(scope="module")
def platform(store: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A study with one condition, from images to the report; scPortrait is a fake."""
    folder = tmp_path_factory.mktemp("conditions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "process_field", fake_process_field)
        patch.setattr(featurization, "featurize", fake_featurize)
        patch.setattr(compute, "map_fields", one_by_one)
        few = {"folds": 2, "permutations": 2}
        file = study_file(
            folder, "study with a condition", conditions=[CONDITION], cross_validation=few
        )
        platform = Platform(file)
        write_images(folder / "images", platform.study, FIELDS)
        assert ingest(folder / "images", platform.study).fields
        assert platform.refresh_here() == {}
        yield platform


def test_control_cells_of_a_condition_are_scored_by_every_model(platform: Platform) -> None:
    cells, table = platform.table("model_features", "WT"), platform.table("condition_predictions")
    wanted = cells.loc[cells[CLASS] == NO_CLASS, DATASET]
    assert len(wanted) == 4 * CELLS
    for model, scored in table.groupby(MODEL):
        assert sorted(scored[DATASET]) == sorted(wanted), model
    assert set(table[MODEL]) == {model.name for model in platform.study.models}
    assert set(table[OUTCOME]) == {NO_OUTCOME} and set(table["stimulation"]) == {CONDITION}
    assert table[SCORE].between(0, 1).all()


def test_a_knockouts_cells_of_a_condition_are_scored_and_in_no_confusion_matrix(platform) -> None:
    table = platform.table("ko_predictions", "KO")
    of_condition = table["stimulation"] == CONDITION
    assert (table.loc[of_condition, OUTCOME] == NO_OUTCOME).all()
    assert not (table.loc[~of_condition, OUTCOME] == NO_OUTCOME).any()
    assert of_condition.sum() == len(platform.study.models) * CELLS
    evaluation = platform.table("ko_evaluation", "KO")
    for model in platform.study.models:
        assert confusion_of(of_model(evaluation, model.name)).to_numpy().sum() == 2 * CELLS


@pytest.mark.parametrize("asset", ["training_cells", "test_cells"])
def test_nothing_is_learned_from_cells_of_a_condition(platform, asset) -> None:
    table = platform.table(asset)
    assert set(table[CLASS]) == {0, 1} and CONDITION not in set(table["stimulation"])


def test_no_cell_of_a_condition_is_in_a_model_or_an_auc(platform) -> None:
    for model in [model.name for model in platform.study.models]:
        trained = joblib.load(platform.artifact("autophagy_classifier", model).path)
        assert set(trained.n_training_cells) == {0, 1}
        assert sum(trained.n_training_cells.values()) <= 8 * CELLS
        for asset in ("cross_validation", "test_predictions"):
            assert set(platform.table(asset, model)[CLASS]) == {0, 1}


def test_effect_curve_and_gallery_show_the_condition(platform) -> None:
    effects = platform.table("knockout_effect", "KO").query("level == 'difference'")
    assert set(effects["stimulation"]) == {CONDITION, "14h Torin-1"}
    curve = platform.table("response_curve").query(f"level == {CLONE!r}")
    for (genotype, clone), rows in curve.groupby(["genotype", "clone"]):
        assert tuple(rows["stimulation"]) == STIMULATIONS, (genotype, clone)
    assert set(curve["genotype"]) == {"WT", "KO"}
    shown = platform.table("wt_ko_gallery")["panel"]
    assert {f"WT, {CONDITION}", f"KO, {CONDITION}"} <= set(shown)
    shown = platform.table("class_gallery")["stimulation"]
    assert set(shown) == {"untreated", "14h Torin-1"}


def test_the_report_counts_cells_of_a_condition_and_tells_of_the_classes(platform) -> None:
    page = Path(platform.artifact("study_report").path).read_text()
    assert CONDITION in page
    assert platform.artifact("response_curve").uid in page


def test_without_the_condition_its_images_are_refused_by_name(platform, tmp_path: Path) -> None:
    plain = Platform(study_file(tmp_path, "study without it")).study
    write_images(tmp_path / "images", plain, FIELDS)
    with pytest.raises(InputError, match=r"stimulation '6h Torin-1' is unknown; .*conditions"):
        ingest(tmp_path / "images", plain)
