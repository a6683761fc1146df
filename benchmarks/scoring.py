"""Scoring many cells through the asset, against ``predict_proba`` of such cells in memory.

``python -m benchmarks.scoring [--cells N]``. The table of a knockout with 60 features is stored as
the platform stores it, and a forest of 100 trees. *Through the asset*: the Dagster run that makes
``ko_predictions``, from parquet to parquet, registered with labels and lineage. *Bare*: one call
of the forest's ``predict_proba`` with the table as pandas reads it, which is in memory already; of
at most 2,000,000 cells, as ten million take 15 GB, and the time is taken in proportion. *Bare, row
by row*: the same values as the asset hands them to the forest, which reads them faster so; no
target. The forest has one thread on each side, as in the study. Each side in a process of
its own; seconds are those of the clock, and those of the processor are printed beside.
Targets for 10,000,000 cells: at most 1.15 times as long as bare, and at most 1 GB of memory.
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
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CELLS, FEATURES, LEARNED, IN_MEMORY = 10_000_000, 60, 20_000, 2_000_000
LIMIT_RATIO, LIMIT_GB = 1.15, 1.0
MODEL, KNOCKOUT = "as_published", "KO"


def cells(count: int, genotype: str, stimulations: list[str], seed: int) -> Iterator[Any]:
    """Cells with features, in pieces of a row group."""
    import numpy as np
    import pandas as pd

    from autophagy_assets.io_managers.parquet import ROW_GROUP

    random = np.random.default_rng(seed)
    for begin in range(0, count, ROW_GROUP):
        n = min(ROW_GROUP, count - begin)
        classes = random.integers(0, 2, n)
        values = random.normal(size=(n, FEATURES)) + 0.3 * classes[:, None]
        table = pd.DataFrame(values, columns=[f"DAPI_mean_{i}" for i in range(FEATURES)])
        known = {
            "dataset": f"{genotype}{begin:012d}",
            "scportrait_cell_id": np.arange(n),
            "class": classes,
            "genotype": genotype,
            "stimulation": np.array(stimulations, dtype=object)[classes],
            "clone": f"clone {begin % 2 + 1}",
            "fov": "FOV1",
        }
        yield pd.concat([pd.DataFrame(known), table], axis=1)


def definitions(count: int) -> Any:
    """The asset that is timed, and what it is made from."""
    import dagster as dg
    import pandas as pd

    from autophagy_assets.analysis.classifier.classification import train
    from autophagy_assets.assets.definition import StudyResource, study_asset
    from autophagy_assets.assets.knockouts import ko_predictions
    from autophagy_assets.io_managers.joblib import JoblibIOManager
    from autophagy_assets.io_managers.parquet import ParquetIOManager
    from autophagy_assets.io_managers.pieces import TablePieces
    from autophagy_assets.staleness.partitions import genotypes, models

    @study_asset(group="features", io="table_io", kinds=[], partitions=genotypes)
    def model_features(context):
        """Cells of a genotype."""
        classes = list(context.study.classes.values())
        return TablePieces(count, cells(count, context.partition, classes, 1))

    @study_asset(group="classifier", io="model_io", kinds=[], partitions=models)
    def autophagy_classifier(context):
        """Forest of other cells."""
        table = pd.concat(cells(LEARNED, "WT", list(context.study.classes.values()), 2))
        return train(table.reset_index(drop=True), context.study.model(context.partition), "1")

    return dg.Definitions(
        assets=[model_features, autophagy_classifier, ko_predictions],
        resources={
            "study": StudyResource(),
            "table_io": ParquetIOManager(),
            "model_io": JoblibIOManager(),
        },
        executor=dg.in_process_executor,
    )


def make(asset: str, partition: str, count: int) -> dict[str, float]:
    """Make an asset in a Dagster run; seconds, and peak memory in GB."""
    import dagster as dg

    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.staleness.partitions import (
        GENOTYPE_PARTITIONS,
        KNOCKOUT_PARTITIONS,
        MODEL_PARTITIONS,
    )

    warnings.filterwarnings("ignore")
    job = definitions(count).resolve_implicit_global_asset_job_def()
    with dagster_instance() as instance:
        for name in (GENOTYPE_PARTITIONS, KNOCKOUT_PARTITIONS):
            instance.add_dynamic_partitions(name, [KNOCKOUT])
        instance.add_dynamic_partitions(MODEL_PARTITIONS, [MODEL])
        began, used = time.perf_counter(), time.process_time()
        done = job.execute_in_process(
            instance=instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(asset)],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert done.success
        return measured(began, used)


def bare(count: int, by_row: bool) -> dict[str, float]:
    """Predict cells that are in memory, feature after feature or row by row."""
    import dagster as dg
    import joblib
    import numpy as np
    import pandas as pd

    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.io_managers.parquet import stream_table
    from autophagy_assets.registry.store.artifacts import fetch
    from autophagy_assets.staleness.materializations import UID, latest

    with dagster_instance() as instance:
        path = {
            asset: fetch(found.metadata[UID])[0]
            for asset, key in (("model_features", KNOCKOUT), ("autophagy_classifier", MODEL))
            if (found := latest(instance, dg.AssetKey(asset), key)) is not None
        }
    model = joblib.load(path["autophagy_classifier"])
    pieces, kept = [], 0
    for piece in stream_table(path["model_features"], list(model.feature_names)):
        pieces.append(piece)
        if (kept := kept + len(piece)) >= IN_MEMORY:
            break
    values = pd.concat(pieces, ignore_index=True)
    del pieces, piece
    if by_row:
        rows = np.ascontiguousarray(values, dtype=np.float32)
        values = pd.DataFrame(rows, columns=values.columns, copy=False)
    began, used = time.perf_counter(), time.process_time()
    assert len(model.estimator.predict_proba(values)) == kept
    timed = measured(began, used)
    return timed | {name: timed[name] * count / kept for name in ("seconds", "core_seconds")}


def measured(began: float, used: float) -> dict[str, float]:
    """Seconds of the clock and of the processor since then, and peak memory in GB."""
    return {
        "seconds": time.perf_counter() - began,
        "core_seconds": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        asset, partition = options.part
        if asset == "bare":
            found = bare(options.cells, by_row=bool(partition))
        else:
            found = make(asset, partition, options.cells)
        print("\n" + json.dumps(found))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"AUTOPHAGY_HOME": str(Path(folder) / "home")}

        def child(*part: str) -> dict[str, float]:
            command = [sys.executable, "-m", "benchmarks.scoring", "--cells", str(options.cells)]
            done = subprocess.run(
                [*command, "--part", *part],
                check=True,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            return json.loads(done.stdout.splitlines()[-1])

        child("model_features", KNOCKOUT)
        child("autophagy_classifier", MODEL)
        ours, plain = child("ko_predictions", KNOCKOUT), child("bare", "")
        rows = child("bare", "row by row")
    ratio, peak = ours["seconds"] / plain["seconds"], ours["peak_gb"]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"scoring {options.cells:,} cells x {FEATURES} features:")
    for name, one in (("through the asset", ours), ("bare", plain), ("bare, row by row", rows)):
        print(
            f"  {name:17} {one['seconds']:.1f} s ({one['core_seconds']:.1f} s of the processor), "
            f"peak {one['peak_gb']:.2f} GB"
        )
    said = "met" if ratio <= LIMIT_RATIO else "MISSED"
    print(f"  ratio {ratio:.2f}, target {LIMIT_RATIO}: {said}")
    for name, key in (("clock", "seconds"), ("processor", "core_seconds")):
        to_plain, to_rows = ours[key] / plain[key], ours[key] / rows[key]
        print(f"  ratio of the {name} {to_plain:.2f}, to bare row by row {to_rows:.2f}")
    print(f"  peak {peak:.2f} GB, target {LIMIT_GB}: {'met' if peak <= LIMIT_GB else 'MISSED'}")
    return int(ratio > LIMIT_RATIO or peak > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
