"""What a reader sees of the home of a fork server."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

HOME = Path(os.environ["AUTOPHAGY_HOME"])


def look() -> dict[str, Any]:
    """What a reader sees: hashes of what is materialized, and everything that is not whole."""
    import dagster as dg

    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.registry.store.artifacts import fetch
    from autophagy_assets.registry.store.instance import connect
    from autophagy_assets.staleness.materializations import HASH, TABLE_HASH, UID, latest
    from autophagy_assets_tests.reliability import tiny

    hashes, faults = {}, not_what_they_are_called()
    with dagster_instance() as instance:
        for asset in tiny.ASSETS:
            found = latest(instance, dg.AssetKey(asset), None)
            if found is not None:
                hashes[asset] = [found.metadata[HASH], found.metadata.get(TABLE_HASH)]
                try:
                    fetch(found.metadata[UID], {"sha256": found.metadata[HASH]})
                except Exception as error:
                    faults.append(f"{asset}: {error}")
    ln = connect()
    latest_by_key: dict[str, int] = {}
    for artifact in ln.Artifact.filter():
        latest_by_key.setdefault(artifact.key, 0)
        latest_by_key[artifact.key] += artifact.is_latest
        try:
            fetch(artifact.uid)
        except Exception as error:
            faults.append(f"{artifact.key}: {error}")
    faults += [f"{key}: {n} latest" for key, n in latest_by_key.items() if n != 1]
    transforms = list(ln.Transform.filter().values_list("key", flat=True))
    faults += [f"transform {key} twice" for key in set(transforms) if transforms.count(key) > 1]
    return {"hashes": hashes, "faults": faults, "artifacts": len(latest_by_key)}


def not_what_they_are_called() -> list[str]:
    """Files of the store whose name is not the hash of what is in them."""
    from autophagy_assets.registry.store.files import measure, recorded_hash

    faults = []
    for folder, folders, names in os.walk(HOME / "store"):
        folders[:] = [f for f in folders if f != ".lamindb" and not f.startswith(".tmp-")]
        for name in [*folders, *names]:
            path = Path(folder) / name
            if recorded_hash(path) and measure(path)[0] != recorded_hash(path):
                faults.append(f"partial: {path}")
        folders[:] = [f for f in folders if not recorded_hash(Path(f))]
    return faults


def watch() -> None:
    """Read the store over and over; ends only when something partial was seen."""
    while not (seen := not_what_they_are_called()):
        time.sleep(0.005)
    raise AssertionError(seen)
