"""The page in a browser: by keys alone, with what it says and keeps."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from autophagy_assets.analysis.identity import IDENTITY
from autophagy_assets.registry.review.answer_sheet import COLUMNS
from autophagy_assets_tests.browser import chromium
from autophagy_assets_tests.cli.answers import N, hand_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    """Chromium. Playwright leaves an event loop running, beside which Django refuses to work."""
    with pytest.MonkeyPatch.context() as patch, chromium() as opened:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield opened


@pytest.fixture
def opened(browser, made, tmp_path):
    """The page in Chromium, as from a mail attachment, without a network."""
    file = tmp_path / "page.html"
    file.write_text(made.html)
    context = browser.new_context(offline=True, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()


def where(page: Any) -> str:
    return page.inner_text("#where")


def test_a_person_answers_with_keys_alone_and_hands_the_answers_in(scored, made, opened, tmp_path):
    page, classes = opened, scored[0].study.classes
    for key in ("1", "2", "u", "b", "1"):
        page.keyboard.press(key)
    assert page.inner_text("#progress-words") == f"5 of {N} answered"
    page.keyboard.press("z")
    assert where(page) == f"Cell 5 of {N}, not answered yet"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert where(page) == f"Cell 3 of {N}, answered: unsure"
    page.keyboard.press("2")  # another answer takes its place, and undo brings the first back
    assert where(page) == f"Cell 5 of {N}, not answered yet"
    page.keyboard.press("Backspace")
    assert where(page) == f"Cell 3 of {N}, answered: unsure"
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.inner_text("#progress-words") == f"4 of {N} answered"
    with page.expect_download() as download:
        page.keyboard.press("s")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"answers-{made.page}.csv"
    table = pd.read_csv(file)
    assert list(table.columns) == COLUMNS
    assert list(table["answer"]) == [classes[0], classes[1], "unsure", "bad crop"]
    shown = made.cells[IDENTITY].iloc[:4].to_numpy().tolist()
    assert table[IDENTITY].to_numpy().tolist() == shown
    done = hand_in(scored, file, "browser-ann")
    assert (done.answers, done.gone) == (4, 0)


def test_channels_outlines_brightness_and_help_are_there_on_keys(opened):
    page = opened
    assert page.locator("figure:visible").count() == 1
    page.keyboard.press(" ")
    assert page.locator("figure:visible").count() == 3
    assert page.get_attribute("#channels", "aria-pressed") == "true"
    coloured = """() => [...document.querySelectorAll('figure canvas:nth-of-type(2)')].map(c =>
        c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value > 0))"""
    assert page.evaluate(coloured) == [True] * 3
    page.keyboard.press("+")
    assert "brightness(1.2)" in page.get_attribute("figure canvas", "style")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("1")  # is not an answer while help is open
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.inner_text("#progress-words") == f"0 of {N} answered"


def test_everything_is_reached_by_tab_with_a_visible_focus_and_a_name(opened):
    page = opened
    reached, outlines = [], set()
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.innerText || document.activeElement.id")
        )
        outlines.add(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    words = " ".join(reached)
    for name in ("untreated", "Torin", "unsure", "bad crop", "next", "channels", "brightness"):
        assert name in words
    for name in ("Save", "help"):
        assert name in words
    assert outlines == {"solid"}
    # The space of a button that has the focus is the button's.
    page.focus("[data-answer='1']")
    page.keyboard.press(" ")
    assert page.inner_text("#progress-words") == f"1 of {N} answered"
    assert page.inner_text("#status") == "Cell 1: 14h Torin-1."
    assert page.locator("figure:visible").count() == 1


def test_a_page_whose_answers_the_browser_does_not_keep_says_so(browser, made, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(made.html)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('not allowed'); }})"
    )
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert "does not let this page keep your answers" in page.inner_text("#not-kept")
    page.keyboard.press("1")
    assert page.inner_text("#progress-words") == f"1 of {N} answered"
    context.close()


def test_when_all_are_answered_the_page_asks_to_save(opened):
    page = opened
    for _ in range(N):
        page.keyboard.press("1")
    assert page.inner_text("#status") == "All cells are answered. Save your answers."
    assert page.evaluate("document.activeElement.id") == "save"
