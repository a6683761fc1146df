"""A model is added in the study file; a figure of it in one module, and the rest follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from autophagy_assets import assets
from autophagy_assets.analysis.features import tables
from autophagy_assets.assets import catalog
from autophagy_assets.automation.asset_definitions import asset_definitions
from autophagy_assets.automation.jobs import define_asset_jobs
from autophagy_assets.cli.summary import export, exported_names, summarise
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

FOLDER = str(Path(__file__).with_name("added"))
ADDED = {
    "name": "straight_line",
    "feature_sets": ["scportrait"],
    "estimator": "logistic_regression",
    "parameters": {"C": 0.5},
}
BY_MODEL = {
    *("cross_validation", "score_reliability", "autophagy_classifier", "test_predictions"),
    *("classifier_evaluation", "error_galleries", "cell_map", "shortcut_card"),
    *("label_audit", "label_audit_gallery", "label_audit_shares"),
}
OF_ALL_MODELS = {
    *("model_comparison", "study_report", "ko_predictions[EI24KO]", "ko_evaluation[EI24KO]"),
    *("knockout_effect[EI24KO]", "effect_robustness[EI24KO]"),
    "replicate_plan[EI24KO]",
    *("condition_predictions", "response_curve", "annotation_agreement"),
    "cell_gallery",
}
TITLES = ["How right straight_line is where it is sure", "The first cells of EI24KO"]


@pytest.fixture(scope="module")
def platforms(
    published: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Platform, Platform]]:
    """A study with a second model, before and after a module was added."""
    file = study_file(tmp_path_factory.mktemp("added"), published.study.name)
    entries = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(entries | {"models": [*entries["models"], ADDED]}))
    before = Platform(file)
    before.instance = published.instance
    done = before.refresh()
    assert done.complete
    added = {f"{asset}[straight_line]" for asset in BY_MODEL}
    assert {str(target) for target in done.made} == added | OF_ALL_MODELS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "__path__", [*assets.__path__, FOLDER])
        after = Platform(file)
        after.instance = before.instance
        done = after.refresh()
        assert done.complete
        assert {target.asset for target in done.made} == {
            "sure_predictions",
            "sure_evaluation",
            "sure_ko_evaluation",
            "study_report",
        }
        yield before, after
    assert "sure_evaluation" not in {one.key.to_user_string() for one in catalog.figures()}
    assert published.refresh().complete


def test_report_and_exports_show_the_figures_of_an_added_model_and_module(
    platforms, tmp_path: Path
) -> None:
    _, platform = platforms
    page = Path(platform.artifact("study_report").path).read_text()
    shown = [("sure_evaluation", "straight_line"), ("sure_ko_evaluation", "EI24KO")]
    for title, figure in zip(TITLES, shown, strict=True):
        assert title in page and platform.artifact(*figure).uid in page
    # What is of the leading model, or of all, comes first.
    assert page.index(TITLES[1]) < page.index("As other models have it") < page.index(TITLES[0])
    names = {path.name for path in export(platform.instance, tmp_path)}
    assert {
        "sure_evaluation-straight_line.png",
        "sure_ko_evaluation-EI24KO.png",
        "error_galleries-straight_line.png",
        "claims.json",
        "cell_gallery.html",
    } <= names
    assert all(exported_names().fullmatch(name) for name in names)


def test_the_summary_has_the_confusion_matrices_of_an_added_model(platforms) -> None:
    _, platform = platforms
    found = summarise(platform.instance, platform.study)
    assert set(found.auc) == {"as_published", "straight_line"}
    assert found.headline.startswith("Model as_published has an AUC of")
    assert {
        "control cells not seen by straight_line",
        "EI24KO cells, by straight_line",
        "sure_evaluation[straight_line], straight_line",
    } <= set(found.confusions)


def test_the_jobs_that_sensors_launch_make_what_is_added(monkeypatch) -> None:
    monkeypatch.setattr(assets, "__path__", [*assets.__path__, FOLDER])
    jobs = define_asset_jobs(catalog.study_assets())
    graph = asset_definitions().resolve_asset_graph()
    made = {
        job.name: {key.to_user_string() for key in job.selection.resolve(graph)} for job in jobs
    }
    assert {"sure_predictions", "sure_evaluation"} <= made["make_models"]
    checked = {job.name: job.selection.resolve_checks(graph) for job in jobs}
    assert all(checked.values()), "runs leave out the checks of what they make"
    assert "sure_ko_evaluation" in made["make_knockouts"]


def test_tables_of_an_added_module_are_validated(platforms) -> None:
    _, platform = platforms
    schema = platform.artifact("sure_predictions", "straight_line").schema
    assert schema.name.startswith(f"{tables.PREDICTIONS.name}, ")


def test_a_report_without_a_figure_that_it_had_or_with_another_title_is_out_of_date(
    platforms,
) -> None:
    before, after = platforms
    reason = before.plan().ready[Target("study_report")]
    assert "sure_evaluation[as_published], sure_evaluation[straight_line]" in reason
    assert reason.endswith("gone; code of the asset's definition has changed")
    assert Target("study_report") in after.plan().fresh


def test_a_model_that_is_taken_out_is_retired_and_comes_back(platforms) -> None:
    platform, _ = platforms
    model = platform.artifact("autophagy_classifier", "straight_line")
    entries = yaml.safe_load(platform.file.read_text())
    kept = [one for one in entries["models"] if one["name"] != "straight_line"]
    platform.file.write_text(yaml.safe_dump(entries | {"models": kept}))
    without = Platform(platform.file)
    without.instance = platform.instance
    assert without.refresh().complete
    model.refresh_from_db()
    assert not model.is_latest or model.branch_id == -1
    assert without.partitions("model") == ["as_published"]
    platform.file.write_text(yaml.safe_dump(entries))
