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
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.report_versions import report_versions
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets_tests.given import Given, give_table, given_study, outsider
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study
from autophagy_assets_tests.registry.image_folder import write_images

DOWNSTREAM_OF_THE_SPLIT = {
    "training_cells",
    "test_cells",
    *("autophagy_classifier", "test_predictions", "classifier_evaluation", "error_galleries"),
    *("ko_predictions", "ko_evaluation", "knockout_effect", "effect_robustness"),
    "replicate_plan",
    *("condition_predictions", "response_curve", "cell_map", "cell_gallery"),
    "study_report",
}


ANOTHER = {"random_state": 7}
# Where the classifier is, and what is made of a knockout with it.
AROUND_THE_CLASSIFIER = ("features", "evidence", "classifier", "knockouts")


@pytest.fixture(scope="module")
def refreshed(
    store: object, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Platform, Given, Path]:
    """All of a study was made, with another split than that of the default study."""
    folder = tmp_path_factory.mktemp("refresh")
    platform = Platform(write_study(folder, "refresh test", split=ANOTHER))
    given = given_study(platform.study, folder)
    assert platform.refresh(parts=IMAGING).made == []
    done = platform.refresh(parts=ANALYSIS)
    assert done.complete, done
    assert assets(done.made) >= {"raw_features", "study_report"}
    return platform, given, folder


@pytest.fixture(scope="module")
def split_again(refreshed: tuple[Platform, Given, Path]) -> tuple[Platform, set[str]]:
    """The same with the default split, and the assets that were made for it."""
    before, _, folder = refreshed
    (folder / "default split").mkdir()
    platform = Platform(write_study(folder / "default split", "refresh test"))
    platform.instance = before.instance
    return platform, assets(platform.refresh().made)


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
    refreshed, split_again, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform, made = split_again
    assert made == DOWNSTREAM_OF_THE_SPLIT
    back = refreshed[0].plan()
    assert assets(back.ready) | assets(back.waiting) == DOWNSTREAM_OF_THE_SPLIT
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
def test_a_changed_knockout_leaves_the_classifier_alone(refreshed, split_again) -> None:
    platform, given = split_again[0], refreshed[1]
    before = platform.latest("autophagy_classifier").run_id
    give(platform, given.tables["EI24KO"].iloc[1:])
    made = platform.refresh(parts=AROUND_THE_CLASSIFIER).made
    assert {str(t) for t in made} >= {"raw_features[EI24KO]", "ko_predictions[EI24KO]"}
    assert not {str(t) for t in made} & {"raw_features[WT]", "training_cells", "test_predictions"}
    assert platform.latest("autophagy_classifier").run_id == before


@pytest.mark.slow
def test_downstream_of_equal_content_nothing_is_made_again(split_again) -> None:
    platform, _ = split_again
    platform.refresh(parts=AROUND_THE_CLASSIFIER)
    platform.run("clean_features", partition="WT")
    assert platform.refresh(parts=AROUND_THE_CLASSIFIER).made == []


@pytest.mark.slow
def test_a_lost_file_is_made_again_and_what_depends_on_it_is_not(split_again) -> None:
    platform, _ = split_again
    platform.refresh(parts=AROUND_THE_CLASSIFIER)
    lose(platform, "test_cells")
    assert assets(platform.refresh(parts=AROUND_THE_CLASSIFIER).made) == {"test_cells"}


@pytest.mark.slow
def test_a_failure_skips_what_depends_on_it_and_nothing_else(refreshed, split_again) -> None:
    platform, given = split_again[0], refreshed[1]
    give(platform, given.tables["EI24KO"].drop(columns="scportrait_cell_id"))
    lose(platform, "error_galleries", "classifier_evaluation")
    done = platform.refresh()
    assert {str(t) for t in done.failed} == {"raw_features[EI24KO]"}
    assert "scportrait_cell_id" in next(iter(done.failed.values()))
    assert "ko_evaluation" in assets(done.skipped)
    assert {"error_galleries", "classifier_evaluation"} <= assets(done.made)
    give(platform, given.tables["EI24KO"].iloc[1:])  # as it was before


@pytest.mark.slow
def test_what_waits_for_imaging_is_held_up_and_the_rest_is_made(
    split_again, tmp_path: Path
) -> None:
    platform, _ = split_again
    write_images(tmp_path / "i", platform.study, [("KO", "clone 2", "untreated", "FOV1")])
    ingest(tmp_path / "i", platform.study)
    lose(platform, "training_cells")
    done = platform.refresh(parts=ANALYSIS)
    assert not done.failed and not done.complete
    assert {str(t) for t in done.held} >= {"raw_features[KO]", "ko_evaluation[KO]", "study_report"}
    made = {str(t) for t in done.made}
    assert "training_cells" in made and not any("[KO" in t for t in made)
    assert "single_cell_images" not in {t.asset for t in done.made}


def give(platform: Platform, table: pd.DataFrame) -> None:
    """Give another table of the knockout."""
    recorder = outsider("another table")
    give_table(recorder, platform.study, "EI24KO", table)
    recorder.finish()


def lose(platform: Platform, *names: str) -> None:
    """Take away the files of assets."""
    for name in names:
        Path(platform.artifact(name).path).unlink()
