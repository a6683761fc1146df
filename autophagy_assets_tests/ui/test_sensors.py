"""A folder dropped into the inbox is worked through by the running daemon, without anybody's doing.

The folder holds a genotype that the study does not have yet, so the assets of a new knockout
appear while web server and daemon run.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autophagy_assets_tests.ui.served import REPOSITORY

pytestmark = pytest.mark.slow

NEW = "ATG5KO"
SENSORS = ("watch_inbox", "refresh_on_change")
PATIENCE_SECONDS = 900


def submit_all_but_one_image(tiny_study: Path, folder: Path) -> tuple[Path, Path]:
    """One field of each stimulation, of a new genotype; gives the image that is still missing."""
    metadata = pd.read_csv(tiny_study / "metadata_files.csv", dtype=str)
    chosen = metadata[metadata["genotype"] != "WT"].assign(genotype=NEW, cell_line_clone="clone 1")
    (folder / "images").mkdir(parents=True)
    *come, late = chosen["image_path"]
    for image in come:
        shutil.copyfile(tiny_study / image, folder / image)
    chosen.to_csv(folder / "metadata_files.csv", index=False)
    return tiny_study / late, folder / late


def turn_on(served: Any, sensor: str) -> None:
    query = """mutation ($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
      ... on Sensor { sensorState { status } } } }"""
    selector = {**REPOSITORY, "sensorName": sensor}
    state = served.ask(query, selector=selector)["startSensor"]["sensorState"]
    assert state == {"status": "RUNNING"}


def said_by(served: Any, sensor: str) -> str:
    """What the latest looks of a sensor say in the UI."""
    query = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
      ... on Sensor { sensorState { ticks(limit: 5) { skipReason } } } } }"""
    found = served.ask(query, selector={**REPOSITORY, "sensorName": sensor})["sensorOrError"]
    return "\n".join(tick["skipReason"] or "" for tick in found["sensorState"]["ticks"])


def test_a_folder_in_the_inbox_becomes_predictions_and_galleries(served, page, tiny_study):
    for sensor in SENSORS:
        turn_on(served, sensor)
    report, known = served.materialized("study_report"), served.runs()
    cells, gallery = served.materialized("training_cells"), served.materialized("wt_ko_gallery")
    came, place = submit_all_but_one_image(tiny_study, served.home.parent / "inbox" / "plate 7")

    # Left alone while it is incomplete, with its reason where people look.
    served.wait("reason", lambda: place.name in said_by(served, "watch_inbox"), 90)
    assert not set(served.runs()) - set(known)
    shutil.copyfile(came, place)

    def done() -> bool:
        statuses = served.runs()
        if failed := [run for run, status in statuses.items() if status == "FAILURE"]:
            raise AssertionError(f"runs {failed} failed:\n{served.said()}")
        # Asked first, and the rest only then: most of the time something is at work.
        if any(status in ("QUEUED", "STARTED", "STARTING") for status in statuses.values()):
            return False
        changed = served.materialized("study_report")["sha256"] != report["sha256"]
        return changed and served.materialized("ko_evaluation", NEW) is not None

    served.wait(f"report with {NEW}", done, PATIENCE_SECONDS, pause=2)
    assert served.materialized("ko_predictions", NEW)["dagster/row_count"] > 0
    assert served.materialized("wt_ko_gallery")["sha256"] != gallery["sha256"]
    assert served.materialized("training_cells")["run"] == cells["run"], "the control is as it was"
    page.goto(f"/assets/ko_evaluation?view=partitions&partition={NEW}")
    page.get_by_text(NEW, exact=True).first.wait_for()
