"""The gallery of all cells: what a person does with it in a browser."""

from __future__ import annotations

from typing import Any

import pytest

from autophagy_assets.analysis.galleries.cell_gallery import CellGallery
from autophagy_assets_tests.analysis.galleries.all_cells import EACH, STUDY, level, made, score
from autophagy_assets_tests.browser import chromium

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> CellGallery:
    return made(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser, gallery, tmp_path):
    """The page in Chromium, as from a mail attachment, without a network."""
    file = tmp_path / "cells.html"
    file.write_text(gallery.html)
    context = browser.new_context(offline=True, viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("dialog", lambda dialog: pytest.fail(f"a label was run: {dialog.message}"))
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()


# Of each picture on the page: which cell it is, by its brightness, and what stands under it.
TILES = """() => [...document.querySelectorAll('.tile')].map(tile => {
    const canvas = tile.querySelector('canvas');
    const grey = canvas.getContext('2d').getImageData(8, 8, 1, 1).data[0];
    return [grey, tile.querySelector('.score').textContent, tile.title];
})"""


def tiles(page: Any) -> list[tuple[int, int, str, str]]:
    """Code of the dataset and number of each cell by its pixels; its score line and its labels."""
    found = []
    for grey, words, title in page.evaluate(TILES):
        which = round((grey - STUDY.channels.index(STUDY.marker_channel)) / 3)
        found.append((*divmod(which, EACH), words, title))
    return found


def drawn_anew(page: Any, act: Any) -> None:
    """Do something, and wait for the pictures that come of it."""
    before = int(page.get_attribute("#grid", "data-drawn"))
    act()
    page.wait_for_selector(f"#grid:not([data-drawn='{before}'])[data-drawn]")


def test_every_picture_stands_above_the_score_and_labels_of_its_own_cell(page):
    seen = set()
    for more in (False, True):
        if more:
            drawn_anew(page, lambda: page.click("#later"))
        for code, cell, words, title in tiles(page):
            outcome = "TP" if score("puncta", code, cell) > 0.54 else "FP"
            assert words == f"{score('puncta', code, cell):.3f} {outcome}"
            assert f"{'KO & co' if code else 'WT'}, {STUDY.classes[code]}" in title
            assert title.endswith(f"cell {cell}")
            seen.add((code, cell))
    assert len(seen) == 2 * EACH
    assert "Cells 61 to 80 of 80 that fit, of 80" in page.inner_text("#status")


def test_cells_are_filtered_by_labels_outcome_and_score_of_a_model(page):
    drawn_anew(page, lambda: page.select_option("#genotype", label="KO & co"))
    assert {code for code, *_ in tiles(page)} == {1}
    right = "TP: 14h Torin-1, called 14h Torin-1"
    drawn_anew(page, lambda: page.select_option("#outcome", label=right))
    assert all(words.endswith("TP") for *_, words, _ in tiles(page))
    drawn_anew(page, lambda: (page.fill("#from", "0.56"), page.press("#from", "Enter")))
    drawn_anew(page, lambda: (page.fill("#to", "0.57"), page.press("#to", "Enter")))
    assert [cell for _, cell, *_ in tiles(page)] == list(range(20, 31))
    drawn_anew(page, lambda: page.select_option("#model", label="as_published"))
    assert page.inner_text("#status") == "None of 80 cells fits"
    drawn_anew(page, lambda: page.click("button[type=reset]"))
    assert page.inner_text("#status") == "Cells 1 to 60 of 80 that fit, of 80"
    field = ", ".join(["WT", STUDY.classes[0], "clone 1", "FOV1"])
    for select, label in (
        ("#stimulation", STUDY.classes[0]),
        ("#clone", "clone 1"),
        ("#field", field),
    ):
        drawn_anew(page, lambda s=select, w=label: page.select_option(s, label=w))
        assert {code for code, *_ in tiles(page)} == {0}
        drawn_anew(page, lambda: page.click("button[type=reset]"))


def test_cells_are_sorted_by_features_and_scores_and_those_without_come_last(page):
    numbers = {(c, i): float((7 * (c * EACH + i)) % 80) for c in (0, 1) for i in range(EACH)}
    drawn_anew(page, lambda: page.select_option("#sort", label="puncta number"))
    assert [(c, i) for c, i, *_ in tiles(page)] == sorted(numbers, key=lambda n: -numbers[n])[:60]
    assert page.inner_text(".tile .value") == "puncta number 79"
    drawn_anew(page, lambda: page.uncheck("#down"))
    assert [(c, i) for c, i, *_ in tiles(page)] == sorted(numbers, key=lambda n: numbers[n])[:60]
    drawn_anew(page, lambda: page.select_option("#model", label="as_published"))
    drawn_anew(page, lambda: page.select_option("#sort", label="score, as_published"))
    drawn_anew(page, lambda: page.click("#later"))
    last = tiles(page)
    without = [(code, cell) for code, cell, words, _ in last if words == "no score "]
    assert without == [(0, 3), (1, 3)] and last[-1][2] == last[-2][2] == "no score "
    assert all(score("as_published", c, i) >= 0.05 for c, i, *_ in last[:-2])


def test_an_open_cell_shows_its_channels_its_place_and_where_it_comes_from(page):
    page.locator(".tile").nth(5).click()
    page.wait_for_selector("dialog[data-cell='5']")
    pixel = "c => c.getContext('2d').getImageData(8, 8, 1, 1).data[0]"
    canvases = page.locator("#channels canvas:first-child")
    greys = [canvases.nth(channel).evaluate(pixel) for channel in range(3)]
    assert greys == pytest.approx([255 * level(0, 5, channel) for channel in range(3)], abs=1)
    said = page.inner_text("dialog")
    for words in (
        "dataset uidA, scportrait_cell_id 5", "crops/A.h5ad, uid uidA", "SpatialData, uid fieldA",
        "raw/A1.tif\nraw/A2.tif", "model_features[WT], uid uidF", "scores, uid uidS",
        "autophagy lineage --cell uidA:5", "row 15, column 25 of 120 x 160 px",
        "puncta\t0.505\tFP", "as_published\t0.005\tFP", "6.173 px",
    ):  # fmt: skip
        assert words in said, words
    # A white ring around the cell's place; the overview has 4 px for one of the field.
    ring = "c => Math.max(...c.getContext('2d').getImageData(4 * 25 + 24, 4 * 15 - 1, 4, 3).data)"
    assert page.locator("#overview").evaluate(ring) == 255
    page.keyboard.press("Escape")
    drawn_anew(page, lambda: page.select_option("#genotype", label="KO & co"))
    page.locator(".tile").first.click()
    page.wait_for_selector("dialog[data-cell='40']")
    said = page.inner_text("dialog")
    assert "place in it is not known here" in said and "not known here" in said


def test_all_of_it_is_reached_by_keys(page):
    reached = []
    for _ in range(13):
        page.keyboard.press("Tab")
        on = "document.activeElement"
        reached.append(page.evaluate(f"{on}.id || {on}.className || {on}.type"))
        assert page.evaluate(f"getComputedStyle({on}).outlineStyle") != "none"
    wanted = ["genotype", "stimulation", "clone", "field", "model", "outcome", "from", "to", "sort"]
    assert reached == [*wanted, "brightness", "reset", "later", "tile"]
    page.focus(".tile")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    here = int(page.evaluate("document.activeElement.dataset.cell"))
    assert here > 1
    page.keyboard.press("Enter")
    page.wait_for_selector(f"dialog[open][data-cell='{here}']")
    lines = page.locator("#channels canvas:last-child").first
    assert not lines.is_visible()
    page.keyboard.press("o")
    page.wait_for_selector("#outlines[aria-pressed='true']")
    assert lines.is_visible() and page.is_visible("#key")
    page.keyboard.press("+")
    assert "brightness(1.2)" in page.get_attribute("#channels canvas", "style")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f"dialog[data-cell='{here + 1}']")
    page.keyboard.press("Escape")
    # The browser tells the page that it has closed a little later.
    page.wait_for_selector(f".tile[data-cell='{here + 1}']:focus")
    drawn_anew(page, lambda: page.keyboard.press("PageDown"))
    page.wait_for_selector(".tile[data-cell='60']:focus")
    drawn_anew(page, lambda: page.keyboard.press("Home"))
    page.wait_for_selector(".tile[data-cell='0']:focus")
