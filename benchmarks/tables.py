"""Loading tables: through the IO manager against pyarrow alone, and streaming a large one.

``python -m benchmarks.tables [--small]``. Loading through the IO manager verifies the file's
hash before it is opened, which pyarrow alone does not. Targets: at most 1.1 times
``pyarrow.parquet.read_table`` for 1,000,000 rows x 60 columns; a scan of 10,000,000 rows
within 1 GB of peak memory. The two sides take turns, and the files are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_RATIO, LIMIT_GB = 1.1, 1.0
REPEATS = 9

SCAN = """
import json, resource, sys
from pathlib import Path
from autophagy_assets.io_managers.parquet import stream_table
rows, total = 0, 0.0
for piece in stream_table(Path(sys.argv[1])):
    rows += len(piece)
    total += float(piece["feature_1"].sum())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps({"rows": rows, "total": total, "peak_gb": peak}))
"""


def write_features(path: Path, rows: int, columns: int) -> None:
    """Write a table of features in pieces, with the settings of the IO manager."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from autophagy_assets.io_managers.parquet import ROW_GROUP

    random, writer = np.random.default_rng(0), None
    for start in range(0, rows, ROW_GROUP):
        count = min(ROW_GROUP, rows - start)
        piece = {"dataset": np.repeat("3jmKGBSJX8jKh3o3bGVE", count)}
        piece["scportrait_cell_id"] = np.arange(start, start + count)
        piece |= {f"feature_{i}": random.normal(size=count) for i in range(columns - 2)}
        table = pa.table(piece)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=ROW_GROUP)
    assert writer is not None
    writer.close()


def compare_loading(folder: Path, rows: int) -> tuple[float, float]:
    """Median seconds of the IO manager's loading and of pyarrow's."""
    os.environ["AUTOPHAGY_HOME"] = str(folder / "home")
    import pyarrow.parquet as pq

    from autophagy_assets.io_managers.parquet import read_table
    from autophagy_assets.registry.provenance import Recorder, Step

    recorder = Recorder(Step("large", None, None, "def body(): ...", "1"))
    output = recorder.put(
        lambda path: write_features(path, rows, 60), "benchmark/large.parquet", "large", {}
    )
    recorder.finish()
    path, record = output.file.path, output.record

    def ours() -> None:
        reader = Recorder(Step("reader", None, None, "def body(): ...", "1"))
        reader.load(record.uid, {"sha256": record.sha256}, read_table)

    def plain() -> None:
        pq.read_table(path).to_pandas()

    times: dict[str, list[float]] = {"ours": [], "plain": []}
    for turn in range(REPEATS + 1):
        for name, load in (("ours", ours), ("plain", plain)):
            began = time.perf_counter()
            load()
            if turn:  # the first turn warms up
                times[name].append(time.perf_counter() - began)
    return statistics.median(times["ours"]), statistics.median(times["plain"])


def scan(folder: Path, rows: int) -> dict[str, float]:
    """Stream a large table in a process of its own; rows, and peak memory in GB."""
    path = folder / "scanned.parquet"
    write_features(path, rows, 60)
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(path)], check=True, capture_output=True, text=True
    )
    path.unlink()
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the rows")
    parts = 10 if parser.parse_args().small else 1
    with tempfile.TemporaryDirectory() as name:
        # The scan first: a child's peak counts from what its parent held when it was started.
        seen = scan(Path(name), 10_000_000 // parts)
        ours, plain = compare_loading(Path(name), 1_000_000 // parts)
    ratio = ours / plain
    print(f"loading {1_000_000 // parts:,} rows x 60 columns, median of {REPEATS}:")
    print(f"  IO manager {ours:.2f} s (with verification), pyarrow {plain:.2f} s")
    print(
        f"  ratio {ratio:.2f}, target {LIMIT_RATIO}: {'met' if ratio <= LIMIT_RATIO else 'MISSED'}"
    )
    peak = seen["peak_gb"]
    print(f"streaming {int(seen['rows']):,} rows x 60 columns:")
    print(f"  peak {peak:.2f} GB, target {LIMIT_GB} GB: {'met' if peak <= LIMIT_GB else 'MISSED'}")
    return int(ratio > LIMIT_RATIO or peak > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
