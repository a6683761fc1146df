"""A field that cannot be segmented is named, and nothing is left of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from autophagy_assets.analysis.imaging.segmentation import process_field
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

STUDY = Study.load()


def _written(directory: Path, **channels: np.ndarray) -> dict[str, Path]:
    for name, image in channels.items():
        tifffile.imwrite(directory / f"{name}.tif", image)
    return {name: directory / f"{name}.tif" for name in channels}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nuclei", "reason"),
    [
        (np.zeros((300, 300), np.uint16), "no nuclei"),
        (np.full((300, 300), 700, np.uint16), "no nuclei"),
        (np.random.default_rng(0).integers(0, 500, (300, 300)).astype(np.uint16), "no nuclei"),
    ],
)
def test_a_field_without_cells_is_named_and_leaves_nothing(nuclei, reason, tmp_path):
    images = _written(tmp_path, DAPI=nuclei, Alexa488=nuclei, mCherry=nuclei)
    with pytest.raises(InputError, match=rf"no cells in .*DAPI\.tif \({reason}"):
        process_field(images, STUDY, tmp_path / "out" / "field")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_nuclei_without_cells_around_them_are_no_cells(images, tmp_path):
    nuclei = tifffile.imread(images["DAPI"])
    black = np.zeros_like(nuclei)
    field = _written(tmp_path, DAPI=nuclei, Alexa488=black, mCherry=black)
    with pytest.raises(InputError, match=r"no cells .*told from the background"):
        process_field(field, STUDY, tmp_path / "field")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nucleus_min_px": 100_000, "nucleus_max_px": 200_000}, "no nuclei|no nucleus"),
        ({"image_size": 414}, "near to the border"),
    ],
)
def test_cells_that_the_study_does_not_allow_are_no_cells(images, tmp_path, changes, reason):
    study = STUDY.model_copy(update={"segmentation": STUDY.segmentation.model_copy(update=changes)})
    with pytest.raises(InputError, match=rf"no cells .*\(.*({reason})"):
        process_field(images, study, tmp_path / "field")


def test_an_image_smaller_than_a_crop_is_refused(tmp_path):
    small = np.zeros((300, 130), np.uint16)
    images = _written(tmp_path, DAPI=small, Alexa488=small, mCherry=small)
    with pytest.raises(InputError, match=r"DAPI\.tif is 300 x 130 px: crops of 128 px need"):
        process_field(images, STUDY, tmp_path / "field")


def test_a_field_lacking_a_channel_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no image for channel mCherry.*DAPI, Alexa488, mCherry"):
        process_field({"DAPI": tmp_path, "Alexa488": tmp_path}, STUDY, tmp_path / "field")


def test_a_channel_that_the_study_does_not_know_is_refused(tmp_path):
    images = dict.fromkeys([*STUDY.channels, "GFP"], tmp_path / "image.tif")
    with pytest.raises(InputError, match=r"image\.tif is of channel GFP"):
        process_field(images, STUDY, tmp_path / "field")


def test_a_channel_name_that_scportrait_would_cut_is_refused(tmp_path):
    long = "mCherry-LC3B-fusion"
    study = STUDY.model_copy(update={"channels": ("DAPI", "Alexa488", long)})
    images = dict.fromkeys(study.channels, tmp_path / "image.tif")
    with pytest.raises(InputError, match=f"{long}.*too long"):
        process_field(images, study, tmp_path / "field")


def test_a_directory_that_holds_something_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        process_field({}, STUDY, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
