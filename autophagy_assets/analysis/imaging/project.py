"""scPortrait's ``Project``: how a study becomes its configuration, and how its store is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autophagy_assets.config.sections import Segmentation
    from autophagy_assets.config.study import Study

METHODS = {"classical": "WGASegmentation", "cellpose": "CytosolSegmentationCellpose"}


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


def remember_store(filehandler: Any) -> None:
    """Let a scPortrait file handler open its store only after the store has changed.

    Parameters
    ----------
    filehandler : scportrait.pipeline._utils.sdata_io.sdata_filehandler
        Changed in place.

    Notes
    -----
    A project opens its SpatialData store 46 times per field. Every write changes the
    directory of elements or the metadata at the root, so their time stamps say when what is
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
