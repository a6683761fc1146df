"""Gets a worker ready that has made-up segmentation in place of scPortrait, and takes its time.

``dask worker --preload`` takes the name of this module.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.assets.imaging.installation import installation
from autophagy_assets.compute.worker import start
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field


def dask_setup(worker: Any) -> None:
    """Get a worker ready; Dask calls it before the worker joins its scheduler."""
    segmentation.process_field = _slowly
    featurization.featurize = fake_featurize
    start(installation(), worker.local_directory)


def _slowly(*given: Any) -> Any:
    with Path("imaged.txt").open("a") as stream:  # in the folder of the worker
        stream.write(f"{given[0]['DAPI']}\n")
    made = fake_process_field(*given)
    time.sleep(0.5)
    return made
