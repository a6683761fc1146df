"""Time the marker features of fields of view against the imaging of the same fields.

Run with ``python -m benchmarks.marker``. Both run in one process, field by field in turn, so that
load on the machine hits both alike; the first field is not counted (imports, numba).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from autophagy_assets.config.study import Study
from benchmarks.imaging import Images, Seconds, find_fields

AT_MOST = 0.15


def timed(call: Callable[[], Any]) -> tuple[Any, Seconds]:
    """Result of a call, with its time."""
    clock, cpu = time.monotonic(), time.process_time()
    result = call()
    return result, Seconds(time.monotonic() - clock, time.process_time() - cpu)


def time_field(images: Images, study: Study, out: Path) -> tuple[pd.DataFrame, Seconds, Seconds]:
    """Marker features of a field, time of its imaging, and time of the features."""
    from autophagy_assets.analysis.imaging.segmentation import process_field
    from autophagy_assets.analysis.marker.features import marker_features

    field, imaging = timed(lambda: process_field(images, study, out))
    table, features = timed(
        lambda: marker_features(field.single_cells, study, 0.598, field.spatialdata)
    )
    return table, imaging, features


def main() -> int:
    """Print times and their ratio; exit with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=16)
    count = parser.parse_args().fields
    study, cells = Study.load(), 0
    imaging, features = [], []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        source, fields = find_fields(count, Path(folder), study)
        time_field(fields[0], study, Path(folder) / "warm")
        for number, images in enumerate(fields):
            table, one, other = time_field(images, study, Path(folder) / str(number))
            imaging.append(one)
            features.append(other)
            cells += len(table)
    clock, cpu = (
        sum(getattr(one, kind) for one in features) / sum(getattr(one, kind) for one in imaging)
        for kind in ("clock", "cpu")
    )
    print(
        f"marker features: {clock:.3f} of the imaging (at most {AT_MOST} wanted; CPU {cpu:.3f}); "
        f"{sum(one.clock for one in features):.1f} s against "
        f"{sum(one.clock for one in imaging):.1f} s; {count} {source} fields, {cells} cells; "
        f"{os.cpu_count()} CPUs, {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    return int(clock > AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
