"""A table or study that cannot be right ends in one sentence, and in nothing half-done."""

from __future__ import annotations

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.identity import CELL_ID, CLASS
from autophagy_assets.automation.rounds import Refreshed
from autophagy_assets.config.study import Study
from autophagy_assets.staleness.materializations import latest
from autophagy_assets_tests.analysis.synthetic import raw_features
from autophagy_assets_tests.given import give_table, given_study, outsider
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

TO_THE_GALLERIES = ["features", "evidence", "classifier", "knockouts", "galleries"]  # groups
# What is evaluated, and whether at all, is what these tests are about.
FEWER_FOLDS = {"cross_validation": {"folds": 2, "permutations": 1}}


@pytest.fixture(scope="module")
def beside_a_good_knockout(store, tmp_path_factory) -> Platform:
    """A platform with a good table of a knockout; what the control has is up to each test."""
    folder = tmp_path_factory.mktemp("bad tables")
    platform = Platform(study_file(folder, "bad tables beside a good one"))
    give(platform, "EI24KO", table("EI24KO"))
    return platform


def give(platform: Platform, genotype: str, table: pd.DataFrame) -> None:
    recorder = outsider()
    give_table(recorder, platform.study, genotype, table)
    recorder.finish()


def table(genotype: str = "WT", **sizes: int) -> pd.DataFrame:
    return raw_features(1, Study.load(), genotype, **{"cells": 12, **sizes}).reset_index(drop=True)


def changed(column: str, row: int, value: object):
    def change(t: pd.DataFrame) -> pd.DataFrame:
        t[column] = t[column].astype(object if isinstance(value, str) else "float64")
        t.loc[row, column] = value
        return t

    return change


BAD = {
    "without cell ids": (lambda t: t.drop(columns=CELL_ID), ["scportrait_cell_id"]),
    "without datasets": (lambda t: t.drop(columns="dataset"), ["dataset"]),
    "without classes": (lambda t: t.drop(columns=CLASS), ["class"]),
    "a cell twice": (lambda t: pd.concat([t, t.iloc[:1]]), ["1 cell", "twice"]),
    "NaN in a feature": (changed("nucleus_area", 3, np.nan), ["nucleus_area", "1 of"]),
    "infinity in a feature": (changed("nucleus_area", 3, np.inf), ["nucleus_area", "1 of"]),
    "minus infinity": (changed("DAPI_mean_nucleus", 0, -np.inf), ["DAPI_mean_nucleus"]),
    "an empty cell id": (changed(CELL_ID, 3, np.nan), ["scportrait_cell_id"]),
    "half a cell id": (changed(CELL_ID, 3, 1.5), ["scportrait_cell_id"]),
    "an unknown class": (changed(CLASS, 3, 2), ["class", "2"]),
    "words for a feature": (changed("nucleus_area", 3, "large"), ["nucleus_area"]),
    "no cells": (lambda t: t.iloc[:0], ["no cells"]),
    "no features": (lambda t: t[["dataset", CELL_ID, CLASS]], ["no feature"]),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_table_is_reported_and_nothing_follows_from_it(beside_a_good_knockout, spoil, words):
    platform = beside_a_good_knockout
    bad = spoil(table())
    if "large" in bad.get("nucleus_area", pd.Series(dtype=object)).to_numpy():
        bad["nucleus_area"] = bad["nucleus_area"].astype(str)
    give(platform, "WT", bad)
    platform.sync()
    result = platform.run("raw_features", "clean_features", partition="WT", check=False)
    assert not result.success
    message = platform.failure(result)
    assert "raw_features" in message
    for word in words:
        assert word in message, message
    assert "\n" not in message and len(message) < 500, message
    assert latest(platform.instance, dg.AssetKey("clean_features"), "WT") is None
    # The other genotype goes on.
    assert platform.run("raw_features", "clean_features", partition="EI24KO").success


def test_a_bad_table_is_not_tried_again(platform):
    give(platform, "WT", table().drop(columns=CELL_ID))
    platform.sync()
    result = platform.run("raw_features", partition="WT", check=False)
    assert not result.filter_events(lambda event: event.is_step_up_for_retry)


def test_the_run_of_a_bad_table_is_recorded_with_its_error(platform, store):
    give(platform, "WT", table().drop(columns=CELL_ID))
    platform.sync()
    result = platform.run("raw_features", partition="WT", check=False)
    run = store.Run.get(reference=result.run_id)
    assert run.status == "errored"
    assert "scportrait_cell_id" in run.extra_data["error"]
    assert run.input_artifacts.count() == 1
    assert run.output_artifacts.count() == 0


def test_a_bad_table_is_named_by_a_refresh_and_what_hangs_on_it_is_skipped(platform):
    give(platform, "WT", changed("nucleus_area", 3, np.nan)(table()))
    give(platform, "EI24KO", table("EI24KO"))
    done = platform.refresh()
    message = " ".join(done.failed.values())
    assert "nucleus_area" in message and "missing or infinite" in message
    made = {str(target) for target in done.made}
    assert "clean_features[EI24KO]" in made
    assert not made & {"clean_features[WT]", "training_cells", "test_cells", "study_report"}
    skipped = {str(target) for target in done.skipped}
    assert {"training_cells", "autophagy_classifier[as_published]", "study_report"} <= skipped


def test_a_whole_table_in_place_of_a_bad_one_repairs_the_study(platform):
    give(platform, "WT", changed("nucleus_area", 3, np.nan)(table()))
    platform.sync()
    platform.run("raw_features", "clean_features", partition="WT", check=False)
    give(platform, "WT", table())
    assert platform.sync() == ["source_features[WT]"]
    assert platform.run("raw_features", "clean_features", partition="WT").success
    assert len(platform.table("clean_features", "WT")) == len(table())


def test_cells_of_unknown_datasets_are_labelled_by_their_table_and_class(platform):
    give(platform, "WT", table())
    platform.features()
    cells = platform.table("clean_features", "WT")
    assert set(cells["genotype"]) == {"WT"}
    assert (cells["stimulation"] == cells["class"].map(platform.study.classes)).all()
    assert set(cells["clone"]) == {"unknown"}


def test_whole_numbers_of_another_type_are_understood(platform):
    given = table()
    give(platform, "WT", given.astype({CELL_ID: "float64", CLASS: "uint8"}))
    platform.features()
    pd.testing.assert_frame_equal(platform.table("raw_features", "WT"), given)


def test_missing_values_of_a_feature_that_is_not_used_do_no_harm(platform):
    given = table()
    (unused, *_) = [name for name in given.columns if "mCherry" in name]
    given.loc[3, unused] = np.nan
    give(platform, "WT", given)
    platform.features()
    pd.testing.assert_frame_equal(platform.table("raw_features", "WT"), given)
    assert unused not in platform.table("clean_features", "WT")


def test_a_study_with_a_single_class_is_reported(platform):
    give(platform, "WT", table().query("`class` == 0"))
    platform.features()
    result = platform.run("training_cells", check=False)
    assert not result.success
    message = platform.failure(result)
    assert "single class" in message and "add fields of view" in message
    assert latest(platform.instance, dg.AssetKey("training_cells"), None) is None


def test_a_study_without_its_control_is_reported(platform):
    from autophagy_assets.automation.rounds import require_control
    from autophagy_assets.errors import InputError

    give(platform, "EI24KO", table("EI24KO"))
    platform.features()
    with pytest.raises(InputError, match="no images of its control 'WT', only of EI24KO"):
        require_control(platform.instance, platform.study)
    result = platform.run("training_cells", check=False)
    message = platform.failure(result)
    assert not result.success
    assert "clean_features[WT] has not been materialized yet" in message


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory) -> Platform:
    """A classifier, a knockout that has cells of one class only, and one that lacks a feature."""
    folder = tmp_path_factory.mktemp("odd knockouts")
    platform = Platform(study_file(folder, "odd knockouts", **FEWER_FOLDS))
    give(platform, "WT", table(cells=30))
    give(platform, "EI24KO", table("EI24KO").query("`class` == 1"))
    give(platform, "ATG5KO", table("ATG5KO").drop(columns="nucleus_area"))
    platform.features()
    platform.run("training_cells", "test_cells", "cross_validation", "autophagy_classifier")
    return platform


