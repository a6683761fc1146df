"""A refresh makes what is out of date, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.analysis.comparison.changes import changes, class_changes, different
from autophagy_assets.analysis.identity import IDENTITY
from autophagy_assets.automation.jobs import ANALYSIS, IMAGING
from autophagy_assets.cli.changes_output import show_since_last
from autophagy_assets.cli.compare import GALLERY, TABLES, write
from autophagy_assets.cli.report_results import results_of
from autophagy_assets.registry.report_versions import report_versions
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets_tests.platform import Given, Platform, give_table, given_study, outsider
from autophagy_assets_tests.platform import study_file as write_study

DOWNSTREAM_OF_THE_SPLIT = {
    "training_cells",
    "test_cells",
    *("autophagy_classifier", "test_predictions", "classifier_evaluation", "error_galleries"),
    *("ko_predictions", "ko_evaluation", "knockout_effect", "effect_robustness"),
    "replicate_plan",
    *("condition_predictions", "response_curve", "cell_map", "cell_gallery"),
    "study_report",
}


@pytest.fixture(scope="module")
def refreshed(
    store: object, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Platform, Given, Path]:
    folder = tmp_path_factory.mktemp("refresh")
    file = write_study(folder, "refresh test")
    platform = Platform(file)
    given = given_study(platform.study, folder)
    assert platform.refresh(parts=IMAGING).made == []
    done = platform.refresh(parts=ANALYSIS)
    assert done.complete, done
    assert assets(done.made) >= {"raw_features", "study_report"}
    return platform, given, folder


def assets(targets) -> set[str]:
    return {target.asset for target in targets}


@pytest.mark.slow
def test_everything_is_made_at_first_and_nothing_the_second_time(refreshed) -> None:
    platform, _, _ = refreshed
    again = platform.refresh()
    assert again.made == [] and again.failed == {} and again.fresh > 15


@pytest.mark.slow
def test_the_analysis_is_made_where_there_is_nothing_to_image(refreshed) -> None:
    """As the fixture has it made."""
    platform, _, _ = refreshed
    again = platform.refresh(parts=ANALYSIS)
    assert again.made == [] and again.complete


@pytest.mark.slow
def test_another_split_makes_only_what_depends_on_it(
    refreshed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform, _, _ = refreshed
    other = Platform(write_study(tmp_path, "refresh test", split={"random_state": 7}))
    other.instance = platform.instance
    assert assets(other.refresh().made) == DOWNSTREAM_OF_THE_SPLIT
    assert assets(platform.refresh().made) == DOWNSTREAM_OF_THE_SPLIT  # and back
    _what_the_split_changed_is_what_the_tables_have(platform, tmp_path)
    show_since_last(platform.study)
    said = capsys.readouterr().out
    assert "Since the report of" in said and "changed class by as_published" in said


def _what_the_split_changed_is_what_the_tables_have(platform: Platform, folder: Path) -> None:
    """Of the last two reports: the stored model was trained on other cells, no more."""
    versions = report_versions(platform.study)[-2:]
    before, after = (results_of(version) for version in versions)
    assert before.study.split.random_state == 7 and after.study == platform.study
    assert not before.lacking and not after.lacking and after.sentences and after.claims
    found = changes(before, after)
    counts = class_changes(found).set_index("genotype")[["to positive", "to negative"]]
    assert not counts.loc["WT"].to_numpy().any() and not different(found.auc, "auc").any()
    tables = []
    for version in versions:
        uids = {k.asset: uid for k, uid in version.made_from().items() if k.suffix == ".parquet"}
        tables.append(pd.read_parquet(fetch(uids["ko_predictions"])[0]).set_index(IDENTITY))
    was, now = (table["predicted_class"].sort_index() for table in tables)
    assert counts.loc["EI24KO"].to_numpy().sum() == (was != now).sum() > 0
    written = write(found, before, after, platform.study.primary, folder / "compared")
    assert {path.name for path in written} == {*TABLES.values(), GALLERY}
    flipped = pd.read_csv(folder / "compared" / TABLES["flipped"])
    assert set(flipped["genotype"]) == {"EI24KO"} and len(flipped) == (was != now).sum()


@pytest.mark.slow
def test_a_changed_knockout_leaves_the_classifier_alone(refreshed) -> None:
    platform, given, _ = refreshed
    before = platform.latest("autophagy_classifier").run_id
    recorder = outsider("a changed table")
    give_table(recorder, platform.study, "EI24KO", given.tables["EI24KO"].iloc[1:])
    recorder.finish()
    made = platform.refresh(parts=ANALYSIS).made
    assert {str(t) for t in made} >= {"raw_features[EI24KO]", "ko_predictions[EI24KO]"}
    assert not {str(t) for t in made} & {"raw_features[WT]", "training_cells", "test_predictions"}
    assert platform.latest("autophagy_classifier").run_id == before


@pytest.mark.slow
def test_what_was_made_again_with_the_same_content_wakes_nobody(refreshed) -> None:
    platform, _, _ = refreshed
    platform.refresh()
    platform.run("clean_features", partition="WT")
    assert platform.refresh().made == []


@pytest.mark.slow
def test_a_lost_file_is_made_again_and_what_depends_on_it_is_not(refreshed) -> None:
    platform, _, _ = refreshed
    platform.refresh()
    Path(platform.artifact("test_cells").path).unlink()
    assert assets(platform.refresh().made) == {"test_cells"}


@pytest.mark.slow
def test_a_failure_skips_what_depends_on_it_and_nothing_else(store: object, tmp_path: Path) -> None:
    platform = Platform(write_study(tmp_path, "failing refresh"))
    given = given_study(platform.study, tmp_path)
    recorder = outsider("a broken table")
    broken = given.tables["EI24KO"].drop(columns="scportrait_cell_id")
    give_table(recorder, platform.study, "EI24KO", broken)
    recorder.finish()
    done = platform.refresh()
    assert {str(t) for t in done.failed} == {"raw_features[EI24KO]"}
    assert "scportrait_cell_id" in next(iter(done.failed.values()))
    assert "ko_evaluation" in assets(done.skipped)
    assert {"error_galleries", "classifier_evaluation"} <= assets(done.made)
