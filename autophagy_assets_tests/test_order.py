"""Two processes share the tests so that neither waits long for the other at the end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autophagy_assets_tests.conftest import ROOT
from autophagy_assets_tests.order import (
    LONGEST,
    SHARING,
    TOGETHER,
    longest_first,
    scheduler,
    unit_of,
)

HERE = ROOT / "autophagy_assets_tests"


def test_what_is_said_to_take_long_is_there():
    shared = [*SHARING, *SHARING.values()]
    assert [unit for unit in [*LONGEST, *shared] if not (HERE / unit).exists()] == []
    assert [folder for folder in TOGETHER if not (HERE / folder / "conftest.py").exists()] == []


def test_the_longest_begin_first_and_what_shares_a_server_stays_together():
    names = [
        "autophagy_assets_tests/analysis/test_figures.py::test_one[a/b.py::c]",
        "autophagy_assets_tests/ui/test_pages.py::test_two",
        "autophagy_assets_tests/ui/test_runs.py::test_three",
        f"autophagy_assets_tests/{LONGEST[0]}::test_four",
        "autophagy_assets_tests/reliability/test_races.py::test_five",
    ]
    items: Any = [SimpleNamespace(nodeid=name) for name in names]
    longest_first(items)
    assert [item.nodeid for item in items] == [names[number] for number in (3, 1, 2, 4, 0)]
    assert [unit_of(name) for name in names] == [
        "analysis/test_figures.py",
        "ui",
        "ui",
        LONGEST[0],
        "reliability/test_database_away.py",
    ]


def test_pytest_xdist_hands_out_these_units_in_this_order(pytestconfig: pytest.Config):
    option = SimpleNamespace(loadscopereorder=True)
    config: Any = SimpleNamespace(option=option, getvalue=lambda name: ["2*popen"])
    made = scheduler(config, None)
    assert made._split_scope("autophagy_assets_tests/ui/test_pages.py::test_a") == "ui"
    below = "autophagy_assets_tests/analysis/imaging/test_images.py::test_a"
    assert made._split_scope(below) == "analysis/imaging"
    assert option.loadscopereorder is False
