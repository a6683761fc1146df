"""Marker features and their figure as assets: rows by cell, both scales, lineage."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.features.sets import CONTRAST, UNITS
from autophagy_assets.analysis.identity import IDENTITY, feature_columns
from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.analysis.marker.columns import names
from autophagy_assets.analysis.marker.example import N_PUNCTA
from autophagy_assets.compute import pool as compute
from autophagy_assets.registry.datasets import SINGLE_CELL_IMAGES
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.staleness.materializations import UID
from autophagy_assets_tests.analysis.synthetic import write_h5sc
from autophagy_assets_tests.assets.fakes import (
    CELLS,
    fake_featurize,
    fake_process_field,
    one_by_one,
)
from autophagy_assets_tests.given import give_dataset, outsider
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

_numbers = itertools.count()
SAMPLE = "WT__clone-1__untreated"
FIELDS = [
    ("WT", "clone 1", "untreated", "FOV1"),
    ("WT", "clone 1", "untreated", "FOV2"),
    ("WT", "clone 1", "14h Torin-1", "FOV1"),
    ("WT", "clone 2", "untreated", "FOV1"),
]


@pytest.fixture
def platform(store, tmp_path: Path, monkeypatch) -> Platform:
    monkeypatch.setattr(segmentation, "process_field", fake_process_field)
    monkeypatch.setattr(featurization, "featurize", fake_featurize)
    monkeypatch.setattr(compute, "map_fields", one_by_one)
    platform = Platform(study_file(tmp_path, f"marker {next(_numbers)}"))
    write_images(tmp_path / "images", platform.study, FIELDS, seed=next(_numbers))
    ingest(tmp_path / "images", platform.study)
    platform.sync()
    return platform


def test_every_cell_has_a_row_with_features_on_both_scales(platform):
    platform.run("single_cell_images", "cell_features", "marker_features", partition=SAMPLE)
    cells = platform.table("marker_features", SAMPLE)
    others = platform.table("cell_features", SAMPLE)
    assert len(cells) == 2 * CELLS
    assert list(cells.columns[:3]) == [*IDENTITY, "class"]
    assert cells[[*IDENTITY, "class"]].equals(others[[*IDENTITY, "class"]])
    radii = platform.study.marker.radii_um
    assert feature_columns(cells) == [*names(radii, CONTRAST), *names(radii, UNITS)]
    assert np.isfinite(cells[feature_columns(cells)].to_numpy()).all()


def test_crops_and_fields_are_inputs_of_the_step(platform, store):
    platform.run("single_cell_images", "marker_features", partition=SAMPLE)
    manifest = platform.table("single_cell_images", SAMPLE)
    run = store.Artifact.get(uid=platform.latest("marker_features", SAMPLE).metadata[UID]).run
    inputs = {artifact.uid for artifact in run.input_artifacts.all()}
    assert inputs >= {*manifest["dataset"], *manifest["spatialdata"]}


def test_the_field_of_another_labs_crops_is_found_beside_them(platform, tmp_path):
    recorder, study = outsider(), platform.study
    uid, _ = give_dataset(recorder, study, tmp_path, "WT", "untreated", 0, [1, 2, 3])
    recorder.finish()
    cells = measured_with(platform, uid)
    assert set(names(study.marker.radii_um, UNITS)) <= set(cells.columns)


def test_crops_without_their_field_leave_the_sample_with_contrast_alone(platform):
    recorder, study = outsider(), platform.study
    labels = {
        "study": study.name,
        "genotype": "WT",
        "stimulation": "untreated",
        "cell_line_clone": "clone 1",
        "FOV": "FOV9",
        "artifact type": SINGLE_CELL_IMAGES,
    }
    crops = recorder.put(
        lambda path: write_h5sc(path, 7, [1, 2, 3], study.channels),
        f"{slug(study.name)}/given/alone/single_cell_data.h5ad",
        "single cells",
        labels,
        rows=3,
    )
    recorder.finish()
    cells = measured_with(platform, crops.record.uid)
    assert feature_columns(cells) == names(study.marker.radii_um, CONTRAST)
    assert np.isfinite(cells[feature_columns(cells)].to_numpy()).all()


def measured_with(platform: Platform, uid: str) -> pd.DataFrame:
    """Marker features of the sample, which has a dataset of another lab too."""
    platform.sync()
    platform.run("single_cell_images", "marker_features", partition=SAMPLE)
    cells = platform.table("marker_features", SAMPLE)
    assert (cells["dataset"] == uid).sum() == 3
    assert cells["dataset"].nunique() > 1
    return cells


def test_the_figure_shows_cells_of_both_classes(platform):
    samples = [SAMPLE, "WT__clone-1__14h-Torin-1", "WT__clone-2__untreated"]
    for sample in samples:
        platform.run("single_cell_images", "cell_features", partition=sample)
    platform.run("raw_features", "clean_features", partition="WT")
    platform.run("marker_example")
    shown = platform.table("marker_example")
    assert shown["class"].tolist() == [0, 0, 0, 1, 1, 1]
    assert (shown[N_PUNCTA] >= 0).all()
