"""A study that is complete, served by the real web server and daemon, and a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.browser import chromium
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.preloaded import run_python
from autophagy_assets_tests.ui.served import GIVE_AND_REFRESH, Served, serve

# What scPortrait measures and the made-up tables do not have: a new knockout is to fit them.
EXCLUDED = ["mCherry", "quant25", "area_normalized"]


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A complete study of made-up tables and crops, served by `autophagy ui`."""
    folder = tmp_path_factory.mktemp("served")
    home = folder / "home"
    home.mkdir()
    (folder / "inbox").mkdir()
    environment = clean_environment(
        home,
        PYTHONPATH=str(ROOT),
        AUTOPHAGY_STUDY=str(study_file(folder, "served study", excluded_features=EXCLUDED)),
        AUTOPHAGY_WATCH_SECONDS="5",
        AUTOPHAGY_INBOX=str(folder / "inbox"),
    )
    done = run_python(["-c", GIVE_AND_REFRESH, folder], environment, folder, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    running = serve(home, environment)
    yield running
    assert running.stop() == 0, running.said()
    assert not running.answers(), "the web server outlives its stop"


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Chromium, for all tests of this package."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Any, served: Served, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page of the Dagster UI, wide enough for its side bars."""
    opened = open_page(browser, served)
    yield opened
    keep(opened, request)
    opened.close()


@pytest.fixture(scope="module")
def shared_page(browser: Any, served: Served) -> Iterator[Any]:
    """A page that stays open, as loading the UI takes longer than showing another asset in it.

    No longer than its module: an open page asks the web server every two seconds.
    """
    opened = open_page(browser, served)
    opened.goto("/assets")
    yield opened
    opened.close()


@pytest.fixture
def tab(shared_page: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page that stays open; a test leaves no dialog on it."""
    yield shared_page
    keep(shared_page, request)


def open_page(browser: Any, served: Served) -> Any:
    opened = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=served.url)
    opened.set_default_timeout(30_000)
    return opened


def keep(opened: Any, request: pytest.FixtureRequest) -> None:
    """Keep how a test left its page, in the folder that ``AUTOPHAGY_TEST_SCREENSHOTS`` names."""
    if folder := os.environ.get("AUTOPHAGY_TEST_SCREENSHOTS"):
        opened.screenshot(path=Path(folder) / f"{request.node.name}.png")
