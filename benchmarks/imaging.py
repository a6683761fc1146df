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
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.compute.pool import default_workers, map_fields
from autophagy_assets.config.study import Study

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"warm": 1.7, "cold": 1.4}
Images = Mapping[str, Path]


@dataclass(frozen=True)
class Job:
    """One field to image; ``crowd`` processes wait for each other after a warming-up field."""

    number: int
    images: Images
    crowd: int = 0


@dataclass(frozen=True)
class Seconds:
    """Time on the clock, and of all processors that worked: the machine may have other work."""

    clock: float
    cpu: float


def find_fields(count: int, scratch: Path, study: Study) -> tuple[str, list[Images]]:
    """Give the images of ``count`` fields: the real ones, repeated, or simulated ones."""
    real = Path(os.environ.get("AUTOPHAGY_REAL_DATA", ROOT / "../shared/data/autophagy_fov1"))
    source = "real"
    if not (real / "metadata_files.csv").exists():
        from autophagy_assets.simulation import simulate

        real, source = scratch / "simulated", "simulated"
        if not real.exists():
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

    from autophagy_assets.analysis.imaging.project import project_config

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


def our_field(job: Job, study: Study, scratch: Path) -> tuple[float, float, float, pd.DataFrame]:
    """Image one field with the platform; give begin, end, CPU seconds and the features."""
    from autophagy_assets.analysis.imaging.featurization import featurize
    from autophagy_assets.analysis.imaging.segmentation import process_field

    begin, cpu = time.monotonic(), time.process_time()
    result = process_field(job.images, study, scratch / str(job.number))
    table = featurize(result.single_cells, study)
    end, cpu = time.monotonic(), time.process_time() - cpu
    if job.crowd:
        (scratch / f"warm-{os.getpid()}").touch()
        while len(list(scratch.glob("warm-*"))) < job.crowd:
            time.sleep(0.05)
    return begin, end, cpu, table


def run_ours(fields: Sequence[Images], study: Study, scratch: Path, warm: bool) -> Seconds:
    """Image all fields in ``default_workers()`` processes; give the time of the fields."""
    workers = default_workers()
    jobs = [Job(-1 - n, fields[n], workers) for n in range(workers)] if warm else []
    jobs += [Job(number, images) for number, images in enumerate(fields)]
    times = []
    for job, outcome in map_fields(partial(our_field, study=study, scratch=scratch), jobs, workers):
        if isinstance(outcome, Exception):
            raise outcome
        begin, end, cpu, table = outcome
        if job.number >= 0:
            times.append((begin, end, cpu))
            table.to_parquet(scratch / f"{job.number}.parquet")
    begins, ends, cpus = zip(*times, strict=True)
    return Seconds(max(ends) - min(begins), sum(cpus))


def run_plain(fields: Sequence[Images], study: Study, scratch: Path, warm: bool) -> Seconds:
    """Image all fields one after the other with scPortrait alone; give the time of the fields."""
    import scportrait.pipeline.project  # noqa: F401

    if warm:
        plain_field(fields[0], study, scratch / "warm")
    begin, cpu = time.monotonic(), time.process_time()
    for number, images in enumerate(fields):
        table = plain_field(images, study, scratch / str(number))
        table.to_parquet(scratch / f"{number}.parquet")
    return Seconds(time.monotonic() - begin, time.process_time() - cpu)


def measure(side: str, mode: str, images: Path, scratch: Path) -> Seconds:
    """Run one side in its own process; give the time that counts for the mode."""
    scratch.mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.imaging", "--side", side]
    command += ["--mode", mode, "--images", str(images), "--scratch", str(scratch)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(scratch / "numba")}
    begin, cpu = time.monotonic(), _cpu_of_children()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    whole = Seconds(time.monotonic() - begin, _cpu_of_children() - cpu)
    if done.returncode:
        raise SystemExit(f"{side}, {mode}, failed:\n{done.stderr[-3000:]}")
    if mode == "cold":
        return whole
    return Seconds(**json.loads((scratch / "seconds.json").read_text()))


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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
    """Print times and ratios of both modes; exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=16)
    parser.add_argument("--mode", choices=list(TARGETS), help="only this one")
    for hidden in ("--side", "--images", "--scratch"):
        parser.add_argument(hidden, type=str, help=argparse.SUPPRESS)
    options = parser.parse_args()
    study = Study.load()
    if options.side:
        _run_side(options, study)
        return
    modes = [options.mode] if options.mode else list(TARGETS)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        missed = [not _run_mode(mode, options.fields, study, Path(scratch)) for mode in modes]
    sys.exit(int(any(missed)))


def _run_side(options: argparse.Namespace, study: Study) -> None:
    scratch = Path(options.scratch)
    listed = json.loads(Path(options.images).read_text())
    fields = [{name: Path(path) for name, path in images.items()} for images in listed]
    run = run_ours if options.side == "ours" else run_plain
    seconds = run(fields, study, scratch, options.mode == "warm")
    (scratch / "seconds.json").write_text(json.dumps(asdict(seconds)))


def _run_mode(mode: str, count: int, study: Study, scratch: Path) -> bool:
    source, fields = find_fields(count, scratch, study)
    listed = scratch / f"{mode}.json"
    listed.write_text(json.dumps([{n: str(path) for n, path in i.items()} for i in fields]))
    places = {side: scratch / f"{mode}-{side}" for side in ("plain", "ours")}
    plain, ours = (measure(side, mode, listed, place) for side, place in places.items())
    cells, difference = compare(places["ours"], places["plain"], count)
    ratio = plain.clock / ours.clock
    print(
        f"{mode}: {ratio:.2f} times as fast (target {TARGETS[mode]}); plain {plain.clock:.0f} s "
        f"(CPU {plain.cpu:.0f} s), ours {ours.clock:.0f} s (CPU {ours.cpu:.0f} s); {count} "
        f"{source} fields, {cells} cells, features differ by {difference:.0e} at most; "
        f"{default_workers()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}",
        flush=True,
    )
    return ratio >= TARGETS[mode]


if __name__ == "__main__":
    main()
