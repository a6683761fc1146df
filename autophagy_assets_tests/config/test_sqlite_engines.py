"""Engines are made once, and those of long ago are let go."""

from __future__ import annotations

from autophagy_assets.config import sqlite_engines
from autophagy_assets.config.sqlite_engines import KeptEngines


def test_an_engine_is_made_once_for_each_file_and_its_options():
    made = []

    def make(url: str, **options: object) -> object:
        made.append((url, options))
        return object()

    engines = KeptEngines(make)
    first = engines("a", connect_args={"timeout": 1})
    assert engines("a", connect_args={"timeout": 1}) is first
    assert engines("a", connect_args={"timeout": 2}) is not first
    assert engines("b", connect_args={"timeout": 1}) is not first
    assert made == [
        ("a", {"connect_args": {"timeout": 1}}),
        ("a", {"connect_args": {"timeout": 2}}),
        ("b", {"connect_args": {"timeout": 1}}),
    ]


def test_engines_that_were_not_asked_for_lately_are_let_go():
    engines = KeptEngines(lambda url: object())
    often, once = engines("often"), engines("once")
    for number in range(sqlite_engines._KEPT):
        engines(str(number))
        assert engines("often") is often
    assert engines("once") is not once
