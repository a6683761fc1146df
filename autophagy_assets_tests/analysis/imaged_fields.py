"""Fields of view for the tests of the imaging, and scPortrait's own way through them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def small_field(directory: Path, study) -> dict[str, Path]:
    from autophagy_assets.simulation import simulate

    simulate(directory, seed=3, size=420, fields_per_sample=1, clones=1, cells_per_field=14)
    last = study.channels[-1]
    stem = min(directory.glob(f"images/*_{last}.tif")).name.removesuffix(f"_{last}.tif")
    return {name: directory / "images" / f"{stem}_{name}.tif" for name in study.channels}


def real_field(study, stem: str) -> dict[str, Path]:
    folder = Path(os.environ.get("AUTOPHAGY_REAL_DATA", ROOT / "../shared/data/autophagy_fov1"))
    images = {name: folder / "images" / f"{stem}_{name}.tif" for name in study.channels}
    if not all(path.exists() for path in images.values()):
        pytest.skip(f"no real images in {folder}; set AUTOPHAGY_REAL_DATA")
    return images


def plain_project(images: Mapping[str, Path], study, directory: Path):
    """Load, segment, extract and featurize as scPortrait's tutorials do."""
    from scportrait.pipeline.extraction import HDF5CellExtraction
    from scportrait.pipeline.featurization import CellFeaturizer
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation.workflows import WGASegmentation

    from autophagy_assets.analysis.imaging.project import project_config

    config = project_config(study, directory)
    config["HDF5CellExtraction"]["compression"] = True
    config["CellFeaturizer"] = {
        "batch_size": 900,
        "dataloader_worker_number": 0,
        "inference_device": "cpu",
        "label": "features",
        "cache": str(directory),
    }
    (directory / "config.yml").write_text(yaml.safe_dump(config))
    project = Project(
        str(directory / "project"),
        config_path=str(directory / "config.yml"),
        overwrite=True,
        segmentation_f=WGASegmentation,
        extraction_f=HDF5CellExtraction,
        featurization_f=CellFeaturizer,
    )
    project.load_input_from_tif_files(
        [str(path) for path in images.values()], channel_names=list(images), cache=str(directory)
    )
    project.segment()
    project.extract()
    project.featurize()
    return project


def hashes(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
