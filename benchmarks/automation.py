"""What watching and orchestrating cost, beside the work itself.

``python -m benchmarks.automation [--samples N]``. Watching: 1,000 samples have their images in
LaminDB; looking for what is new in LaminDB (``sync``) and a whole look of the sensor
``refresh_on_change`` (a tick) are timed, when everything is new to them and when nothing is.
What the sensor asks for is not launched. Orchestrating: a small simulated study is
analysed in this process by the runs of a refresh; overhead is what they take beyond the bodies
of the assets, loading and storing. Dagster keeps its records in SQLite.
Targets: each look and tick with nothing new at most 5 s; 10,000 partitions can be added; an
overhead of at most 0.5 s per asset.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT_S, LIMIT_OVERHEAD_S = 5.0, 0.5
SAMPLES, PARTITIONS, REPEATS = 1_000, 10_000, 3


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of a call, s."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def watch(count: int) -> dict[str, Any]:
    """Time looks and ticks with that many samples, and adding partitions."""
    import dagster as dg

    from autophagy_assets.automation.sensors import define_refresh_on_change
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.definitions import build_defs
    from autophagy_assets.staleness.judge import Judge
    from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS, fill
    from autophagy_assets.staleness.plan import make_plan
    from benchmarks.registry import register_images, samples

    warnings.filterwarnings("ignore")
    study, defs, asked = Study.load(), build_defs(), 0

    def tick() -> None:
        nonlocal asked
        resources = {"study": (defs.resources or {})["study"]}
        context = dg.build_sensor_context(instance=instance, resources=resources)
        asked = len(getattr(define_refresh_on_change()(context), "run_requests", None) or ())

    with dagster_instance() as instance:
        register_images(samples(count))
        found: dict[str, Any] = {"first look": seconds(lambda: sync(instance, study))}
        found["first tick"], found["asked"] = seconds(tick), asked
        found["look"] = statistics.median(
            seconds(lambda: sync(instance, study)) for _ in range(REPEATS)
        )
        found["tick"] = statistics.median(seconds(tick) for _ in range(REPEATS))
        found["plan"] = seconds(lambda: make_plan(Judge(instance, defs, study)))
        keys = {f"WT__clone-{number:05d}__untreated" for number in range(PARTITIONS)}
        present = set(instance.get_dynamic_partitions(SAMPLE_PARTITIONS))
        found["adding"] = seconds(lambda: fill(instance, study, keys | present, set()))
        found["partitions"] = len(set(instance.get_dynamic_partitions(SAMPLE_PARTITIONS)) - present)
    return found


@contextmanager
def own_work(times: list[float]) -> Iterator[None]:
    """Sum up the time in bodies, loading and storing, while the context lasts."""
    from autophagy_assets.io_managers import steps

    plain, depth = steps.non_retryable, 0

    @contextmanager
    def timed_once() -> Iterator[None]:
        nonlocal depth
        depth, began = depth + 1, time.perf_counter()
        try:
            with plain():
                yield
        finally:
            depth -= 1
            if not depth:  # a body may load, which is within its own time
                times.append(time.perf_counter() - began)

    steps.non_retryable = timed_once
    try:
        yield
    finally:
        steps.non_retryable = plain


def orchestrate() -> dict[str, Any]:
    """Image a small study, then time its analysis beyond the assets' own work."""
    from autophagy_assets.automation.launcher import run_request
    from autophagy_assets.automation.requests import requests
    from autophagy_assets.config.home import Home, dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.definitions import build_defs
    from autophagy_assets.simulation import simulate
    from autophagy_assets.staleness.judge import Judge
    from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS
    from autophagy_assets.staleness.plan import make_plan
    from benchmarks.downstream import image_study

    folder = Home.locate().root.with_name("simulated")  # a home takes nothing that it did not make
    simulate(folder, size=420, cells_per_field=12, fields_per_sample=1)
    image_study(folder)
    study, defs, made, times = Study.load(), build_defs(), 0, list[float]()
    with dagster_instance(capture=False) as instance:
        plan = make_plan(Judge(instance, defs, study))
        planned = requests(plan, plan.ready)
        assert not [request for request in planned if request.partitions_name == SAMPLE_PARTITIONS]
        began = time.perf_counter()
        with own_work(times):
            for request in planned:
                errors = run_request(request, request.tags(plan), defs, instance)
                assert not errors, errors
                made += len(request.targets)
        whole = time.perf_counter() - began
    return {"assets": made, "runs": len(planned), "whole": whole, "own": sum(times)}


def child(part: str, count: int) -> dict[str, Any]:
    """Run a part in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"AUTOPHAGY_HOME": str(Path(folder) / "home")}
        command = [sys.executable, "-m", "benchmarks.automation", "--part", part]
        done = subprocess.run(
            [*command, "--samples", str(count)],
            check=True,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--part", choices=["watch", "orchestrate"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        found = watch(options.samples) if options.part == "watch" else orchestrate()
        print("\n" + json.dumps(found))
        return 0
    seen, done = child("watch", options.samples), child("orchestrate", options.samples)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, SQLite")
    print(f"{options.samples:,} samples, nothing new (median of {REPEATS}):")
    for what in ("look", "tick"):
        met = "met" if seen[what] <= LIMIT_S else "MISSED"
        print(f"  {what} {seen[what]:.2f} s, target {LIMIT_S} s: {met}")
    print(
        f"all of them new: look {seen['first look']:.1f} s, tick {seen['first tick']:.1f} s, "
        f"which asks for {seen['asked']:,}; what 'autophagy status' plans: {seen['plan']:.1f} s"
    )
    added = seen["partitions"] == PARTITIONS
    print(
        f"adding {PARTITIONS:,} partitions {seen['adding']:.1f} s: {'met' if added else 'MISSED'}"
    )
    each = (done["whole"] - done["own"]) / done["assets"]
    print(
        f"analysis of {done['assets']} assets in {done['runs']} runs: {done['whole']:.1f} s, "
        f"{done['own']:.1f} s of it their own work"
    )
    met = "met" if each <= LIMIT_OVERHEAD_S else "MISSED"
    print(f"  overhead per asset {each:.2f} s, target {LIMIT_OVERHEAD_S} s: {met}")
    slow = max(seen["look"], seen["tick"]) > LIMIT_S
    return int(slow or not added or each > LIMIT_OVERHEAD_S)


if __name__ == "__main__":
    sys.exit(main())
