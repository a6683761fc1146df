"""The gallery of all cells: what the page holds."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autophagy_assets.analysis.galleries import cell_gallery as module
from autophagy_assets.analysis.galleries.cell_gallery import CellGallery, cell_gallery
from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.galleries.shown_scores import shown_scores, shown_scores_agree
from autophagy_assets.analysis.identity import (
    CELL_ID,
    DATASET,
    IDENTITY,
    MODEL,
)
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.galleries.all_cells import (
    EACH,
    HOSTILE,
    MODELS,
    PUNCTA,
    SIDE,
    STUDY,
    cells,
    level,
    made,
    predictions,
    score,
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


def test_the_marker_is_called_so_where_cells_are_found_by_it():
    study = STUDY.model_copy(update={"cytosol_channel": STUDY.marker_channel})
    names = dict(zip(study.channels, module._channel_names(study), strict=True))
    assert names[STUDY.marker_channel] == f"{STUDY.marker_name} ({STUDY.marker_channel})"


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
