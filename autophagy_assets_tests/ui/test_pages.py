"""What a person sees in the Dagster UI: the graph, tables, figures, and the launchpad."""

from __future__ import annotations

import pytest

from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, PREDICTION

pytestmark = pytest.mark.slow

GROUPS = {
    "imaging": [
        "raw_images",
        "excluded_fields",
        "single_cell_images",
        "cell_features",
        "marker_features",
    ],
    "features": [
        "source_features",
        "source_datasets",
        "raw_features",
        "clean_features",
        "model_features",
    ],
    "evidence": [
        "cross_validation",
        "model_comparison",
        "score_reliability",
        "background_features",
        "shortcut_card",
    ],
    "labels": [
        "annotation_files",
        "annotations",
        "label_audit",
        "label_audit_gallery",
        "label_audit_shares",
        "annotation_agreement",
    ],
    "classifier": [
        "training_cells",
        "test_cells",
        "autophagy_classifier",
        "test_predictions",
        "classifier_evaluation",
    ],
    "knockouts": ["ko_predictions", "condition_predictions", "ko_evaluation"],
    "effects": ["knockout_effect", "effect_robustness", "replicate_plan", "response_curve"],
    "galleries": [
        "class_gallery",
        "marker_example",
        "error_galleries",
        "cell_map",
        "wt_ko_gallery",
        "spatial_context",
        "cell_gallery",
    ],
    "report": ["study_report", "last_refresh"],
}
FROM_OUTSIDE = {
    *("raw_images", "excluded_fields", "source_features", "source_datasets", "annotation_files"),
    "last_refresh",
}
FIGURES = [
    *("model_comparison", "score_reliability", "shortcut_card", "classifier_evaluation"),
    *("label_audit_gallery", "label_audit_shares", "annotation_agreement"),
    *("ko_evaluation", "knockout_effect", "effect_robustness", "replicate_plan"),
    "response_curve",
    *(name for name in GROUPS["galleries"] if name != "cell_gallery"),
]

# Made-up crops show no puncta, so their model can only guess; which is sometimes a little right.
WITHOUT_PUNCTA = {"better_than_chance", "no_shortcut"}


def words(page) -> list[str]:
    """Lines of text on a page."""
    return [line.strip() for line in page.inner_text("body").splitlines() if line.strip()]


def follow(page, path: str) -> None:
    """Go to a page of the UI as its own links do, without loading all of it again."""
    page.evaluate(
        "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }",
        path,
    )


def test_the_graph_shows_every_group_with_its_assets(page):
    page.goto("/asset-groups")
    for group, assets in GROUPS.items():
        page.get_by_text(group, exact=True).first.dblclick()
        for asset in assets:
            page.get_by_text(asset, exact=True).first.wait_for()


def test_a_table_shows_what_it_is_and_what_it_holds(tab, served):
    made = served.materialized("test_predictions")
    follow(tab, "/assets/test_predictions?view=overview")
    tab.get_by_text("Probability of class 1 that the model gives the cell").wait_for()
    tab.get_by_text("Scikit Learn").wait_for()
    seen = words(tab)
    assert any(line.startswith("Predictions for control cells by a model that") for line in seen)
    assert seen[seen.index("Owners") + 1] == "imaging"
    assert {"Parquet", "Scikit Learn"} <= set(seen)
    assert seen[seen.index("Row count") + 1] == str(made["dagster/row_count"])
    for column in [*IDENTITY, CLASS, *METADATA, *PREDICTION]:
        assert column in seen, column
    assert {"int64", "float64"} <= set(seen)
    assert made["lamindb/uid"] in seen and made["lamindb/key"] in seen


