"""The notebook's steps downstream of imaging, cold, against a plain script on the same tables.

``python -m benchmarks.downstream [--small] [--repeats N]``. Both sides are whole processes, imports
included. The study has the notebook's model alone. What the notebook does not have (evidence,
labels, effects, the figure of puncta, the page of all cells) is made in the same refresh; the
seconds of those steps are taken off, and given beside. What is left saves the figures that the
script saves, registers every artifact and writes a report. Target: no slower than the script (ratio
at most 1).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autophagy_assets.config.settings import STUDY_VARIABLE
from benchmarks.studies import images_of_a_study

FIGURES = {
    "class_gallery.png",
    "classifier_evaluation-as_published.png",
    "error_galleries-as_published.png",
    "ko_evaluation-EI24KO.png",
    "spatial_context.png",
    "wt_ko_gallery.png",
}

# Seconds of the steps that the notebook does not have.
MORE = """
import dagster as dg
from autophagy_assets.assets.catalog import group_of, study_assets
from autophagy_assets.config.home import dagster_instance
from autophagy_assets.staleness.materializations import SECONDS

instance, seconds = dagster_instance(), 0.0
MADE_BESIDE = ("marker_example", "cell_gallery")
for asset in study_assets():
    name = asset.key.to_user_string()
    if group_of(asset) in ("evidence", "labels", "effects") or name in MADE_BESIDE:
        for record in instance.fetch_materializations(asset.key, limit=1000).records:
            seconds += record.asset_materialization.metadata[SECONDS].value
print(seconds)
"""


def study_as_published(file: Path) -> Path:
    """Write the default study with the notebook's model alone."""
    import yaml

    from autophagy_assets.config.models import AS_PUBLISHED
    from autophagy_assets.config.study import DEFAULT_STUDY

    study = yaml.safe_load(DEFAULT_STUDY.read_text())
    (model,) = [model for model in study["models"] if model["name"] == AS_PUBLISHED]
    file.write_text(yaml.safe_dump(study | {"models": [model | {"primary": True}]}))
    return file


def prepare(images: Path, home: Path) -> None:
    """Ingest and image a study in a child process, so that this one stays clean."""
    code = (
        "from pathlib import Path\n"
        "from benchmarks.downstream import image_study\n"
        "if __name__ == '__main__':\n"
        f"    image_study(Path({str(images)!r}))\n"
    )
    script = home.with_suffix(".py")
    script.write_text(code)
    subprocess.run([sys.executable, str(script)], check=True, env=environment(home))


def image_study(images: Path) -> None:
    """Make single-cell images and cell features, and say where they are."""
    from autophagy_assets.automation.asset_definitions import asset_definitions
    from autophagy_assets.automation.launcher import run_requests
    from autophagy_assets.automation.requests import requests
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.cli.summary import stored
    from autophagy_assets.config.home import Home, dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.io_managers.parquet import read_table
    from autophagy_assets.registry.ingest.ingest import ingest
    from autophagy_assets.registry.store.artifacts import fetch
    from autophagy_assets.staleness.judge import Judge
    from autophagy_assets.staleness.materializations import HASH, UID
    from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS, genotype_of
    from autophagy_assets.staleness.plan import make_plan

    study, instance, defs = Study.load(), dagster_instance(), asset_definitions()
    ingest(images, study)
    sync(instance, study)
    plan = make_plan(Judge(instance, defs, study))
    samples = [
        (request, request.tags(plan))
        for request in requests(plan, plan.ready)
        if request.partitions_name == SAMPLE_PARTITIONS
    ]
    for _, errors in run_requests(samples, defs, instance, None):
        assert not errors, errors
    found: dict = {"tables": {}, "crops": {}, "stores": {}}
    for sample in sorted(instance.get_dynamic_partitions(SAMPLE_PARTITIONS)):
        table = stored(instance, "cell_features", sample, UID, HASH)
        manifest = stored(instance, "single_cell_images", sample, UID, HASH)
        assert table is not None and manifest is not None
        found["tables"].setdefault(genotype_of(sample), []).append(str(table))
        for row in read_table(manifest).to_dict("records"):
            found["crops"][row["dataset"]] = str(fetch(row["dataset"])[0])
            found["stores"][row["dataset"]] = str(fetch(row["spatialdata"])[0])
    (Home.locate().root / "plain.json").write_text(json.dumps(found))


def environment(home: Path) -> dict[str, str]:
    """Environment of a child process that works in a home, with byte code kept on both sides."""
    root = str(Path(__file__).resolve().parents[1])
    own = {"AUTOPHAGY_HOME": str(home), "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | own


def seconds_of_more(home: Path) -> float:
    """Seconds of the steps of a refresh that the notebook does not have."""
    done = subprocess.run(
        [sys.executable, "-c", MORE],
        check=True,
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def timed(command: list[str], env: dict[str, str]) -> float:
    """Wall time of a command, s."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="fields of 420 px with 12 cells")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    repeats = options.repeats
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        home, imaged = folder / "home", folder / "imaged"
        os.environ[STUDY_VARIABLE] = str(study_as_published(folder / "study.yaml"))
        prepare(images_of_a_study(folder / "images", options.small), home)
        shutil.copytree(home, imaged, symlinks=True)
        ours, plain, more = [], [], []
        # One uncounted round: byte code and disk caches are warm for both.
        for counted in [False] + [True] * repeats:
            shutil.rmtree(home)
            shutil.copytree(imaged, home, symlinks=True)  # paths in records stay valid
            refresh = [sys.executable, "-m", "autophagy_assets.cli", "refresh"]
            script = [sys.executable, "-m", "benchmarks.plain_study", str(home / "plain.json")]
            seconds = timed(refresh, environment(home))
            against = timed([*script, str(folder / "plain")], environment(home))
            beside = seconds_of_more(home)
            if counted:
                ours.append(seconds - beside)
                more.append(beside)
                plain.append(against)
        drawn = {p.name for p in (home / "report").glob("*.png")}
        assert {p.name for p in (folder / "plain").glob("*.png")} == FIGURES <= drawn, drawn
    ratios = [a / b for a, b in zip(ours, plain, strict=True)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; n = {repeats} pairs")
    print(f"the notebook's steps (cold) median {statistics.median(ours):6.1f} s")
    print(f"evidence and effects beside median {statistics.median(more):6.1f} s")
    print(f"plain script (cold)         median {statistics.median(plain):6.1f} s")
    print(
        f"ratio                       median {statistics.median(ratios):6.2f}   "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f}; target <= 1)"
    )
    print(f"largest process             {peak:6.1f} GiB")
    sys.exit(0 if statistics.median(ratios) <= 1 else 1)


if __name__ == "__main__":
    main()
