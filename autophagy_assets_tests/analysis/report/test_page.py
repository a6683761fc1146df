"""The page: complete, self-contained, escaped, the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.evaluation import auc_of, evaluate
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.analysis.report.content import (
    MOST_ROWS,
    GalleryLink,
    ReportContent,
    ReportFigure,
    abridged,
    cells_by_field,
)
from autophagy_assets.analysis.report.page import render_report
from autophagy_assets.config.study import Study

STUDY = Study.load()
PNG = b"\x89PNG\r\n\x1a\n"


def evaluation(true, scores) -> pd.DataFrame:
    scores = np.asarray(scores)
    return evaluate(
        pd.DataFrame(
            {
                "model": STUDY.primary,
                "class": true,
                "predicted_class": (scores > 0.5) * 1,
                "prob_class1": scores,
            }
        )
    )


@pytest.fixture
def content() -> ReportContent:
    cells = pd.DataFrame(
        {
            "panel": "TP",
            "dataset": ["uidA", "uidB"],
            "scportrait_cell_id": 7,
            "score": [0.91234, 0.3],
        }
    )
    manifest = pd.DataFrame(
        {
            "sample": ["WT clone 1", "WT clone 2"],
            "field": ["FOV1", "FOV2"],
            "status": ["ok", "excluded"],
            "reason": ["", "image <DAPI> is truncated"],
            "n_cells": [5, 0],
        }
    )
    counts = pd.DataFrame(
        {"genotype": ["KO", "WT", "WT"], "stimulation": [*STUDY.classes.values(), "untreated"],
         "cells": [1200, 34, 56]}
    )  # fmt: skip
    return ReportContent(
        study=STUDY,
        figures=[ReportFigure("error_galleries", "Right & wrong", PNG, cells, "A caption.", "u1")],
        counts=counts,
        evaluation=evaluation([0, 0, 0, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.4]),
        knockouts={"KO": evaluation([0, 0], [0.1, 0.9])},
        manifest=manifest,
        records=[
            {"asset": "test_predictions", "partition": None, "uid": "u2", "key": "k", "hash": "h"}
        ],
        parameters={"split": {"test_size": 0.4}, "channels": ["a", "b"]},
        versions={"python": "3.11"},
    )


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.ids, self.images, self.links, self.open, self.words = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.ids += [known["id"]] if "id" in known else []
        self.images += [known] if tag == "img" else []
        self.links += [v for k, v in attrs if k in ("href", "src")]
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_the_page_needs_nothing_from_outside(content):
    html = render_report(content)
    page = Page(html)
    assert page.open == []
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    for outside in ("http:", "https:", "<script", "@import", "url("):
        assert outside not in html


def test_numbers_come_with_n(content):
    text = Page(render_report(content)).text
    for part in (
        "1,290 cells measured", "2 fields of view, 1 excluded",
        "0.67 AUC on 5 WT cells not seen by puncta",
        "67 % of 3 untreated WT cells not seen", "50 % of 2 14h Torin-1 WT cells not seen",
        "KO, model puncta: all cells (n = 2), AUC not defined", "no cells 0 cells",
    ):  # fmt: skip
        assert part in text, part
    assert text.index("WT 56 34") < text.index("KO 1200 0")  # the control first


def test_a_random_selection_of_training_cells_is_mentioned_only_where_there_is_one(content):
    assert "drawn at random (seed" not in render_report(content)
    drawing = content.study.training.model_copy(update={"most_cells": 500, "random_state": 7})
    many = content.counts.assign(cells=1_000)
    study = content.study.model_copy(update={"training": drawing})
    page = render_report(replace(content, counts=many, study=study))
    assert "Models learn from 500 of these 2,000 WT cells" in page and "(seed 7)" in page


def test_each_thumbnail_is_listed_with_dataset_id_and_score(content):
    page = Page(render_report(content))
    assert "error_galleries" in page.ids
    assert {"error_galleries--uidA--7", "error_galleries--uidB--7"} <= set(page.ids)
    assert "TP uidA 7 0.9123" in page.text and "TP uidB 7 0.3000" in page.text
    assert "LaminDB uid u1" in page.text
    assert page.images[0]["alt"] == "Right & wrong. A caption."


def test_fields_excluded_are_reported_with_their_reason_and_escaped(content):
    html = render_report(content)
    assert "WT clone 2, FOV2: image &lt;DAPI&gt; is truncated" in html
    assert "1 of 2 fields of view were excluded" in Page(html).text


@pytest.mark.parametrize("imaged_here", [True, False])
def test_fields_refused_at_ingest_are_counted_and_reported_too(content, imaged_here):
    manifest = content.manifest if imaged_here else content.manifest.iloc[:0]
    refused = {"KO clone 1, FOV3": "no image for channel <DAPI>"}
    html = render_report(replace(content, manifest=manifest, refused=refused))
    assert "KO clone 1, FOV3: no image for channel &lt;DAPI&gt;" in html
    share = "2 of 3" if imaged_here else "1 of 1"
    assert f"{share} fields of view were excluded" in Page(html).text


def test_what_was_run_on_what_parameters_and_versions(content):
    text = Page(render_report(content)).text
    for part in ("test_predictions u2 k h", "split.test_size 0.4", "channels a, b", "python 3.11"):
        assert part in text
    assert "None" not in text


def test_every_figure_and_thumbnail_links_to_where_it_comes_from(content):
    gallery = next(figure for figure in content.figures if CELL_ID in figure.table)
    dataset, cell = gallery.table[[DATASET, CELL_ID]].iloc[0]
    lineage = {gallery.name: ["figure <b>", "image"], f"{dataset}:{cell}": ["cell", "image"]}
    html = render_report(replace(content, lineage=lineage))
    for name in lineage:
        assert f'href="#lineage--{name}"' in html and f'id="lineage--{name}"' in html
    assert "figure &lt;b&gt;\nimage" in html and "cell\nimage" in html


def test_without_lineage_nothing_links_to_it(content):
    assert "#lineage--" not in render_report(replace(content, lineage={}))


def test_tables_from_elsewhere_have_no_fields(content):
    text = Page(render_report(replace(content, manifest=pd.DataFrame()))).text
    assert "The images were not processed here" in text
    assert "excluded" not in text


def test_the_gallery_of_all_cells_is_linked_and_shown_as_the_file_beside_the_page(content):
    assert "cell_gallery" not in render_report(content)
    link = GalleryLink("cell_gallery", "u9", 2_000, 12_345)
    page = Page(render_report(replace(content, gallery=link)))
    assert page.open == [] and page.links.count("cell_gallery.html") == 2
    assert "#cell_gallery" in page.links and "cell_gallery" in page.ids
    assert "2,000 of 12,345 cells" in page.text and "LaminDB uid u9" in page.text


def test_the_same_content_gives_the_same_page(content):
    assert render_report(content) == render_report(content)


def test_of_a_large_table_the_page_shows_what_can_be_looked_through_and_says_so(content):
    n = MOST_ROWS + 1
    cells = pd.DataFrame({DATASET: "d", CELL_ID: np.arange(n), "shown": np.arange(n) % 100 == 0})
    assert abridged(cells.head(MOST_ROWS)).equals(cells.head(MOST_ROWS))
    few = abridged(cells)
    assert few["shown"].all() and len(few) == 21
    assert len(abridged(cells.drop(columns="shown"))) == MOST_ROWS
    html = render_report(replace(content, figures=[ReportFigure("map", "Map", PNG, few, "A map.")]))
    assert "21 of 2,001 rows; the table beside the figure has all" in Page(html).text
    scores = np.linspace(0, 1, n)
    classes = np.arange(n) // 2 % 2
    whole = evaluate(
        pd.DataFrame(
            {"model": "m", "class": classes, "predicted_class": classes, "prob_class1": scores}
        )
    )
    curve = whole[whole["part"] == "roc"]
    whole = pd.concat([whole, *[curve] * (1 + MOST_ROWS // len(curve))], ignore_index=True)
    kept = abridged(whole)
    assert set(kept["part"]) == {"auc", "confusion"} and auc_of(kept) == auc_of(whole)


def test_cells_are_counted_by_field_whatever_is_read_at_a_time():
    known = {"genotype": "WT", "stimulation": list("abab"), "clone": "1", "fov": list("xxxy")}
    cells = pd.DataFrame(known)
    counts = cells_by_field([cells.iloc[:3], cells.iloc[3:]])
    assert counts["cells"].tolist() == [2, 1, 1]
    pd.testing.assert_frame_equal(counts, cells_by_field([cells]))
