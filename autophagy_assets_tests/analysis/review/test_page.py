"""The review page as a file: what it says, what it does not say, and how large it is."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autophagy_assets.analysis.galleries.sprites import sprites
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.analysis.review.answers import CHOSEN_BY
from autophagy_assets.analysis.review.page import SHOWN, page_id, render_page
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

STUDY = Study.load()
SIDE = 32


def cells(n: int) -> pd.DataFrame:
    numbers = np.arange(n)
    return pd.DataFrame(
        {
            DATASET: [f"uid{number % 3}" for number in numbers],
            CELL_ID: numbers,
            CLASS: numbers % 2,
            "genotype": np.where(numbers % 2, "KOgenotype", "WTgenotype"),
            "stimulation": [STUDY.classes[number % 2] for number in numbers],
            CHOSEN_BY: "suspected label",
        }
    )


def crops(n: int, side: int = SIDE) -> np.ndarray:
    """Cells of a brightness each; nucleus within the cell."""
    stack = np.zeros((n, 5, side, side), dtype=np.float32)
    stack[:, 1, 4:-4, 4:-4] = 1
    stack[:, 0, 12:-12, 12:-12] = 1
    stack[:, 2:] = (np.arange(n) / n)[:, None, None, None]
    return stack


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_the_marker_is_called_so_where_cells_are_found_by_it():
    study = STUDY.model_copy(update={"cytosol_channel": STUDY.marker_channel})
    data = data_of(render_page(cells(2), crops(2), study, "page"))
    name = f"{STUDY.marker_name} ({STUDY.marker_channel})"
    assert data["names"][data["marker"]] == name


def test_a_page_says_nothing_that_differs_with_label_genotype_or_reason():
    table, images = cells(10), crops(10)
    other = table.assign(
        **{CLASS: 1 - table[CLASS], "genotype": "x", "stimulation": "y", CHOSEN_BY: "random"}
    )
    page = render_page(table, images, STUDY, "abc")
    assert page == render_page(other, images, STUDY, "abc")
    for word in ("WTgenotype", "KOgenotype", "suspected", STUDY.control):
        assert not re.search(rf"\b{word}\b", re.sub(r"base64,[^\"]*", "", page))


def test_a_page_that_is_not_blind_says_so_and_says_the_label():
    page = render_page(cells(4).assign(**{SHOWN: "WT, untreated"}), crops(4), STUDY, "abc")
    assert "Not blind" in page and data_of(page)["said"] == ["WT, untreated"] * 4


def test_every_cell_has_its_own_crop_and_outline():
    data = data_of(render_page(cells(7), crops(7), STUDY, "abc"))
    assert data["cells"] == [[f"uid{number % 3}", number] for number in range(7)]
    assert (data["side"], data["columns"], len(data["sheets"])) == (SIDE, 3, 3)
    sheet, outlines = decoded(data["sheets"][data["marker"]]), decoded(data["outlines"])
    for number in range(7):
        top, left = number // 3 * SIDE, number % 3 * SIDE
        place = np.s_[top : top + SIDE, left : left + SIDE]
        assert abs(float(sheet[place].mean()) - 255 * number / 7) < 2
        lines = outlines[place]
        assert (lines[4, 4:-4] == 1).all() and (lines[12, 12:-12] == 2).all()
        assert lines[0, 0] == lines[8, 8] == lines[16, 16] == 0


def test_a_page_asks_the_network_for_nothing():
    page = render_page(cells(3), crops(3), STUDY, "abc")
    assert not re.search(r"https?://|@import|url\(|<link|src=", page)
    assert "default-src 'none'" in page


def test_no_name_of_a_study_ends_the_script_or_is_run():
    name = "</script><script>alert(1)</script>"
    page = render_page(cells(3), crops(3), STUDY.model_copy(update={"name": name}), "abc")
    assert "<script>alert" not in page
    assert data_of(page)["study"] == name


def test_two_hundred_cells_are_at_most_5_mb_also_where_nothing_can_be_compressed():
    images = crops(200, side=128)
    images[:, 2:] = np.random.default_rng(0).random((200, 3, 128, 128), dtype=np.float32)
    page = render_page(cells(200), images, STUDY, "abc")
    assert len(page.encode()) <= 5_000_000


def test_crops_that_do_not_fit_are_refused_in_a_sentence():
    with pytest.raises(InputError, match=r"4 crops of 32 x 32 pixels do not fit .* fewer cells"):
        sprites(crops(4), 100)


@pytest.mark.parametrize("changed", [{"seed": 1}, {"cells": [["a", 2, "random"]]}, {"models": {}}])
def test_another_page_has_another_id(changed):
    manifest = {"seed": 0, "cells": [["a", 1, "random"]], "models": {"puncta": "uid"}}
    assert page_id(manifest) == page_id(dict(reversed(manifest.items())))
    assert page_id(manifest) != page_id(manifest | changed)
