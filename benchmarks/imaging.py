"""Time the imaging of fields of view against a plain loop over scPortrait's ``Project``.

Run with ``python -m benchmarks.imaging``. Each side runs in processes of its own. *Warm*
means that imports are done and one field has gone before (numba has compiled); *cold* is the
whole command from starting Python to its end, with nothing kept by numba.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.compute import default_workers, map_fields
from autophagy_assets.study import Study

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"warm": 1.7, "cold": 1.4}
Images = Mapping[str, Path]


@dataclass(frozen=True)
class Job:
    """One field to image; ``crowd`` processes wait for each other after a warming-up field."""

    number: int
    images: Images
    crowd: int = 0


def find_fields(count: int, scratch: Path, study: Study) -> tuple[str, list[Images]]:
    """Give the images of ``count`` fields: the real ones, repeated, or simulated ones."""
    real = Path(os.environ.get("AUTOPHAGY_REAL_DATA", ROOT / "../shared/data/autophagy_fov1"))
    source = "real"
    if not (real / "metadata_files.csv").exists():
        from autophagy_assets.simulation import simulate

        real, source = scratch / "simulated", "simulated"
        simulate(real)
    last, first = study.channels[-1], study.channels[0]
    stems = sorted(
        path.name.removesuffix(f"_{last}.tif") for path in real.glob(f"images/*_{last}.tif")
    )
    found = [
        {channel: real / "images" / f"{stem}_{channel}.tif" for channel in study.channels}
        for stem in stems
    ]
    assert found and all(images[first].exists() for images in found), f"no fields in {real}"
    return source, [found[number % len(found)] for number in range(count)]


def plain_field(images: Images, study: Study, directory: Path) -> pd.DataFrame:
    """Run scPortrait as its tutorials do: load, segment, extract, featurize, read the table."""
    from scportrait.pipeline.extraction import HDF5CellExtraction
    from scportrait.pipeline.featurization import CellFeaturizer
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation.workflows import WGASegmentation

    from autophagy_assets.analysis.project import project_config

    directory.mkdir(parents=True)
    config = project_config(study, directory)
    config["HDF5CellExtraction"]["compression"] = True
    config["CellFeaturizer"] = {
        "batch_size": 900,
        "dataloader_worker_number": 0,
        "inference_device": "cpu",
        "label": "features",
        "cache": str(directory),
    }
    project = Project(
        str(directory / "project"),
        config_path=_written(config, directory / "config.yml"),
        overwrite=True,
        segmentation_f=WGASegmentation,
        extraction_f=HDF5CellExtraction,
        featurization_f=CellFeaturizer,
    )
    names = list(study.channels)
    project.load_input_from_tif_files(
        [str(images[name]) for name in names], channel_names=names, cache=str(directory)
    )
    project.segment()
    project.extract()
    project.featurize()
    table: Any = project.sdata["features_nucleus"]
    features = table.to_df().astype("float64").reset_index(drop=True)
    features.insert(0, "scportrait_cell_id", table.obs["scportrait_cell_id"].to_numpy("int64"))
    return features


def _written(config: dict, path: Path) -> str:
    import yaml

    path.write_text(yaml.safe_dump(config))
    return str(path)


def our_field(job: Job, study: Study, scratch: Path) -> tuple[float, float, pd.DataFrame]:
    """Image one field with the platform; give begin, end and the features."""
    from autophagy_assets.analysis.featurization import featurize
    from autophagy_assets.analysis.segmentation import process_field

    begin = time.monotonic()
    result = process_field(job.images, study, scratch / str(job.number))
    table = featurize(result.single_cells, study)
    end = time.monotonic()
    if job.crowd:
        (scratch / f"warm-{os.getpid()}").touch()
        while len(list(scratch.glob("warm-*"))) < job.crowd:
            time.sleep(0.05)
    return begin, end, table


def run_ours(fields: Sequence[Images], study: Study, scratch: Path, warm: bool) -> float:
    """Image all fields in ``default_workers()`` processes; give the seconds of the fields."""
    workers = default_workers()
    jobs = [Job(-1 - n, fields[n], workers) for n in range(workers)] if warm else []
    jobs += [Job(number, images) for number, images in enumerate(fields)]
    times = []
    for job, outcome in map_fields(partial(our_field, study=study, scratch=scratch), jobs, workers):
        if isinstance(outcome, Exception):
            raise outcome
        begin, end, table = outcome
        if job.number >= 0:
            times.append((begin, end))
            table.to_parquet(scratch / f"{job.number}.parquet")
    return max(end for _, end in times) - min(begin for begin, _ in times)


def run_plain(fields: Sequence[Images], study: Study, scratch: Path, warm: bool) -> float:
    """Image all fields one after the other with scPortrait alone; give the seconds."""
    import scportrait.pipeline.project  # noqa: F401

    if warm:
        plain_field(fields[0], study, scratch / "warm")
    begin = time.monotonic()
    for number, images in enumerate(fields):
        table = plain_field(images, study, scratch / str(number))
        table.to_parquet(scratch / f"{number}.parquet")
    return time.monotonic() - begin


def measure(side: str, mode: str, count: int, scratch: Path) -> float:
    """Run one side in its own process; give the seconds that count for the mode."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.imaging", "--side", side]
    command += ["--mode", mode, "--fields", str(count), "--scratch", str(scratch)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(scratch / "numba")}
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    whole = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(f"{side}, {mode}, failed:\n{done.stderr[-3000:]}")
    return json.loads((scratch / "seconds.json").read_text()) if mode == "warm" else whole


