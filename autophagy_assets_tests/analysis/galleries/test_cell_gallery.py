"""The gallery of all cells: what the page holds, and what a person does with it in a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autophagy_assets.analysis.galleries import cell_gallery as module
from autophagy_assets.analysis.galleries.cell_gallery import CellGallery, cell_gallery
from autophagy_assets.analysis.galleries.gallery_cells import SOURCE, drawn, scores_of
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin
from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.galleries.shown_scores import shown_scores, shown_scores_agree
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    MODEL,
    OUTCOME,
    SCORE,
)
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import MASKS, write_images, write_store
from autophagy_assets_tests.browser import chromium

STUDY = Study.load()
SIDE, EACH = 16, 40  # px; cells of each dataset, with the same ids in both
HOSTILE = """</script><script>alert("1")</script>'"""
PUNCTA = "marker_puncta_number_contrast"
MODELS = ("as_published", "puncta")


def level(code: int, cell: int, channel: int) -> float:
    """Brightness of a crop, another one for each cell and channel."""
    return (3 * (code * EACH + cell) + channel) / 255


def crops(code: int, side: int = SIDE) -> np.ndarray:
    stack = np.zeros((EACH, 5, side, side), dtype=np.float32)
    stack[:, 1, 2:-2, 2:-2] = stack[:, 0, 6:-6, 6:-6] = 1
    for cell in range(EACH):
        for channel in range(3):
            stack[cell, 2 + channel] = level(code, cell, channel)
    return stack


def cells() -> pd.DataFrame:
    parts = []
    for code, (dataset, genotype, clone) in enumerate(
        [("uidA", "WT", "clone 1"), ("uidB", "KO & co", HOSTILE)]
    ):
        labels = {"genotype": genotype, "stimulation": STUDY.classes[code], "clone": clone}
        numbers = {DATASET: dataset, CELL_ID: range(EACH), CLASS: code, "fov": "FOV1"}
        part = pd.DataFrame({**numbers, **labels, SOURCE: f"model_features[{genotype}]"})
        parts.append(part.assign(nucleus_area=np.arange(EACH) * 1.23456, **{PUNCTA: 5.0}))
    table = pd.concat(parts, ignore_index=True)
    table[PUNCTA] = [float((7 * i) % 80) for i in range(len(table))]
    return table


def score(model: str, code: int, cell: int) -> float:
    return (MODELS.index(model) * 500 + code * EACH + cell) / 1000


def predictions() -> list[pd.DataFrame]:
    """In an order that is not that of the cells; one cell has no score of one model."""
    tables = []
    for model in MODELS:
        table = cells()[IDENTITY].sample(frac=1, random_state=3)
        codes = (table[DATASET] == "uidB").astype(int)
        scores = [score(model, *cell) for cell in zip(codes, table[CELL_ID], strict=True)]
        outcome = np.where(np.array(scores) > 0.54, "TP", "FP")
        table = table.assign(**{MODEL: model, SCORE: scores, OUTCOME: outcome, SOURCE: "scores"})
        tables.append(table if model == "puncta" else table[table[CELL_ID] != 3])
    return tables


RAW = "raw/A1.tif", "raw/A2.tif"


def made(folder: Path, side: int = SIDE, noise: bool = False, **changes: Any) -> CellGallery:
    """The page of all cells; the field of view of the second dataset is not there."""
    paths, names = {}, [*MASKS, *STUDY.channels]
    for code, dataset in enumerate(("uidA", "uidB")):
        images = crops(code, side)
        if noise:
            images[:, 2:] = np.random.default_rng(code).random((EACH, 3, side, side))
        # Stored in another order than they are shown in.
        order = np.random.default_rng(code).permutation(EACH)
        paths[dataset] = write_images(folder / f"{dataset}.h5ad", order, images[order], names)
    nuclei = {cell: (5 + 2 * cell, 10 + 3 * cell) for cell in range(EACH)}
    store = write_store(folder / "field.zarr", nuclei, (120, 160), STUDY)
    shown = drawn(cells(), 2 * EACH, STUDY)
    origins = {
        ("uidA", "FOV1"): FieldOrigin(
            "crops/A.h5ad", "fieldA", store, ("raw/A1.tif", "raw/A2.tif")
        ),
        ("uidB", "FOV1"): FieldOrigin("crops/B.h5ad"),
    }
    given: dict[str, Any] = {"available": 2 * EACH, "study": STUDY, "pixel_um": 0.5} | changes
    return cell_gallery(
        shown,
        scores=scores_of(shown, predictions()),
        paths=paths,
        origins=origins,
        tables={"model_features[WT]": "uidF", "scores": "uidS"},
        **given,
    )


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> CellGallery:
    return made(tmp_path_factory.mktemp("gallery"))


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_scores_that_are_shown_are_those_of_their_cells(gallery):
    shown = shown_scores(gallery.html)
    assert len(shown) == len(MODELS) * 2 * EACH - 2, (
        "of one cell of each dataset a score is missing"
    )
    found = shown_scores_agree(shown, predictions())
    assert found.passed and found.numbers == {"scores": len(shown), "wrong scores": 0}


