"""From the images of a field of view to single cells, with scPortrait's own ``Project``.

What is added to scPortrait is only what a pipeline needs of it: it works in a directory of
its own, says nothing, opens its store no more often than it changed, and leaves two files
that are the same to the byte whenever images and study are the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.imaging.images import check_field
from autophagy_assets.analysis.imaging.process_settings import (
    cheap_collections,
    no_histograms,
    one_thread,
    quiet,
)
from autophagy_assets.analysis.imaging.project import METHODS, project_config, remember_store
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.config.study import Study

SINGLE_CELLS = "single_cell_data.h5ad"
SPATIALDATA = "spatialdata.zarr"

# scPortrait stores channel names in 15 characters and cuts off the rest without a word.
_LONGEST_CHANNEL_NAME = 15
# Its image pyramid halves three times and more; smaller images have no last level.
_SMALLEST_PYRAMID = 66
# How scPortrait's classical segmentation ends where there is nothing to segment.
_SIGNS_OF_NO_CELLS = {
    "no zero contour": "no nuclei found",
    "zero-size array": "no nuclei found",
    "Unreachable voxel": "cells cannot be told from the background",
    "returned no MaskedArray": "cells cannot be told from the background",
}


@dataclass(frozen=True)
class FieldResult:
    """The single cells of one field of view.

    Attributes
    ----------
    n_cells : int
        Number of cells with crops.
    cell_ids : tuple of int
        ``scportrait_cell_id`` of each cell, in the order of the crops.
    single_cells : pathlib.Path
        Crops, readable with ``scportrait.io.read_h5sc``.
    spatialdata : pathlib.Path
        SpatialData store with ``input_image``, ``seg_all_nucleus``, ``seg_all_cytosol`` and
        ``centers_seg_all_nucleus``.
    """

    n_cells: int
    cell_ids: tuple[int, ...]
    single_cells: Path
    spatialdata: Path


def process_field(images: Mapping[str, Path], study: Study, out: Path) -> FieldResult:
    """Find the cells of a field of view and cut out a crop of each.

    Parameters
    ----------
    images : mapping of str to pathlib.Path
        The TIFF of each channel of the study.
    study : Study
        Gives the channels, their roles and the segmentation parameters.
    out : pathlib.Path
        Directory to be made; holds ``single_cell_data.h5ad`` and ``spatialdata.zarr``
        afterwards and nothing else. It may exist when it is empty.

    Raises
    ------
    InputError
        If an image is refused by ``check_field``, a channel of the study is missing or not
        known, the image is smaller than a crop, or no cells are found.
    FileExistsError
        If ``out`` holds anything.

    Notes
    -----
    ``classical`` is scPortrait's ``WGASegmentation``: nuclei by a local median threshold,
    cells by fast marching from the nuclei. ``cellpose`` is its
    ``CytosolSegmentationCellpose`` with the pretrained models ``nuclei`` and ``cyto2``; it
    downloads their weights and **is untested offline**.

    scPortrait drops the last row and column of every image, and cells whose centre is nearer
    than half a crop to the border. The bytes of both results depend on images and study
    alone.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty.")
    paths = _in_study_order(images, study)
    _refuse_small(paths, check_field(paths).shape, study)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with quiet(), cheap_collections(), no_histograms(), one_thread():
            single_cells, spatialdata = _run_project(paths, study, work)
        ready = work / "ready"
        ready.mkdir()
        single_cells.rename(ready / SINGLE_CELLS)
        spatialdata.rename(ready / SPATIALDATA)
        cell_ids = _cell_ids(ready / SINGLE_CELLS)
        ready.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return FieldResult(len(cell_ids), cell_ids, out / SINGLE_CELLS, out / SPATIALDATA)


def _in_study_order(images: Mapping[str, Path], study: Study) -> dict[str, Path]:
    wanted = ", ".join(study.channels)
    for channel in study.channels:
        if channel not in images:
            raise InputError(
                f"The field of view has no image for channel {channel}: this study needs {wanted}."
            )
        if len(channel) > _LONGEST_CHANNEL_NAME:
            raise InputError(
                f"Channel name {channel!r} is too long: scPortrait keeps "
                f"{_LONGEST_CHANNEL_NAME} characters, shorten it in the study file."
            )
    for channel, path in images.items():
        if channel not in study.channels:
            raise InputError(f"Image {path} is of channel {channel}: this study has {wanted}.")
    return {channel: Path(images[channel]) for channel in study.channels}


def _run_project(paths: dict[str, Path], study: Study, work: Path) -> tuple[Path, Path]:
    """Load, segment and extract; give the files that scPortrait wrote."""
    from autophagy_assets.analysis.imaging.scportrait_steps import (
        HDF5CellExtraction,
        Project,
        workflows,
    )

    home, cache = work / "project", work / "cache"
    home.mkdir()
    cache.mkdir()
    config: Any = project_config(study, cache)  # annotated as a path, documented as either
    project: Any = Project(
        str(home),
        config_path=config,
        overwrite=True,
        segmentation_f=getattr(workflows, METHODS[study.segmentation.method]),
        extraction_f=HDF5CellExtraction,
    )
    # Project.__del__ writes to its log, which would bring the removed directory back.
    project.log = lambda message: None
    remember_store(project.filehandler)
    project.load_input_from_tif_files(
        [str(path) for path in paths.values()], channel_names=list(paths), cache=str(cache)
    )
    _segment(project, paths, study)
    project.extract()
    single_cells = Path(project.extraction_f.extraction_file)
    if not single_cells.exists():
        raise _no_cells(paths, study, "all are too near to the border for a crop")
    return single_cells, Path(project.sdata_path)


def _segment(project: Any, paths: dict[str, Path], study: Study) -> None:
    try:
        project.segment()
    except (ValueError, RuntimeError, TypeError) as error:
        for sign, reason in _SIGNS_OF_NO_CELLS.items():
            if sign in str(error):
                raise _no_cells(paths, study, reason) from error
        raise
    if not project.nuc_seg_status:
        raise _no_cells(paths, study, "no nucleus has the size that the study allows")
    if not project.cyto_seg_status:
        raise _no_cells(paths, study, "no nucleus has a cell around it")


def _no_cells(paths: dict[str, Path], study: Study, reason: str) -> InputError:
    return InputError(
        f"There are no cells in the field of view of {paths[study.nucleus_channel]} ({reason}): "
        "look at its images, and at the segmentation of the study file."
    )


def _refuse_small(paths: dict[str, Path], shape: tuple[int, int], study: Study) -> None:
    # One row and column are dropped, and a crop has to lie within what is left.
    needed = max(study.segmentation.image_size + 3, _SMALLEST_PYRAMID)
    if min(shape) < needed:
        raise InputError(
            f"Image {paths[study.nucleus_channel]} is {shape[0]} x {shape[1]} px: crops of "
            f"{study.segmentation.image_size} px need at least {needed} px each way."
        )


def _cell_ids(single_cells: Path) -> tuple[int, ...]:
    import h5py

    with h5py.File(single_cells, "r") as file:
        return tuple(int(cell) for cell in file["obs/scportrait_cell_id"][:])