def compare(ours: Path, plain: Path, count: int) -> tuple[int, float]:
    """Count the cells and give the largest difference of a feature, relative to its value."""
    cells, difference = 0, 0.0
    for number in range(count):
        mine, theirs = (pd.read_parquet(place / f"{number}.parquet") for place in (ours, plain))
        assert list(mine.columns) == list(theirs.columns), "features differ in name or order"
        ids = "scportrait_cell_id"
        assert mine[ids].equals(theirs[ids]), f"field {number} has other cells"
        a, b = mine.to_numpy("float64"), theirs.to_numpy("float64")
        assert (np.isnan(a) == np.isnan(b)).all(), f"field {number} has other missing values"
        apart = np.nan_to_num(np.abs(a - b) / np.maximum(np.abs(b), 1e-12))
        cells, difference = cells + len(mine), max(difference, float(apart.max()))
    return cells, difference


def main() -> None:
    """Print seconds and ratios of both modes; exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=16)
    parser.add_argument("--mode", choices=["warm", "cold"], help="only this one")
    parser.add_argument("--side", choices=["ours", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    study = Study.load()
    if options.side:
        _, fields = find_fields(options.fields, options.scratch, study)
        run = run_ours if options.side == "ours" else run_plain
        seconds = run(fields, study, options.scratch, options.mode == "warm")
        (options.scratch / "seconds.json").write_text(json.dumps(seconds))
        return
    missed = False
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        source, _ = find_fields(options.fields, Path(scratch), study)
        print(
            f"{options.fields} {source} fields; {default_workers()} cores, {platform.machine()}; "
            f"Python {platform.python_version()}, {platform.system()}",
            flush=True,
        )
        print(
            f"{'mode':6}{'plain, s':>10}{'ours, s':>10}{'ratio':>8}{'target':>8}{'cells':>8}"
            f"{'largest relative difference':>30}",
            flush=True,
        )
        for mode in [options.mode] if options.mode else list(TARGETS):
            places = {side: Path(scratch) / f"{mode}-{side}" for side in ("plain", "ours")}
            took = {side: measure(side, mode, options.fields, places[side]) for side in places}
            cells, difference = compare(places["ours"], places["plain"], options.fields)
            ratio = took["plain"] / took["ours"]
            missed |= ratio < TARGETS[mode]
            print(
                f"{mode:6}{took['plain']:10.1f}{took['ours']:10.1f}{ratio:8.2f}"
                f"{TARGETS[mode]:8.1f}{cells:8d}{difference:30.1e}",
                flush=True,
            )
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
