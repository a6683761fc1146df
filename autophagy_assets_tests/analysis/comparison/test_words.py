"""Sentences read from a page are those that the report was given."""

from __future__ import annotations

from dataclasses import replace

from autophagy_assets.analysis.comparison.words import sentences_of
from autophagy_assets.analysis.report.page import render_report
from autophagy_assets.analysis.report.story import Story
from autophagy_assets_tests.analysis.report.test_page import content

__all__ = ["content"]  # a fixture


def test_sentences_of_a_page_are_those_of_its_story(content) -> None:
    story = Story(
        [
            (
                "The answer",
                "AUC is 0.92 (n = 3, 2 < 5 & more). 14h of it. With 2 clones p is 0.3; no less.",
            ),
            ("What speaks against it", "One time point is not flux."),
        ],
        [],
    )
    assert sentences_of(render_report(replace(content, story=story))) == {
        "The answer": [
            "AUC is 0.92 (n = 3, 2 < 5 & more).",
            "14h of it.",
            "With 2 clones p is 0.3; no less.",
        ],
        "What speaks against it": ["One time point is not flux."],
    }


def test_a_page_without_words_has_no_sentences(content) -> None:
    assert sentences_of(render_report(content)) == {}
    assert sentences_of("<html></html>") == {}
