"""A refresh with nothing to do, and one after a single new field, against a full refresh.

``python -m benchmarks.refresh [--small] [--repeats N]``. Every refresh is a whole process of
``autophagy refresh``, imports included, on a study of 16 fields of view: the real images, each
as it is and mirrored, or simulated ones. Targets: with nothing to do at most 0.1 times
as long as a full refresh, and no step executed; with one new field at most a sixth of the full
imaging time plus the analysis.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tifffile

from benchmarks.downstream import environment, timed
from benchmarks.studies import images_of_a_study

FIELDS, METADATA = 16, "metadata_files.csv"
PLACE = ["genotype", "stimulation", "cell_line_clone", "FOV"]
IDLE_LIMIT, SHARE = 0.1, 6
REFRESH = [sys.executable, "-m", "autophagy_assets.cli", "refresh"]
RUNS = """
import json
from autophagy_assets.config.home import dagster_instance
instance = dagster_instance()
samples = set(instance.get_dynamic_partitions("sample"))
print(json.dumps([
    (run.start_time, run.end_time, run.dagster_run.tags.get("dagster/partition") in samples)
    for run in instance.get_run_records()
]))
"""


@dataclass(frozen=True)
class Timed:
    """Seconds of a refresh.

    Parameters
    ----------
    whole : float
        Of the process.
    imaging, analysis : float
        Of the process until the last sample was imaged, and after that.
    runs_of_imaging, runs_of_analysis : float
        From the begin of the first run to the end of the last, without what is before and after.
    """

    whole: float
    imaging: float
    analysis: float
    runs_of_imaging: float
    runs_of_analysis: float


def study_of_16(folder: Path, small: bool) -> tuple[str, pd.DataFrame]:
    """Put 16 fields of view in a folder; gives where they are from, and the metadata."""
    found = images_of_a_study(folder, small)
    source = "simulated" if found == folder else "real"
    if found != folder:
        shutil.copytree(found, folder)
    table = pd.read_csv(folder / METADATA, dtype=str)
    channels = table["channel"].nunique()
    if len(table) < FIELDS * channels:
        # The same images mirrored, as other fields of view of the same samples.
        mirrored = "mirrored_" + table["image_path"].str.replace("/", "_")
        for path, other in zip(table["image_path"], mirrored, strict=True):
            tifffile.imwrite(folder / other, tifffile.imread(folder / path)[:, ::-1])
        other_fields = table.assign(FOV=table["FOV"] + " mirrored", image_path=mirrored)
        table = pd.concat([table, other_fields])
    return source, table.iloc[: FIELDS * channels]


def ingest(folder: Path, table: pd.DataFrame, home: Path) -> None:
    """Register the fields of a table."""
    table.to_csv(folder / METADATA, index=False)
    command = [sys.executable, "-m", "autophagy_assets.cli", "ingest", str(folder)]
    subprocess.run(command, check=True, env=environment(home), capture_output=True)


def runs_of(home: Path) -> list[tuple[float, float, bool]]:
    """Begin and end of each Dagster run of a home, and whether it was of a sample."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        check=True,
        env=environment(home),
        capture_output=True,
        text=True,
    )
    return [tuple(run) for run in json.loads(done.stdout.splitlines()[-1])]


def refresh(home: Path) -> Timed:
    """Time a refresh that images something."""
    began = time.time()
    whole = timed(REFRESH, environment(home))
    runs = [run for run in runs_of(home) if run[0] >= began]
    first, last = min(run[0] for run in runs), max(run[1] for run in runs)
    imaged = max(end for _, end, of_sample in runs if of_sample)
    return Timed(whole, imaged - began, whole - (imaged - began), imaged - first, last - imaged)


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="fields of 420 px with 12 cells")
    parser.add_argument("--repeats", type=int, default=3, help="refreshes with nothing to do")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, grown, whole = (Path(scratch) / name for name in ("study", "grown", "whole"))
        source, table = study_of_16(folder, options.small)
        new = (table[PLACE] == table[PLACE].iloc[-1]).all(axis=1)
        ingest(folder, table[~new], grown)
        timed(REFRESH, environment(grown))  # also leaves byte code and numba's cache
        ingest(folder, table, grown)
        one = refresh(grown)
        before = len(runs_of(grown))
        idle = [timed(REFRESH, environment(grown)) for _ in range(options.repeats)]
        executed = len(runs_of(grown)) - before
        ingest(folder, table, whole)
        full = refresh(whole)
    nothing = statistics.median(idle)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {FIELDS} fields, {source}")
    parts = f"imaging {full.imaging:.1f} s, analysis {full.analysis:.1f} s"
    print(f"full refresh           {full.whole:6.1f} s  ({parts})")
    print(f"nothing to do          {nothing:6.1f} s  (median of {len(idle)}; {executed} runs)")
    idle_met = nothing <= IDLE_LIMIT * full.whole and not executed
    print(
        f"  ratio {nothing / full.whole:.3f}, target {IDLE_LIMIT} and no run: "
        f"{'met' if idle_met else 'MISSED'}"
    )
    allowed = full.imaging / SHARE + full.analysis
    print(f"one new field          {one.whole:6.1f} s")
    print(
        f"  {one.whole / allowed:.2f} times a sixth of the imaging plus the analysis "
        f"({allowed:.1f} s), target 1: {'met' if one.whole <= allowed else 'MISSED'}"
    )
    runs = one.runs_of_imaging + one.runs_of_analysis
    of_runs = full.runs_of_imaging / SHARE + full.runs_of_analysis
    print(
        f"  {runs / of_runs:.2f} times in Dagster runs alone ({runs:.1f} s, {of_runs:.1f} s), "
        "without the imports before them"
    )
    return int(not idle_met or one.whole > allowed)


if __name__ == "__main__":
    sys.exit(main())
