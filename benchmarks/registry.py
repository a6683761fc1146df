"""What it costs to store a small artifact, beyond writing its file.

``python -m benchmarks.registry``. A table of 50 cells is stored by the real IO manager in a
Dagster run on SQLite, in a study whose 1,000 samples all have their images registered.
*Storing* is the recorder's start, ``handle_output`` (file written, fsynced, hashed, renamed;
schema, labels, inputs and run registered) and what Dagster is given; Dagster's own runs and
events are not in it. The *bare write* is the same table written by pyarrow alone.
Targets: at most 0.15 s beyond the bare write; partition 1,000 at most 1.3 times partition 10.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT_S, LIMIT_RATIO = 0.15, 1.3
PARTITIONS, AROUND = 1000, 12


def samples(count: int) -> list[str]:
    """Partition keys of that many samples."""
    return [f"WT__clone-{number:04d}__untreated" for number in range(count)]


def register_images(keys: list[str]) -> None:
    """Register a small image of every sample, as an ingest does."""
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.provenance.recorder import Recorder, Step

    study = Study.load()
    recorder = Recorder(Step("ingest", None, None, "def ingest(): ...", "1"))
    for key in keys:
        for channel in study.channels:
            recorder.put(
                lambda path, text=key + channel: path.write_text(text),
                f"autophagy-imaging/raw_images/{key}/FOV1/{channel}.tif",
                f"raw image of {key}, {channel}",
                {
                    "study": study.name,
                    "genotype": "WT",
                    "cell_line_clone": key.split("__")[1].replace("-", " "),
                    "stimulation": "untreated",
                    "FOV": "FOV1",
                    "channel": channel,
                },
                kind="dataset",
            )
    recorder.finish()


def definitions() -> Any:
    """One partitioned asset that holds a small table."""
    import dagster as dg
    import numpy as np
    import pandas as pd

    from autophagy_assets.assets.definition import StudyResource, study_asset
    from autophagy_assets.io_managers.parquet import ParquetIOManager
    from autophagy_assets.staleness.partitions import samples as sample_partitions

    @study_asset(group="imaging", io="table_io", kinds=[], partitions=sample_partitions)
    def cell_features(context):
        """Cells of a sample."""
        random = np.random.default_rng(abs(hash(context.partition)))
        table = pd.DataFrame({f"DAPI_mean_{i}": random.normal(size=50) for i in range(57)})
        table.insert(0, "dataset", context.partition)
        table.insert(1, "scportrait_cell_id", np.arange(50))
        table.insert(2, "class", 0)
        return table

    return dg.Definitions(
        assets=[cell_features],
        resources={"study": StudyResource(), "table_io": ParquetIOManager()},
        executor=dg.in_process_executor,
    )


@contextmanager
def watched(times: dict[str, float]) -> Iterator[None]:
    """Sum up the time in storing and in writing, while the context lasts."""
    from autophagy_assets.io_managers import parquet
    from autophagy_assets.io_managers.base import LaminIOManager
    from autophagy_assets.registry.provenance.recorder import Recorder

    places: list[tuple[Any, str, str]] = [
        (Recorder, "start", "start"),
        (LaminIOManager, "handle_output", "storing"),
        (parquet, "write_table", "write"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]

    def timed(function: Any, entry: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                times[entry] = times.get(entry, 0.0) + time.perf_counter() - began

        return call

    for owner, name, entry in places:
        setattr(owner, name, timed(getattr(owner, name), entry))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def store(job: Any, instance: Any, partition: str) -> float:
    """Seconds that storing a partition took beyond writing its file."""
    times: dict[str, float] = {}
    with watched(times):
        done = job.execute_in_process(
            instance=instance,
            partition_key=partition,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    assert done.success
    return times["start"] + times["storing"] - times["write"]


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOPHAGY_HOME"] = str(Path(folder) / "home")
        from autophagy_assets.config.home import dagster_instance
        from autophagy_assets.registry.provenance.recorder import Recorder, Step
        from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS

        keys = samples(PARTITIONS)
        register_images(keys)
        job = definitions().resolve_implicit_global_asset_job_def()
        with dagster_instance() as instance:
            instance.add_dynamic_partitions(SAMPLE_PARTITIONS, keys)
            early = [store(job, instance, key) for key in keys[: AROUND + 5]][-AROUND:]
            # In between the records grow without Dagster's runs, which would take long.
            for key in keys[AROUND + 5 : -AROUND]:
                recorder = Recorder(Step("cell_features", key, "a run", "def body(): ...", "1"))
                recorder.put(
                    lambda path, text=key: path.write_text(text),
                    f"autophagy-imaging/imaging/cell_features/{key}.parquet",
                    "small",
                    {"study": "autophagy imaging", "genotype": "WT"},
                )
                recorder.finish()
            late = [store(job, instance, key) for key in keys[-AROUND:]]
    ten, thousand = statistics.median(early), statistics.median(late)
    worst, ratio = max(ten, thousand), thousand / ten
    print(f"storing a small artifact beyond the bare write, median of {AROUND}:")
    print(
        f"  partition 10 of 1,000: {ten * 1000:.0f} ms, partition 1,000: {thousand * 1000:.0f} ms"
    )
    print(f"  {worst:.3f} s, target {LIMIT_S} s: {'met' if worst <= LIMIT_S else 'MISSED'}")
    print(
        f"  ratio {ratio:.2f}, target {LIMIT_RATIO}: {'met' if ratio <= LIMIT_RATIO else 'MISSED'}"
    )
    return int(worst > LIMIT_S or ratio > LIMIT_RATIO)


if __name__ == "__main__":
    sys.exit(main())
