"""Registering what imaging leaves of many fields of view, on PostgreSQL.

``python -m benchmarks.registering [--fields N]``. A step has put two small files of each field into
the store, with labels, as imaging does. Timed is the end of the step: artifacts, labels, inputs and
run in one transaction. The server is a temporary one on this machine, without ``fsync``;
``AUTOPHAGY_DATABASE_URL`` names another.
Target: at most 15 ms for each field.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIELDS, LIMIT_MS = 1_000, 15.0


def register(fields: int) -> dict[str, float]:
    """Seconds that registering the files of so many fields takes."""
    from autophagy_assets.registry.provenance.recorder import Recorder, Step

    sample = "WT__clone-1__untreated"
    recorder = Recorder(Step("single_cell_images", sample, None, "def f(): ...", "1"))
    recorder.start()
    for number in range(fields):
        for name in ("single_cell_data.h5ad", "spatialdata.parquet"):
            fov = f"FOV{number + 1:04d}"
            recorder.put(
                lambda path, text=fov + name: path.write_text(text),
                f"benchmark/imaging/single_cell_images/{sample}/{fov}/{name}",
                f"{name} of {fov}",
                {
                    "study": "benchmark",
                    "genotype": "WT",
                    "cell_line_clone": "clone 1",
                    "stimulation": "untreated",
                    "FOV": fov,
                    "artifact type": name,
                },
                kind="dataset",
            )
    began, used = time.perf_counter(), time.process_time()
    recorder.finish()
    return {"seconds": time.perf_counter() - began, "core_seconds": time.process_time() - used}


def main() -> int:
    """Measure and print; 1 where the target is missed, 2 where there is no PostgreSQL."""
    from autophagy_assets.config.settings import DATABASE_VARIABLE
    from autophagy_assets_tests.reliability.server import Server, programs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=FIELDS)
    parser.add_argument("--part", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print("\n" + json.dumps(register(options.fields)))
        return 0
    found, server = programs(), None
    if DATABASE_VARIABLE not in os.environ:
        if found is None:
            print(f"PostgreSQL is not installed; install it, or set {DATABASE_VARIABLE}.")
            return 2
        server = Server(found)
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"AUTOPHAGY_HOME": str(Path(folder) / "home")}
            if server is not None:
                environment[DATABASE_VARIABLE] = server.url
            command = [sys.executable, "-m", "benchmarks.registering", "--part"]
            done = subprocess.run(
                [*command, "--fields", str(options.fields)],
                check=True,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
    finally:
        if server is not None:
            server.remove()
    seen = json.loads(done.stdout.splitlines()[-1])
    each = 1000 * seen["seconds"] / options.fields
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL")
    print(
        f"registering {options.fields:,} fields of view, two files each: {each:.1f} ms a field "
        f"({1000 * seen['core_seconds'] / options.fields:.1f} ms of the processor), target "
        f"{LIMIT_MS:.0f} ms: {'met' if each <= LIMIT_MS else 'MISSED'}"
    )
    return int(each > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
