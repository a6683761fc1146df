"""Looking at 40 times the fields of view: how much longer it takes, in one run.

``python -m benchmarks.planning [--fields N M] [--per-sample K]``. Images are registered as an
ingest leaves them, by writing the records of one field again and again into LaminDB's tables; all
files are copies of one. Nothing is imaged. Timed with everything new to Dagster, and with nothing
new (median of 3), in seconds of the processor, so that other work on the machine does not count:
*look* is what ``sync`` compares, *plan* what the judge says of every partition,
*tick* the whole look of the sensor ``refresh_on_change``. SQLite, each size in a process and a
home of its own.
Targets: with 40 times the fields at most 45 times as long, and at most 10 s with nothing new.
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
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FIELDS, PER_SAMPLE, REPEATS = (2_500, 100_000), 250, 3
LIMIT_RATIO, LIMIT_S = 45.0, 10.0
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
AT_ONCE = 20_000


def register_fields(count: int, per_sample: int) -> None:
    """Register images of many fields, as an ingest would have left them."""
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.store.instance import connect, storage_root, writing
    from benchmarks.registry import register_images

    study = Study.load()
    register_images(["WT__clone-0000__untreated"])
    ln = connect()
    templates = list(ln.Artifact.filter(description__icontains="raw image").order_by("id"))
    root = storage_root()
    original = root / templates[0]._real_key
    rows, links = [], []
    first = max(template.id for template in templates) + 1
    names: dict[str, int] = {}

    def label(name: str) -> int:
        if name not in names:
            from autophagy_assets.registry.store.labels import find_label

            with writing() as inside:
                names[name] = find_label(inside, name).id
        return names[name]

    for number, (genotype, clone, stimulation, fov) in enumerate(places(count, per_sample, study)):
        sample = "__".join((genotype, clone, stimulation)).replace(" ", "-")
        for place, channel in enumerate(study.channels):
            identity = first + number * len(study.channels) + place
            key = f"autophagy-imaging/raw_images/{sample}/{fov}/{channel}"
            (root / key).mkdir(parents=True)
            shutil.copy2(original, root / key)  # with the time of change that was registered
            rows.append((identity, f"{key}.tif", f"{key}/{original.name}", templates[0].id))
            for name in (study.name, genotype, clone, stimulation, fov, channel):
                links.append((identity, label(name)))
    write_rows(rows, links, templates[0].id, label)


def places(count: int, per_sample: int, study: Any) -> Iterator[tuple[str, str, str, str]]:
    """Genotype, clone, stimulation and field of view of each field."""
    for number in range(count):
        sample, fov = divmod(number, per_sample)
        genotype = (study.control, "EI24KO")[sample % 4 // 2]
        clone = f"clone {1 + sample // 4:04d}"
        yield genotype, clone, study.classes[sample % 2], f"FOV{fov + 1:04d}"


def write_rows(rows: list[Any], links: list[Any], template: int, label: Any) -> None:
    """Write copies of an artifact with other keys and labels into LaminDB's tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM lamindb_artifact WHERE id = %s", [template])
        artifact = dict(zip((c[0] for c in cursor.description), cursor.fetchone(), strict=True))
        cursor.execute("SELECT * FROM lamindb_artifactulabel WHERE artifact_id = %s", [template])
        link_columns = [c[0] for c in cursor.description]
        link = dict(zip(link_columns, cursor.fetchone(), strict=True))
        # Which kind of label a label is, as the original has it or as its place says.
        cursor.execute("SELECT f.name, f.id FROM lamindb_feature f")
        kinds = dict(cursor.fetchall())
        cursor.execute("SELECT max(id) FROM lamindb_artifactulabel")
        next_link = cursor.fetchone()[0] + 1
    order = ("study", "genotype", "cell_line_clone", "stimulation", "FOV", "channel")
    uid = artifact["uid"]

    def artifacts() -> Iterator[list[Any]]:
        for identity, key, real_key, _ in rows:
            own = {"id": identity, "uid": short(identity) + uid[8:], "key": key}
            own |= {"_real_key": real_key, "hash": short(identity) + artifact["hash"][8:]}
            yield list((artifact | own).values())

    def labelled() -> Iterator[list[Any]]:
        for number, (identity, ulabel) in enumerate(links):
            own = {"id": next_link + number, "artifact_id": identity, "ulabel_id": ulabel}
            own["feature_id"] = kinds[order[number % len(order)]]
            yield list((link | own).values())

    insert("lamindb_artifact", list(artifact), artifacts())
    insert("lamindb_artifactulabel", link_columns, labelled())


