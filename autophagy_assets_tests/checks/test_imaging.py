"""The check of the images of a sample, as Dagster runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from autophagy_assets.analysis.imaging import segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets_tests.assets.fakes import fake_process_field, one_by_one
from autophagy_assets_tests.checks.test_checks import evaluation_of
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.registry.image_folder import write_images

SAMPLE = "WT__clone-1__untreated"
FIELDS = [("WT", "clone 1", "untreated", "FOV1"), ("WT", "clone 1", "untreated", "FOV2")]


def paint(folder: Path, field: int, stretched: bool, channels: tuple[str, ...]) -> None:
    """Images as a camera gives them; with the contrast changed if asked to."""
    for number, channel in enumerate(channels):
        random = np.random.default_rng(10 * field + number)
        image = 100 + random.poisson(random.gamma(2, 60, (160, 160)))
        if stretched:
            low, high = np.percentile(image, (0.1, 99.9))
            image = np.clip((image - low) / (high - low) * 65535, 0, 65535)
        tifffile.imwrite(folder / f"images/{field}_{channel}.tif", image.astype(np.uint16))


def test_stretched_images_are_named_with_field_and_channel(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(segmentation, "process_field", fake_process_field)
    monkeypatch.setattr(compute, "map_fields", one_by_one)
    folder, channels = tmp_path / "images", platform.study.channels
    write_images(folder, platform.study, FIELDS)
    paint(folder, 0, False, channels)
    paint(folder, 1, True, channels)
    ingest(folder, platform.study)
    platform.sync()
    platform.run("single_cell_images", partition=SAMPLE)
    said = evaluation_of(platform, "single_cell_images", "images_not_stretched", SAMPLE)
    assert not said.passed
    assert f"Of 6 images, {len(channels)} were stretched" in str(said.description)
    assert all(f"FOV2 {channel}" in str(said.description) for channel in channels)
    assert "FOV1" not in str(said.description)
