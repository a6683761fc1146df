"""Gets a worker ready that has nothing to import: what it claims to have installed is a variable.

``dask worker --preload`` takes the name of this module.
"""

from __future__ import annotations

import json
import os
from typing import Any

from autophagy_assets.compute.worker import start


def dask_setup(worker: Any) -> None:
    """Get a worker ready; Dask calls it before the worker joins its scheduler."""
    start(json.loads(os.environ["AUTOPHAGY_TEST_INSTALLED"]), worker.local_directory)
