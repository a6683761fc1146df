"""A study made from scratch, in a child of a fork server: what there ought to be.

Nothing here decides what is out of date: every asset is made once, in the order in which they
depend on each other. Dagster keeps its records in memory, which is faster.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from autophagy_assets_tests.reliability.commands import REPORT, run, seen_of

# Parts of the study that make the content of a field of view.
_IMAGING = ("segmentation", "channels", "nucleus_channel", "cytosol_channel")


def make(number: int, folder: str, fields_kept_in: str) -> dict[str, Any]:
    """Ingest a folder into an empty home and make every asset once; gives what there is."""
    import dagster as dg

    done = run(number, ["ingest", folder])
    assert done["code"] == 0, done
    _keep_fields(Path(fields_kept_in))
    from autophagy_assets.automation.asset_definitions import asset_definitions
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.config.study import Study
    from autophagy_assets.staleness.upstream import partitions_name

    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    sync(instance, Study.load())
    graph = asset_definitions().resolve_asset_graph()
    made = [
        key
        for key in graph.toposorted_asset_keys
        if key in graph.materializable_asset_keys and key.to_user_string() != REPORT
    ]
    # Without checks, which make no content.
    job = dg.Definitions(
        assets=[graph.assets_def_for_key(key) for key in made],
        executor=dg.in_process_executor,
    ).resolve_implicit_global_asset_job_def()
    named = {key: partitions_name(graph.get(key).partitions_def) for key in made}
    for name, selected in _in_few_runs(made, named, lambda key: graph.get(key).parent_keys):
        for partition in sorted(instance.get_dynamic_partitions(name)) if name else [None]:
            job.execute_in_process(
                instance=instance,
                partition_key=partition,
                asset_selection=selected,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    return seen_of(instance)


def _in_few_runs(
    ordered: list[Any], named: dict[Any, str | None], parents: Callable[[Any], Iterable[Any]]
) -> Iterator[tuple[str | None, list[Any]]]:
    """Divide assets so that each run has many: a run takes longer to begin than most of its steps.

    Each group is of one kind of partitions, and comes after all that it depends on.
    """
    left = list(ordered)
    while left:
        groups: dict[str | None, list[Any]] = {name: [] for name in named.values()}
        for key in left:
            group = groups[named[key]]
            if not (set(parents(key)) & set(left)).difference(group):
                group.append(key)
        name, largest = max(groups.items(), key=lambda item: len(item[1]))
        yield name, largest
        left = [key for key in left if key not in largest]


def _keep_fields(folder: Path) -> None:
    """Let scPortrait image each field once for all homes that are made from scratch.

    What comes out depends on the images and the study alone, and takes most of the time. Nothing
    of the home under test is ever among it.
    """
    from autophagy_assets.analysis.imaging import segmentation

    process = segmentation.process_field

    def process_once(images: Any, study: Any, out: Path) -> Any:
        settings = study.model_dump_json(include=set(_IMAGING))
        name = hashlib.sha256(settings.encode())
        for channel in sorted(images):
            name.update(channel.encode() + Path(images[channel]).read_bytes())
        kept = folder / name.hexdigest()[:20]
        if not kept.exists():
            done = process(images, study, out)
            beside = folder / f"{kept.name}.{os.getpid()}"
            shutil.copytree(out, beside)
            (beside / "result").write_bytes(pickle.dumps((done, out)))
            with contextlib.suppress(OSError):  # somebody else was faster
                beside.rename(kept)
            return done
        done, made_in = pickle.loads((kept / "result").read_bytes())
        shutil.copytree(kept, out, ignore=shutil.ignore_patterns("result"))
        moved = {
            name: out / Path(path).relative_to(made_in)
            for name, path in vars(done).items()
            if isinstance(path, Path)
        }
        return type(done)(**{**vars(done), **moved})

    segmentation.process_field = process_once
