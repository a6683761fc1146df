"""A model that is added in one module is in the report, the exports, the summary, and validated."""

from __future__ import annotations

from pathlib import Path

import pytest

from autophagy_assets import assets
from autophagy_assets.analysis.features import tables
from autophagy_assets.assets import catalog
from autophagy_assets.automation.asset_definitions import asset_definitions
from autophagy_assets.automation.jobs import define_asset_jobs
from autophagy_assets.cli.summary import export, exported_names, summarise
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.platform import Platform, given_study, study_file

pytestmark = pytest.mark.slow

FOLDER = str(Path(__file__).with_name("added"))
TITLES = ["What a straight line says of the test cells", "What a straight line says of EI24KO"]


@pytest.fixture(scope="module")
def platforms(store: object, tmp_path_factory: pytest.TempPathFactory) -> tuple[Platform, Platform]:
    """The study before and after the module was added; the report was made before and after."""
    folder = tmp_path_factory.mktemp("added")
    before = Platform(study_file(folder, "study with an added model"))
    given_study(before.study, folder)
    assert before.refresh().complete
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "__path__", [*assets.__path__, FOLDER])
        after = Platform(before.file)
        after.instance = before.instance
        done = after.refresh()
        assert done.complete
        assert {str(target) for target in done.made} == {
            "linear_classifier",
            "linear_predictions",
            "linear_evaluation",
            "linear_ko_evaluation[EI24KO]",
            "study_report",
        }
        yield before, after
    assert "linear_evaluation" not in {one.key.to_user_string() for one in catalog.figures()}


def test_report_and_exports_show_the_figures_of_an_added_model(platforms, tmp_path: Path) -> None:
    _, platform = platforms
    page = Path(platform.artifact("study_report").path).read_text()
    for title, figure in zip(
        TITLES, [("linear_evaluation", None), ("linear_ko_evaluation", "EI24KO")], strict=True
    ):
        assert title in page and platform.artifact(*figure).uid in page
    assert page.index("How well the classifier") < page.index(TITLES[0]) < page.index(TITLES[1])
    names = {path.name for path in export(platform.instance, tmp_path)}
    assert {"linear_evaluation.png", "linear_ko_evaluation-EI24KO.png"} <= names
    assert all(exported_names().fullmatch(name) for name in names)


def test_the_summary_has_the_confusion_matrices_of_an_added_model(platforms) -> None:
    _, platform = platforms
    found = summarise(platform.instance).confusions
    assert {"linear_evaluation", "linear_ko_evaluation[EI24KO]"} <= set(found)
    assert {"control, test cells", "EI24KO, all cells"} <= set(found)


def test_the_jobs_that_sensors_launch_make_an_added_model(monkeypatch) -> None:
    monkeypatch.setattr(assets, "__path__", [*assets.__path__, FOLDER])
    jobs = define_asset_jobs(catalog.study_assets())
    graph = asset_definitions().resolve_asset_graph()
    made = {
        job.name: {key.to_user_string() for key in job.selection.resolve(graph)} for job in jobs
    }
    assert {"linear_classifier", "linear_evaluation", "study_report"} <= made["make_study"]
    checked = {job.name: job.selection.resolve_checks(graph) for job in jobs}
    assert all(checked.values()), "runs leave out the checks of what they make"
    assert made["make_knockouts"] == {"ko_predictions", "ko_evaluation", "linear_ko_evaluation"}


def test_predictions_of_an_added_model_are_validated(platforms) -> None:
    _, platform = platforms
    schema = platform.artifact("linear_predictions").schema
    assert schema.name.startswith(f"{tables.PREDICTIONS.name}, ")


def test_a_report_without_a_figure_that_it_had_or_with_another_title_is_out_of_date(
    platforms,
) -> None:
    before, after = platforms
    reason = before.plan().ready[Target("study_report")]
    gone = "linear_evaluation, linear_ko_evaluation[EI24KO]: gone"
    assert reason == f"{gone}; code of the asset's definition has changed"
    assert Target("study_report") in after.plan().fresh
