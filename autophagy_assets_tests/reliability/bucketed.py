"""What children do in a home whose files are in a bucket."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

KEY = "races/same.x"


def write(number: int, at: float, size: int) -> dict[str, Any]:
    """Put and register content that others put and register at the same moment."""
    from autophagy_assets_tests.given import outsider

    recorder = outsider()
    time.sleep(max(0.0, at - time.time()))
    output = recorder.put(lambda path: path.write_bytes(b"x" * size), KEY, "same", {})
    recorder.finish()
    return {"uid": output.record.uid}


def forget_copies(_: int) -> None:
    """Throw away every copy, as if this were another machine."""
    from autophagy_assets.registry.store.instance import storage_root

    for path in storage_root().iterdir():
        if path.name != ".lamindb":
            shutil.rmtree(path)


def records(_: int) -> list[dict[str, Any]]:
    """Every artifact, where its file is, and what is wrong with it by a cheap look."""
    from autophagy_assets.registry.consistency.damage import damaged
    from autophagy_assets.registry.store.instance import connect

    found = list(connect().Artifact.filter().select_related("storage"))
    faults = damaged([artifact.uid for artifact in found])
    return [
        {
            "key": artifact.key,
            "uid": artifact.uid,
            "root": artifact.storage.root,
            "object": artifact._real_key,
            "hash": artifact.hash,
            "fault": faults.get(artifact.uid),
        }
        for artifact in found
    ]


def read(_: int, uid: str) -> str:
    """Fetch an artifact; gives why it is refused, if it is."""
    from autophagy_assets.errors import IntegrityError
    from autophagy_assets.registry.store.artifacts import fetch

    try:
        path, record = fetch(uid)
    except IntegrityError as error:
        return str(error)
    assert Path(path).exists() and record.sha256
    return ""


def look(_: int) -> dict[str, Any]:
    """What a reader sees."""
    from autophagy_assets_tests.reliability import reader

    return reader.look()


def refresh(_: int, pid_file: str = "") -> dict[str, str]:
    """Make what is out of date; gives errors by asset."""
    from autophagy_assets_tests.reliability import fork_server

    if pid_file:
        Path(pid_file).write_text(str(os.getpid()))
    return fork_server._refresh()
