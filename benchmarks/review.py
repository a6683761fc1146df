"""Making a review page of 200 cells, and whether it grows with the cells in the store.

``python -m benchmarks.review``. Studies in one store on SQLite, of 1,000 and of 20,000 cells that
two models have scored, in 16 fields of view; and, for comparison, of 20,000 cells in 320 fields, of
which a page opens ten times as many files. A page is chosen, made and registered, as
``autophagy review`` does it in its process; what reading the crops takes is taken off and printed
beside. Targets: at most 3 s beyond reading the crops; 20,000 cells at most 1.3 times 1,000 cells
in as many fields.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LIMIT_S, LIMIT_RATIO = 3.0, 1.3
FIELDS, MANY_FIELDS = 16, 320


def give_study(folder: Path, study: Any, n: int, fields: int) -> Any:
    """Register crops and scores of a study; gives a Dagster that knows of the scores."""
    import dagster as dg
    import numpy as np
    import pandas as pd

    from autophagy_assets.analysis.evidence.folds import SCHEMES
    from autophagy_assets.io_managers.parquet import write_table
    from autophagy_assets.registry.fields import study_slug
    from autophagy_assets.registry.provenance.recorder import Recorder, Step
    from autophagy_assets.staleness.materializations import HASH, UID
    from benchmarks.galleries import make_file

    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    random, slug = np.random.default_rng(0), study_slug(study)
    recorder = Recorder(Step("another lab", None, None, "by hand", "1"))
    each = n // fields
    crops = make_file(folder / "crops.h5ad", each).read_bytes()
    parts = []
    for number in range(fields):
        genotype, clone = ("WT", "KO")[number % 2], f"clone {number // 2 % 2}"
        output = recorder.put(
            # Another tail, so that each field is a file of its own.
            lambda path, tail=str(number): path.write_bytes(crops + tail.encode()),
            f"{slug}/given/{number}.h5ad",
            f"crops of field {number}",
            {"study": study.name},
        )
        code = number // 4 % 2
        identity = {"dataset": output.record.uid, "scportrait_cell_id": range(1, 2 * each, 2)}
        labels = {"class": code, "genotype": genotype, "stimulation": study.classes[code]}
        parts.append(pd.DataFrame({**identity, **labels, "clone": clone, "fov": f"FOV{number}"}))
    cells = pd.concat(parts, ignore_index=True)

    def store(asset: str, partition: str, write: Any) -> None:
        made = recorder.put(write, f"{slug}/made/{asset}/{partition}.x", asset, {})
        known = {UID: made.record.uid, HASH: made.record.sha256}
        event = dg.AssetMaterialization(asset, partition=partition, metadata=known)
        instance.report_runless_asset_event(event)

    def scored(genotype: str, model: str, scheme: str) -> pd.DataFrame:
        table = cells[cells["genotype"] == genotype]
        scores = {"score": random.random(len(table)), "prob_class1": random.random(len(table))}
        return table.assign(model=model, scheme=scheme, **scores)

    for name in (model.name for model in study.models):
        table = pd.concat([scored("WT", name, scheme) for scheme in SCHEMES], ignore_index=True)
        store("cross_validation", name, lambda path, table=table: write_table(table, path))
        store("autophagy_classifier", name, lambda path, name=name: path.write_text(name))
    table = pd.concat([scored("KO", model.name, "") for model in study.models], ignore_index=True)
    store("ko_predictions", "KO", lambda path: write_table(table, path))
    instance.add_dynamic_partitions("knockout", ["KO"])
    recorder.finish()
    return instance


def timed_page(instance: Any, study: Any, n: int, seed: int) -> tuple[float, float]:
    """Seconds of a page altogether, and of reading its crops."""
    from autophagy_assets.cli import review_page

    read, reading = review_page.fetch_all_channels, 0.0

    def fetch(*arguments: Any) -> Any:
        nonlocal reading
        start = time.perf_counter()
        crops = read(*arguments)
        reading = time.perf_counter() - start
        return crops

    vars(review_page)["fetch_all_channels"] = fetch
    try:
        start = time.perf_counter()
        review_page.make_page(instance, study, n, seed)
        return time.perf_counter() - start, reading
    finally:
        vars(review_page)["fetch_all_channels"] = read


def main() -> int:
    """Make pages of both studies in turn, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs=2, default=[1_000, 20_000])
    parser.add_argument("--shown", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    small, large = chosen.cells
    sizes = [(small, FIELDS), (large, FIELDS), (large, MANY_FIELDS)]
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOPHAGY_HOME"] = f"{folder}/home"
        from autophagy_assets.config.home import Home
        from autophagy_assets.config.study import Study

        Home.locate().prepare()
        named = {s: Study.load().model_copy(update={"name": f"study {s}"}) for s in sizes}
        known = {size: give_study(Path(folder), named[size], *size) for size in sizes}
        for repeat in range(chosen.repeats + 1):  # alternating, so that load hits all alike
            for size, study in named.items():
                seconds = timed_page(known[size], study, chosen.shown, repeat)
                if repeat:
                    taken[size].append(seconds)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    whole, beyond = {}, {}
    for (n, fields), pairs in taken.items():
        whole[n, fields] = statistics.median(total for total, _ in pairs)
        beyond[n, fields] = statistics.median(total - reading for total, reading in pairs)
        reading = statistics.median(reading for _, reading in pairs)
        print(
            f"page of {chosen.shown} of {n:>6,} cells in {fields:>3} fields: "
            f"{whole[n, fields]:.2f} s, of which {reading:.2f} s reading crops and "
            f"{beyond[n, fields]:.2f} s beyond (medians, n = {len(pairs)})"
        )
    ratio = whole[sizes[1]] / whole[sizes[0]]
    more = whole[sizes[2]] / whole[sizes[0]]
    print(
        f"at most {LIMIT_S} s beyond wanted; ratio {ratio:.2f}, at most {LIMIT_RATIO} wanted; "
        f"with more fields {more:.2f}"
    )
    return int(max(beyond.values()) > LIMIT_S or ratio > LIMIT_RATIO)


if __name__ == "__main__":
    sys.exit(main())