def insert(table: str, columns: list[str], rows: Iterator[list[Any]]) -> None:
    """Insert rows, many at once."""
    from itertools import islice

    from django.db import connection, transaction

    named = ", ".join(f'"{column}"' for column in columns)
    text = f"INSERT INTO {table} ({named}) VALUES ({', '.join(['%s'] * len(columns))})"
    with transaction.atomic(), connection.cursor() as cursor:
        while some := list(islice(rows, AT_ONCE)):
            cursor.executemany(text, some)


def short(number: int) -> str:
    """8 characters that name a number."""
    text = ""
    for _ in range(8):
        number, digit = divmod(number, len(DIGITS))
        text += DIGITS[digit]
    return text


def watch(fields: int, per_sample: int) -> dict[str, float]:
    """Seconds of looks, plans and ticks with so many fields."""
    import dagster as dg

    from autophagy_assets.automation.sensors import define_refresh_on_change
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.definitions import build_defs
    from autophagy_assets.staleness.judge import Judge
    from autophagy_assets.staleness.plan import make_plan

    warnings.filterwarnings("ignore")
    study, defs = Study.load(), build_defs()

    def tick() -> None:
        resources = {"study": (defs.resources or {})["study"]}
        context = dg.build_sensor_context(instance=instance, resources=resources)
        define_refresh_on_change()(context)

    with dagster_instance() as instance:
        found = {"registering": seconds(lambda: register_fields(fields, per_sample))}
        found["look, all new"] = seconds(lambda: sync(instance, study))
        found["tick, all new"] = seconds(tick)
        for name, act in {
            "look": lambda: sync(instance, study),
            "plan": lambda: make_plan(Judge(instance, defs, study)),
            "tick": tick,
        }.items():
            found[name] = statistics.median(seconds(act) for _ in range(REPEATS))
    return found


def seconds(function: Callable[[], Any]) -> float:
    """Time of the processor that a call takes, s."""
    began = time.process_time()
    function()
    return time.process_time() - began


def child(fields: int, per_sample: int) -> dict[str, float]:
    """Measure in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"AUTOPHAGY_HOME": str(Path(folder) / "home")}
        command = [sys.executable, "-m", "benchmarks.planning", "--part", str(fields)]
        done = subprocess.run(
            [*command, "--per-sample", str(per_sample)],
            check=True,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, nargs=2, default=FIELDS)
    parser.add_argument("--per-sample", type=int, default=PER_SAMPLE)
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print("\n" + json.dumps(watch(options.part, options.per_sample)))
        return 0
    few, many = options.fields
    small, large = (child(fields, options.per_sample) for fields in (few, many))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, SQLite")
    print(f"{few:,} and {many:,} fields of view, {options.per_sample} in each sample:")
    most, missed = LIMIT_RATIO * many / few / 40, False
    for name in ("look, all new", "tick, all new", "look", "plan", "tick"):
        ratio = large[name] / small[name]
        slow = ratio > most or (", all" not in name and large[name] > LIMIT_S)
        missed |= slow
        print(
            f"  {name:13} {small[name]:7.2f} s and {large[name]:7.2f} s, ratio {ratio:5.1f}, "
            f"target {most:.0f}: {'MISSED' if slow else 'met'}"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
