"""What a refresh shows of steps that work on fields of view, on a terminal and in a file."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from autophagy_assets.automation.rounds import Refreshed
from autophagy_assets.cli import refresh_progress
from autophagy_assets.cli.output import show_refreshed
from autophagy_assets.compute.progress import Note, Notes
from autophagy_assets.config.home import Home
from autophagy_assets.staleness.upstream import Target

TARGET = Target("cell_features", "a")
SAID = "12 of 48 fields, 30.0 a minute, 72 s left"
LINK = "http://127.0.0.1:8787/status"


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> str:
    """What is printed of a step that has left notes."""
    output = io.StringIO()
    settings = {"force_terminal": terminal, "width": 160, "markup": False, "highlight": False}
    console = Console(file=output, _environ={}, **settings)
    monkeypatch.setattr(refresh_progress, "console", console)
    monkeypatch.setattr(refresh_progress, "LOOK_S", 0.02)
    notes = Notes(Home.locate().progress)
    notes.write(str(TARGET), Note(47, 48, 0.0, "of a run that was killed"))
    with refresh_progress.RefreshProgress() as progress:
        progress(TARGET, "planned")
        progress(TARGET, "running")
        notes.write(str(TARGET), Note(12, 48, time.time() - 24, SAID, LINK))
        end = time.monotonic() + 10
        while " a minute" not in output.getvalue() and time.monotonic() < end:
            time.sleep(0.05)
        notes.remove(str(TARGET))
        progress(TARGET, "made")
    return output.getvalue()


def test_on_a_terminal_each_step_with_fields_has_a_bar_of_its_own(monkeypatch):
    output = shown(monkeypatch, terminal=True)
    assert "12/48" in output
    done_a_minute = float(re.search(r"fields, ([0-9.]+) a minute, \d+ s left", output)[1])
    assert 15 < done_a_minute <= 30.1  # it is of now, and not of when the note was left
    assert output.count(LINK) == 1
    assert "killed" not in output and "47/48" not in output


def test_elsewhere_it_is_a_line_whenever_the_log_has_a_new_one(monkeypatch):
    output = shown(monkeypatch, terminal=False)
    lines = [line.strip() for line in output.splitlines()]
    assert f"cell_features[a]: {SAID}" in lines
    assert output.count(SAID) == output.count(LINK) == 1
    assert "killed" not in output


def test_names_in_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    target = Target("raw_features", "wt")
    show_refreshed(Refreshed(failed={target: "no cells in [bold] :smile:"}, skipped={target}))
    with refresh_progress.RefreshProgress() as progress:
        progress(target, "running")
    output = capsys.readouterr().out
    assert "Failed: raw_features[wt]: no cells in [bold] :smile:" in output
    assert "Not made because of that: raw_features[wt]" in output
    assert "making  raw_features[wt]" in output