@pytest.mark.parametrize("wrong", ["exchanged", "another model's", "of no cell", "not scored"])
def test_a_wrong_score_on_the_page_is_found(gallery, wrong):
    shown, known = shown_scores(gallery.html), predictions()
    if wrong == "exchanged":
        shown.loc[[5, 6], SHOWN_SCORE] = shown.loc[[6, 5], SHOWN_SCORE].to_numpy()
    elif wrong == "another model's":
        shown[MODEL] = shown[MODEL].map(dict(zip(MODELS, MODELS[::-1], strict=True)))
        known = [table[table[CELL_ID] != 3] for table in known]
        shown = shown[shown[CELL_ID] != 3]
    elif wrong == "of no cell":
        shown.loc[5, CELL_ID] = EACH + 1
    else:
        known = [table[table[CELL_ID] != 5] for table in known]
    found = shown_scores_agree(shown, known)
    number = {"exchanged": 2, "of no cell": 1, "not scored": 4}.get(wrong, len(shown))
    assert not found.passed and found.numbers["wrong scores"] == number


def test_a_page_says_which_models_could_not_be_made(tmp_path):
    html = made(tmp_path, left_out={"network": "Training of <b> diverged."}).html
    assert "Model network is not on this page, as it could not be made" in html
    assert "Training of &lt;b&gt; diverged.</p>" in html


def test_every_cell_has_its_own_crops_scores_features_and_place(gallery):
    data = data_of(gallery.html)
    numbers, fields = data["cells"][CELL_ID], [data["fields"][f]["dataset"] for f in data["field"]]
    assert sorted(zip(fields, numbers, strict=True)) == sorted(
        zip(cells()[DATASET], cells()[CELL_ID], strict=True)
    )
    table = cells().set_index(IDENTITY)
    areas, puncta = (feature["values"] for feature in data["features"])
    assert data["models"] == ["puncta", "as_published"]  # the primary one first
    for i, name in enumerate(zip(fields, numbers, strict=True)):
        code, cell = int(name[0] == "uidB"), name[1]
        sheet = data["sheets"][i // data["perSheet"]]
        place = i % data["perSheet"]
        top, left = (SIDE * n for n in divmod(place, sheet["columns"]))
        for channel, uri in enumerate(sheet["channels"]):
            drawn_there = decoded(uri)[top : top + SIDE, left : left + SIDE]
            assert abs(float(drawn_there.mean()) - 255 * level(code, cell, channel)) < 1
        edges = decoded(sheet["outlines"])[top : top + SIDE, left : left + SIDE]
        assert edges[2, 2] == 1 and edges[6, 6] == 2
        assert puncta[i] == table.loc[name, PUNCTA]
        assert areas[i] == float(f"{table.loc[name, 'nucleus_area']:.4g}")
        own = [scores["score"][i] for scores in data["scores"]]
        other = None if cell == 3 else score("as_published", code, cell)
        assert own == [score("puncta", code, cell), other]
        here = (10 + 3 * cell, 5 + 2 * cell) if code == 0 else (None, None)
        assert (data["x"][i], data["y"][i]) == here


def test_the_same_cells_give_the_same_bytes(gallery, tmp_path):
    assert made(tmp_path).html == gallery.html


def test_a_page_asks_the_network_for_nothing_and_no_label_is_run(gallery, tmp_path):
    page = gallery.html
    assert not re.search(r"https?://|@import|url\(|<link|src=", page)
    assert "default-src 'none'" in page
    named = made(tmp_path, study=STUDY.model_copy(update={"name": HOSTILE})).html
    assert "<script>alert" not in page + named
    assert data_of(named)["study"] == HOSTILE and data_of(page)["labels"]["clone"][0] == HOSTILE


def test_the_page_says_how_many_cells_of_how_many_it_shows(gallery, tmp_path):
    assert "All 80 cells." in gallery.html and (gallery.shown, gallery.available) == (80, 80)
    some = made(tmp_path, available=12_345)
    seed = STUDY.galleries.random_state
    assert f"80 of 12,345 cells, drawn with seed {seed}" in some.html


def test_crops_that_cannot_be_compressed_are_made_smaller(tmp_path, monkeypatch):
    most = 8_000_000 * 2 * EACH // 2_000 + 60_000  # as much as a page of 2,000 cells has for each
    monkeypatch.setattr(module, "MAX_BYTES", most)
    page = made(tmp_path, side=128, noise=True).html
    assert len(page.encode()) <= most
    assert [sheet["side"] for sheet in data_of(page)["sheets"]] == [64]


def test_crops_are_read_a_sheet_at_a_time(tmp_path, monkeypatch):
    read, fetch = [], module.fetch_all_channels
    monkeypatch.setattr(module, "_IN_A_SHEET", 30)

    def noting(part: pd.DataFrame, paths: Any) -> np.ndarray:
        read.append(len(part))
        return fetch(part, paths)

    monkeypatch.setattr(module, "fetch_all_channels", noting)
    data = data_of(made(tmp_path).html)
    assert (read, len(data["sheets"]), data["perSheet"]) == ([30, 30, 20], 3, 30)


def test_without_cells_there_is_no_page():
    with pytest.raises(InputError, match="no cells to show"):
        cell_gallery(cells().head(0), 0, {}, {}, {}, {}, STUDY)


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
