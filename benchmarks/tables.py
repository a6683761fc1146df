"""Loading tables: through the IO manager against pyarrow alone, and streaming a large one.

``python -m benchmarks.tables [--small]``. Both sides give a pandas table; the IO manager also
verifies the file's hash, which pyarrow alone does not. Each load is the first one of a process
with its imports done, as it is in a Dagster step; the two sides take turns, and the file is in
the page cache. Loading again in the same process, into memory that it has already, is measured too.
Targets: at most 1.1 times ``pyarrow.parquet.read_table`` for 1,000,000 rows x 60 columns; a
scan of 10,000,000 rows within 1 GB of peak memory.
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
from typing import Any

LIMIT_RATIO, LIMIT_GB = 1.1, 1.0
REPEATS, AGAIN = 7, 4

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

    from autophagy_assets.io_managers.encoding import encoding
    from autophagy_assets.io_managers.parquet import ROW_GROUP

    random, writer = np.random.default_rng(0), None
    for start in range(0, rows, ROW_GROUP):
        count = min(ROW_GROUP, rows - start)
        piece = {"dataset": np.repeat("3jmKGBSJX8jKh3o3bGVE", count)}
        piece["scportrait_cell_id"] = np.arange(start, start + count)
        piece |= {f"feature_{i}": random.normal(size=count) for i in range(columns - 2)}
        table = pa.table(piece)
        writer = writer or pq.ParquetWriter(path, table.schema, **encoding(table.schema))
        writer.write_table(table, row_group_size=ROW_GROUP)
    assert writer is not None
    writer.close()


def store(rows: dict[str, int]) -> dict[str, dict[str, str]]:
    """Store tables of some sizes; path, uid and hash of each by its name."""
    from autophagy_assets.registry.provenance.recorder import Recorder, Step

    recorder, stored = Recorder(Step("large", None, None, "def body(): ...", "1")), {}
    for name, count in rows.items():
        output = recorder.put(
            lambda path, count=count: write_features(path, count, 60),
            f"benchmark/{name}.parquet",
            name,
            {},
        )
        record = output.record
        stored[name] = {"path": str(output.file.path), "uid": record.uid, "sha256": record.sha256}
    recorder.finish()
    return stored


def load(side: str, stored: dict[str, dict[str, str]]) -> list[float]:
    """Seconds of loading the large table several times, after a small one."""
    import pyarrow.parquet as pq

    from autophagy_assets.io_managers.parquet import read_table
    from autophagy_assets.registry.provenance.recorder import Recorder, Step

    def ours(table: dict[str, str]) -> None:
        reader = Recorder(Step("reader", None, None, "def body(): ...", "1"))
        reader.load(table["uid"], {"sha256": table["sha256"]}, read_table)

    def plain(table: dict[str, str]) -> None:
        pq.read_table(table["path"]).to_pandas()

    chosen, seconds = {"ours": ours, "plain": plain}[side], []
    chosen(stored["small"])
    for _ in range(1 + AGAIN):
        began = time.perf_counter()
        chosen(stored["large"])
        seconds.append(time.perf_counter() - began)
    return seconds


def compare_loading(folder: Path, rows: int) -> dict[str, tuple[float, float]]:
    """Median seconds of the first and of later loads of a process, by side."""
    environment = {**os.environ, "AUTOPHAGY_HOME": str(folder / "home")}

    def child(*arguments: str) -> Any:
        command = [sys.executable, "-m", "benchmarks.tables", *arguments]
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])

    stored = json.dumps(child("--store", json.dumps({"large": rows, "small": 100})))
    first: dict[str, list[float]] = {"ours": [], "plain": []}
    again: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(REPEATS):
        for side in first:
            once, *later = child("--load", side, stored)
            first[side].append(once)
            again[side] += later
    return {
        side: (statistics.median(first[side]), statistics.median(again[side])) for side in first
    }


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
    parser.add_argument("--store", help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.store or options.load:
        side, stored = options.load or ("", "")
        found = load(side, json.loads(stored)) if side else store(json.loads(options.store))
        print("\n" + json.dumps(found))
        return 0
    parts = 10 if options.small else 1
    with tempfile.TemporaryDirectory() as name:
        seen = scan(Path(name), 10_000_000 // parts)
        seconds = compare_loading(Path(name), 1_000_000 // parts)
    (ours, ours_again), (plain, plain_again) = seconds["ours"], seconds["plain"]
    ratio = ours / plain
    print(f"loading {1_000_000 // parts:,} rows x 60 columns, median of {REPEATS} processes:")
    print(f"  IO manager {ours:.2f} s (with verification), pyarrow {plain:.2f} s")
    print(
        f"  ratio {ratio:.2f}, target {LIMIT_RATIO}: {'met' if ratio <= LIMIT_RATIO else 'MISSED'}"
    )
    print(
        f"  again in the same process {ours_again:.2f} s and {plain_again:.2f} s, "
        f"ratio {ours_again / plain_again:.2f}"
    )
    peak = seen["peak_gb"]
    print(f"streaming {int(seen['rows']):,} rows x 60 columns:")
    print(f"  peak {peak:.2f} GB, target {LIMIT_GB} GB: {'met' if peak <= LIMIT_GB else 'MISSED'}")
    return int(ratio > LIMIT_RATIO or peak > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
