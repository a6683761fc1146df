"""New images are found and worked through by the running daemon, without anybody's doing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets_tests.ui.served import REPOSITORY

pytestmark = pytest.mark.slow

NEW = "ATG5KO"
PATIENCE_SECONDS = 600


def images_of_a_new_knockout(tiny_study: Path, folder: Path) -> Path:
    """One field of each stimulation, of a genotype that the study does not have yet."""
    metadata = pd.read_csv(tiny_study / "metadata_files.csv", dtype=str)
    chosen = metadata[metadata["genotype"] != "WT"].assign(genotype=NEW, cell_line_clone="clone 1")
    (folder / "images").mkdir(parents=True)
    for image in chosen["image_path"]:
        shutil.copyfile(tiny_study / image, folder / image)
    chosen.to_csv(folder / "metadata_files.csv", index=False)
    return folder


def turn_on(served, sensor: str) -> None:
    query = """mutation ($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
      ... on Sensor { sensorState { status } } } }"""
    selector = {**REPOSITORY, "sensorName": sensor}
    state = served.ask(query, selector=selector)["startSensor"]["sensorState"]
    assert state == {"status": "RUNNING"}


def test_sensors_work_through_new_images(served, tiny_study, tmp_path):
    for sensor in ("watch_registry", "refresh_when_content_changes"):
        turn_on(served, sensor)
    report, known = served.materialized("study_report"), served.runs()
    cells = served.materialized("training_cells")
    served.command("ingest", str(images_of_a_new_knockout(tiny_study, tmp_path / "new")))

    def done() -> bool:
        if failed := [run for run, status in served.runs().items() if status == "FAILURE"]:
            raise AssertionError(f"runs {failed} failed:\n{served.said()}")
        now = served.materialized("study_report")
        return (
            served.materialized("ko_evaluation", NEW) is not None
            and now["sha256"] != report["sha256"]
            and not any(
                status in ("QUEUED", "STARTED", "STARTING") for status in served.runs().values()
            )
        )

    served.wait(f"report with {NEW}", done, PATIENCE_SECONDS)
    assert served.materialized("ko_predictions", NEW)["dagster/row_count"] > 0
    assert set(served.runs()) - set(known)
    assert served.materialized("training_cells")["run"] == cells["run"], "the control is as it was"
