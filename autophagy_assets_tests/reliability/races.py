"""What racing processes do, each in a child of a fork server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ASSET, LABELS = "racer", {"study": "race", "genotype": "race genotype"}


def write(number: int, each: int, key: str) -> list[list[str]]:
    """Register artifacts, one run for each; gives uid, key and content."""
    from autophagy_assets.registry.provenance.recorder import Recorder, Step

    done = []
    for turn in range(each):
        text = f"{number} {turn} {key}" if "same" not in key else key
        recorder = Recorder(Step(ASSET, str(number), None, "def racer(): ...", "1"))
        output = recorder.put(
            lambda path, text=text: path.write_text(text) and None,
            key.format(number=number, turn=turn),
            "written in a race",
            LABELS,
        )
        recorder.finish()
        done.append([output.record.uid, output.key, text])
    return done


def look(number: int, written: list[list[str]]) -> dict[str, Any]:
    """What stands in the store: faults of what was written, and numbers of rows."""
    from autophagy_assets.registry.provenance.recorder import transform_key
    from autophagy_assets.registry.store.artifacts import fetch
    from autophagy_assets.registry.store.instance import connect

    faults = []
    for uid, key, text in written:
        path, record = fetch(uid)
        if (record.key, Path(path).read_text()) != (key, text):
            faults.append(f"{uid} of {key} holds {path.read_text()!r}, not {text!r}")
    ln = connect()
    keys = {key for _, key, _ in written}
    rows = ln.Artifact.filter(key__in=keys).values_list("key", "is_latest", "uid")
    latest: dict[str, int] = dict.fromkeys(keys, 0)
    for key, is_latest, _ in rows:
        latest[key] += is_latest
    names = list(ln.ULabel.filter(name__in=LABELS.values()).values_list("name", flat=True))
    runs = ln.Run.filter(transform__key=transform_key(ASSET))
    return {
        "faults": faults,
        "artifacts": len(rows),
        "latest": latest,
        "transforms": ln.Transform.filter(key=transform_key(ASSET)).count(),
        "labels": sorted(names),
        "finished": [run.status for run in runs].count("completed"),
        "runs": runs.count(),
    }
