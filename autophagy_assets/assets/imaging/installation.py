"""What a worker needs for the same results as the step: code, libraries, Python.

A worker of Dask is told to get ready by ``--preload`` with the name of this module.
"""

import platform
from functools import cache
from typing import Any

from autophagy_assets.assets.imaging.field_work import (
    featurize_field,
    image_field,
    measure_marker,
    put_fields_together,
)
from autophagy_assets.compute.pool import PRELOAD
from autophagy_assets.compute.worker import installed_code, resource_of, start
from autophagy_assets.staleness.code import code_of

PRELOADED = (
    *PRELOAD,
    "autophagy_assets.analysis.imaging.featurization",
    "autophagy_assets.analysis.imaging.segmentation",
    "autophagy_assets.analysis.marker.features",
)


@cache
def installation() -> dict[str, str]:
    """Installed code, libraries and Python that may change the result of a field.

    Returns
    -------
    dict
        Versions of Python and of the libraries, and hashes of the files of this platform.
    """
    found = {"Python": platform.python_version()}
    for function in (image_field, put_fields_together, featurize_field, measure_marker):
        found |= code_of(function).libraries
    return found | installed_code()


def dask_setup(worker: Any) -> None:
    """Get a worker ready; Dask calls it before the worker joins its scheduler."""
    start(installation(), worker.local_directory, PRELOADED)


def worker_resource() -> str:
    """Name of the Dask resource that a worker with the installation of this process offers."""
    return resource_of(installation())