@pytest.mark.parametrize("asset", FIGURES)
def test_a_figure_shows_itself(tab, served, asset):
    made = served.materialized(asset)
    follow(tab, f"/assets/{asset}?view=overview")
    tab.get_by_text(made["lamindb/uid"], exact=True).wait_for()  # no longer the asset before
    tab.get_by_text("[Show Markdown]").click()
    image = tab.locator("img[src^='data:image/']")
    image.wait_for()
    (markdown,) = (said for said in made.values() if "data:image/" in str(said))
    assert image.get_attribute("src") in markdown
    width, height = image.evaluate("each => [each.naturalWidth, each.naturalHeight]")
    assert width >= 400 and height >= 100
    assert len(image.get_attribute("src")) < 140_000, "a preview is below 100 kB, in base64"
    assert len(image.get_attribute("alt")) > 20, "without its caption"
    tab.keyboard.press("Escape")
    image.wait_for(state="detached")


def test_a_figure_shows_where_it_is_in_lamindb(tab, served):
    made = served.materialized("error_galleries")
    follow(tab, "/assets/error_galleries?view=overview")
    tab.get_by_text(made["lamindb/uid"], exact=True).wait_for()
    tab.get_by_text(made["lamindb/run"], exact=True).wait_for()
    tab.get_by_text("Control cells that a model got right and wrong").first.wait_for()


def test_the_lineage_of_a_figure_reaches_the_microscope_images(tab):
    follow(tab, "/assets/error_galleries?view=lineage&lineageScope=upstream&lineageDepth=10")
    for asset in ("error_galleries", "test_predictions", "clean_features", "raw_images"):
        tab.get_by_text(asset, exact=True).first.wait_for()


def test_a_check_is_shown_as_passed_with_its_numbers(tab):
    follow(tab, "/assets/error_galleries?view=checks")
    tab.get_by_text("Evaluation result", exact=True).wait_for()
    tab.get_by_text("wrong scores", exact=True).first.wait_for()
    seen = words(tab)
    assert seen[seen.index("Evaluation result") + 1] == "Passed"
    assert seen[seen.index("wrong scores") + 1] == "0"


def test_every_asset_is_described_owned_and_of_a_kind(served):
    query = """{ assetNodes { assetKey { path } description groupName kinds
        owners { ... on TeamAssetOwner { team } } } }"""
    nodes = {node["assetKey"]["path"][-1]: node for node in served.ask(query)["assetNodes"]}
    assert {name: node["groupName"] for name, node in nodes.items()} == {
        asset: group for group, assets in GROUPS.items() for asset in assets
    }
    for name, node in nodes.items():
        assert len(node["description"]) > 20, name
        assert node["kinds"], name
        if name not in FROM_OUTSIDE:
            assert node["owners"] == [{"team": "imaging"}], name


# The tables were given, so no field has been imaged here and none was refused.
NOT_IMAGED = ("single_cell_images", "marker_features", "excluded_fields")


def test_the_checks_have_run_and_passed_but_those_of_a_model_that_guesses(served):
    query = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks {
        name executionForLatestMaterialization { status evaluation { success } } } } } } }"""
    checks = {
        check["name"]: check["executionForLatestMaterialization"]
        for node in served.ask(query)["assetNodes"]
        for check in node["assetChecksOrError"].get("checks", [])
        if node["assetKey"]["path"][-1] not in NOT_IMAGED
    }
    assert len(checks) == 14
    assert all(checks.values()), checks
    failed = {name for name, last in checks.items() if not last["evaluation"]["success"]}
    assert failed <= WITHOUT_PUNCTA
    assert {checks[name]["status"] for name in checks.keys() - failed} == {"SUCCEEDED"}


def test_the_launchpad_offers_parameters_of_a_model(page):
    page.goto("/assets/autophagy_classifier?view=overview")
    page.locator("button:right-of(:text('Materialize'))").first.click()
    page.get_by_text("Open launchpad").click()
    page.locator(".CodeMirror-line").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("ops:\n  autophagy_classifier:\n    config:\n      ")
    page.keyboard.press("Control+Space")
    # It is all there is to set, so that it is put in without a list to choose from.
    page.locator(".CodeMirror-line", has_text="parameters:").wait_for()
