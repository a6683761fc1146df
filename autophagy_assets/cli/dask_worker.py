"""``dask worker`` as this platform needs it: ``python -m autophagy_assets.cli.dask_worker``.

Takes what ``dask worker`` takes. Added are what the worker offers, what it imports before it joins
its scheduler, and one thread for each worker. The queue of a cluster starts it, and
``autophagy serve workers``. It needs no home.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from autophagy_assets.compute.pool import ENVIRONMENT

# Memory of fields comes and goes within a task: moving results to disk would not help, and a worker
# that waits for memory to come back would wait for ever. A worker that ends in a task is an affair
# of who sent it (compute/cluster).
DASK = {
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    # The profiler looks at frames of the job from another thread, so that what they hold lives on
    # for a moment: an HDF5 dataset is then closed after the next one, and the file has other bytes.
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}
PRELOAD = "autophagy_assets.assets.imaging.installation"


def set_environment() -> None:
    """Set what the libraries read when they are first imported, unless somebody else has."""
    for name, value in {**ENVIRONMENT, **DASK}.items():
        os.environ.setdefault(name, value)


def run(arguments: Sequence[str]) -> None:
    """Run one worker or several, until they are stopped.

    Parameters
    ----------
    arguments : sequence of str
        As for ``dask worker``: address of the scheduler, and options.
    """
    set_environment()
    from distributed.cli.dask_worker import main

    from autophagy_assets.assets.imaging.installation import worker_resource

    ours = ["--nthreads", "1", "--resources", f"{worker_resource()}=1", "--preload", PRELOAD]
    main([*arguments, *ours, "--no-dashboard"], prog_name="dask worker")


if __name__ == "__main__":
    run(sys.argv[1:])
