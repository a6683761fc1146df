"""From the images of a field of view to single cells, with scPortrait's own ``Project``.

What is added to scPortrait is only what a pipeline needs of it: it works in a directory of
its own, says nothing, opens its store no more often than it changed, and leaves two files
that are the same to the byte whenever images and study are the same.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.images import check_field
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.study import Segmentation, Study

SINGLE_CELLS = "single_cell_data.h5ad"
SPATIALDATA = "spatialdata.zarr"
METHODS = {"classical": "WGASegmentation", "cellpose": "CytosolSegmentationCellpose"}

# scPortrait stores channel names in 15 characters and cuts off the rest without a word.
_LONGEST_CHANNEL_NAME = 15


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

    Returns
    -------
    FieldResult

    Raises
    ------
    InputError
        If an image is refused by ``check_field``, a channel of the study is missing or not
        known, or no cells are found.
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
    check_field(paths)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with quiet(), cheap_collections(), one_thread():
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


def project_config(study: Study, cache: Path) -> dict[str, Any]:
    """Translate a study into the configuration of a scPortrait ``Project``.

    Parameters
    ----------
    study : Study
        Gives the channels, their roles and the segmentation parameters.
    cache : pathlib.Path
        Directory for scPortrait's temporary files.

    Returns
    -------
    dict
        One entry per step, named by its class. scPortrait changes it: make one per project.
    """
    settings = study.segmentation
    method = METHODS[settings.method]
    roles = {
        "cache": str(cache),
        "segmentation_channel_nuclei": [study.channels.index(study.nucleus_channel)],
        "segmentation_channel_cytosol": [study.channels.index(study.cytosol_channel)],
        "filter_masks_size": True,
    }
    masks = _classical(settings) if settings.method == "classical" else _cellpose(settings)
    return {
        "name": "field",
        method: {**roles, **masks},
        "HDF5CellExtraction": {
            "threads": 1,
            "image_size": settings.image_size,
            "cache": str(cache),
            "normalize_output": True,
            "normalization_range": [0.001, 0.999],
            # The default, lzf, finds other matches in every process: it never clears its table.
            "compression": "gzip",
        },
    }


def _classical(settings: Segmentation) -> dict[str, Any]:
    return {
        "lower_quantile_normalization": 0.001,
        "upper_quantile_normalization": 0.999,
        "median_filter_size": settings.median_filter_px,
        "nucleus_segmentation": {
            "lower_quantile_normalization": 0.01,
            "upper_quantile_normalization": 0.99,
            "median_block": 41,
            "median_step": 4,
            "threshold": settings.nucleus_threshold,
            "min_distance": 8,
            "peak_footprint": 7,
            "speckle_kernel": 9,
            "dilation": 0,
            "min_size": settings.nucleus_min_px,
            "max_size": settings.nucleus_max_px,
            "contact_filter": 0.5,
        },
        "cytosol_segmentation": {
            "threshold": settings.cytosol_threshold,
            "lower_quantile_normalization": 0.01,
            "upper_quantile_normalization": 0.99,
            "erosion": 2,
            "dilation": 7,
            "min_clip": 0,
            "max_clip": 0.2,
            "min_size": settings.cytosol_min_px,
            "max_size": settings.cytosol_max_px,
        },
    }


def _cellpose(settings: Segmentation) -> dict[str, Any]:
    # scPortrait 1.8 filters both masks by the limits of the nucleus, so these span both.
    limits = {"min_size": settings.nucleus_min_px, "max_size": settings.cytosol_max_px}
    return {
        "match_masks": True,
        "filtering_threshold_mask_matching": 0.95,
        "nucleus_segmentation": {"model": "nuclei", **limits},
        "cytosol_segmentation": {"model": "cyto2", **limits},
    }


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
    from scportrait.pipeline.extraction import HDF5CellExtraction
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation import workflows

    keep_compiled()
    home, cache = work / "project", work / "cache"
    home.mkdir()
    cache.mkdir()
    project = Project(
        str(home),
        config_path=project_config(study, cache),
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
        raise _no_cells(paths, study)
    return single_cells, Path(project.sdata_path)


def _segment(project: Any, paths: dict[str, Path], study: Study) -> None:
    try:
        project.segment()
    except ValueError as error:
        # An image without any nucleus ends in an empty reduction, somewhere inside.
        if "zero-size array" not in str(error):
            raise
        raise _no_cells(paths, study) from error
    if not (project.nuc_seg_status and project.cyto_seg_status):
        raise _no_cells(paths, study)


def _no_cells(paths: dict[str, Path], study: Study) -> InputError:
    return InputError(
        f"There are no cells in the field of view of {paths[study.nucleus_channel]}: look at the "
        "image, and at the segmentation thresholds and sizes of the study."
    )


def _cell_ids(single_cells: Path) -> tuple[int, ...]:
    import h5py

    with h5py.File(single_cells, "r") as file:
        return tuple(int(cell) for cell in file["obs/scportrait_cell_id"][:])  # type: ignore[index]


@functools.cache
def keep_compiled() -> None:
    """Let numba keep the machine code of scPortrait's loops; compiling takes 15 s per process.

    It lies where numba puts it, beside scPortrait's byte code or in ``NUMBA_CACHE_DIR``.
    """
    from numba.core.dispatcher import Dispatcher
    from scportrait.pipeline._utils import segmentation

    for function in vars(segmentation).values():
        if isinstance(function, Dispatcher):
            with suppress(RuntimeError):  # nowhere to write
                function.enable_caching()


def remember_store(filehandler: Any) -> None:
    """Let a scPortrait file handler open its store only after the store has changed.

    Parameters
    ----------
    filehandler : scportrait.pipeline._utils.sdata_io.sdata_filehandler
        Changed in place.

    Notes
    -----
    A project opens its SpatialData store 46 times per field. Every write changes the
    directory of elements or the metadata at the root, so their time stamps tell when what is
    in memory is out of date.
    """
    read: Callable[[], Any] = filehandler._read_sdata
    store = Path(filehandler.sdata_path)
    seen: dict[tuple[Any, ...], Any] = {}

    def remembered() -> Any:
        stamp = _stamp(store)
        if not stamp or stamp not in seen:
            seen.clear()
            value = read()
            seen[_stamp(store)] = value
            return value
        return seen[stamp]

    filehandler._read_sdata = remembered


def _stamp(store: Path) -> tuple[Any, ...]:
    if not store.exists():
        return ()
    places = [store / "zarr.json", *(store / kind for kind in ("images", "labels", "points"))]
    found = [(place.name, place.stat()) for place in places if place.exists()]
    return tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in found)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep scPortrait's progress bars, prints and warnings off the terminal."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def cheap_collections() -> Iterator[None]:
    """Exempt what lives now from garbage collection.

    scPortrait collects garbage after each step, and walking the million objects that its
    imports leave behind takes half a second every time.
    """
    frozen_elsewhere = gc.get_freeze_count() > 0
    if frozen_elsewhere:
        gc.collect()  # cheap here, and what is garbage now would be kept for good
    gc.freeze()
    try:
        yield
    finally:
        if not frozen_elsewhere:
            gc.unfreeze()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, so that sums are taken in one order and fields can share cores."""
    import numba
    import torch

    threads, numba_threads = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        numba.set_num_threads(numba_threads)
