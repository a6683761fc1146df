"""The command line, run in a child of a fork server, and what it leaves behind."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

# Built from the study file when it is imported, so that each command has to import it anew.
PER_COMMAND = "autophagy_assets.definitions"
REPORT = "study_report"


def run(number: int, arguments: list[str]) -> dict[str, Any]:
    """Run a command of ``autophagy``; its exit code and what it printed."""
    from autophagy_assets.cli.main import main
    from autophagy_assets.compute import fork_server

    # This process has imported scPortrait and has one thread, as a worker that images a sample.
    fork_server._forked = True
    printed = io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main(arguments, standalone_mode=False)
        except SystemExit as end:
            code = end.code or 0
    return {"code": code, "said": printed.getvalue()[-3000:]}


def refresh(number: int) -> dict[str, Any]:
    """Refresh; gives what :func:`run` gives, and what there is then."""
    done = run(number, ["refresh"])
    return done | {"seen": look(number)}


def imported(number: int) -> list[str]:
    """Refresh; gives the names of the modules that it takes, those of ``PER_COMMAND`` apart."""
    done = run(number, ["refresh"])
    assert done["code"] == 0, done
    # Some name modules that are made at run time, and cannot be imported by that name.
    return sorted(
        name
        for name, module in sys.modules.items()
        if name not in (PER_COMMAND, "__main__")
        and getattr(getattr(module, "__spec__", None), "name", None) == name
    )


def steps(number: int) -> list[str]:
    """Steps of all runs that there have been, those of processes that image samples among them."""
    from autophagy_assets.automation.asset_definitions import asset_definitions
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets_tests.executed import steps_of

    with dagster_instance() as instance:
        return steps_of(instance, asset_definitions())


def look(number: int) -> dict[str, Any]:
    """What there is of a study: what is out of date, and all contents by their hashes."""
    from autophagy_assets.config.home import dagster_instance

    with dagster_instance() as instance:
        return seen_of(instance) | {"out of date": _out_of_date(instance)}


def seen_of(instance: Any) -> dict[str, Any]:
    """All contents by their hashes, what is registered, and what is not whole."""
    contents, faults = _contents(instance)
    return {"contents": contents, "registered": _registered(), "faults": faults}


def _out_of_date(instance: Any) -> dict[str, str]:
    """Target to why it is to be made, or waits; the only place that asks the platform's judge."""
    from autophagy_assets.automation import next_runs

    plan = next_runs.look(instance, None).plan
    return {str(t): reason for t, reason in plan.ready.items()} | {
        str(t): "waits" for t in plan.waiting
    }


def _contents(instance: Any) -> tuple[dict[str, list[Any]], list[str]]:
    """Hashes of what every target was made to, and targets whose file is not that."""
    from autophagy_assets.automation.asset_definitions import asset_definitions
    from autophagy_assets.registry.store.artifacts import fetch
    from autophagy_assets.staleness.materializations import HASH, TABLE_HASH, TABLE_UID, UID, latest
    from autophagy_assets.staleness.upstream import partitions_name

    graph = asset_definitions().resolve_asset_graph()
    contents: dict[str, list[Any]] = {}
    faults = []
    for key in graph.materializable_asset_keys:
        named = partitions_name(graph.get(key).partitions_def)
        for partition in instance.get_dynamic_partitions(named) if named else [None]:
            target = f"{key.to_user_string()}[{partition or ''}]".removesuffix("[]")
            found = latest(instance, key, partition)
            names = [] if found is None else [UID, HASH, TABLE_HASH]
            # The report names runs and days, so that no two are the same.
            if key.to_user_string() != REPORT:
                contents[target] = [found.metadata.get(name) for name in names]
            if found is None:
                continue
            for uid, sha256 in ((UID, HASH), (TABLE_UID, TABLE_HASH)):
                if uid in found.metadata:
                    try:
                        fetch(found.metadata[uid], {"sha256": found.metadata[sha256]})
                    except Exception as error:
                        faults.append(f"{target}: {error}")
    return contents, sorted(faults)


def _registered() -> dict[str, list[str]]:
    """Latest artifacts by key: uid, labels of each; what queries and exports give."""
    from autophagy_assets.registry.store.instance import connect
    from autophagy_assets.registry.store.labels import labels_of

    latest = connect().Artifact.filter(is_latest=True)
    labels = labels_of(latest)
    return {
        key: [uid, *sorted(f"{kind}={label}" for kind, label in labels.get(uid, {}).items())]
        for key, uid in latest.values_list("key", "uid")
        if REPORT not in key
    }


def damage(number: int, suffix: str, how: str, which: int) -> str | None:
    """Damage one of the latest files that end in a suffix; gives its key, if there is one."""
    from autophagy_assets.registry.store.instance import connect

    found = connect().Artifact.filter(is_latest=True, key__endswith=suffix).order_by("key")
    paths = {artifact.key: Path(str(artifact.path)) for artifact in found}
    there = [key for key, path in paths.items() if path.exists()]
    if not there:
        return None
    key = there[which % len(there)]
    path = paths[key]
    members = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    if how == "deleted":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif how == "emptied":
        for member in members:
            member.unlink() if path.is_dir() else os.truncate(member, 0)
    elif members:
        member = members[which % len(members)]
        content = bytearray(member.read_bytes())
        if content:  # else it has been emptied before
            content[len(content) // 2] ^= 1
        member.write_bytes(content)
    return key