def test_a_knockout_with_a_single_class_is_evaluated_as_far_as_that_goes(trained):
    trained.run("ko_predictions", "ko_evaluation", partition="EI24KO")
    found = trained.table("ko_evaluation", "EI24KO")
    assert found.query("part == 'auc'")["auc"].isna().all()
    assert found.query("part == 'confusion'")["count"].sum() == len(
        trained.table("ko_predictions", "EI24KO")
    )


def test_a_knockout_with_other_features_is_reported(trained):
    result = trained.run("ko_predictions", partition="ATG5KO", check=False)
    message = trained.failure(result)
    assert "model_features[ATG5KO]" in message and "lacks 'nucleus_area'" in message


@pytest.fixture(scope="module")
def few_cells(store, tmp_path_factory) -> tuple[Platform, Refreshed, Refreshed]:
    """Few cells and a bad knockout; what a refresh did, and the next, with a good table of it."""
    folder = tmp_path_factory.mktemp("few cells")
    platform = Platform(
        study_file(
            folder, "few cells", galleries={"class_cells": 16, "error_cells": 9}, **FEWER_FOLDS
        )
    )
    genotypes = ("WT", "ATG5KO", "EI24KO")
    good = given_study(platform.study, folder, genotypes, cells=8, datasets=2).tables["EI24KO"]
    give(platform, "EI24KO", good.drop(columns=CELL_ID))
    first = platform.refresh()
    give(platform, "EI24KO", good)
    return platform, first, platform.refresh()


def test_fewer_cells_than_a_gallery_wants_are_all_shown(few_cells):
    platform, _, done = few_cells
    assert done.complete
    shown = platform.table("class_gallery")
    clean = platform.table("clean_features", "WT")
    counts = clean.groupby("stimulation").size()
    assert shown.groupby("stimulation").size().to_dict() == counts.to_dict()
    assert (counts < platform.study.galleries.class_cells).all()
    errors = platform.table("error_galleries")
    assert len(errors) == len(platform.table("test_predictions"))


def test_one_bad_knockout_does_not_hold_up_the_others(few_cells):
    _, done, _ = few_cells
    assert {str(target) for target in done.failed} == {"raw_features[EI24KO]"}
    made = {str(target) for target in done.made}
    of_model = {f"{name}[as_published]" for name in ("test_predictions", "error_galleries")}
    assert of_model | {"ko_evaluation[ATG5KO]", "knockout_effect[ATG5KO]"} <= made


def test_crops_that_are_not_there_are_reported_by_the_galleries_alone(platform_of):
    platform = platform_of("crops that are not there", **FEWER_FOLDS)
    give(platform, "WT", table(cells=30))
    give(platform, "EI24KO", table("EI24KO"))
    done = platform.refresh(parts=TO_THE_GALLERIES)
    made = {str(target) for target in done.made}
    of_model = {f"{name}[as_published]" for name in ("test_predictions", "classifier_evaluation")}
    assert of_model | {"ko_evaluation[EI24KO]"} <= made
    message = next(
        text for target, text in done.failed.items() if target.asset == "error_galleries"
    )
    assert "is not in LaminDB" in message or "No single-cell images are known" in message
