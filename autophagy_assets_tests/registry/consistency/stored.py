"""A file and a Zarr folder that are registered, and what happens to them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from autophagy_assets_tests.given import outsider

_numbers = itertools.count()
MEMBERS = {"zarr.json": b"{}", "images/zarr.json": b"{}", "images/c/0": b"cells" * 50}


def write_file(path: Path) -> None:
    path.write_bytes(b"cells" * 50)


def write_zarr(path: Path) -> None:
    for name, content in MEMBERS.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def put(*writes) -> list[str]:
    """Register what some functions write; gives the uids."""
    recorder, number = outsider(), next(_numbers)
    outputs = [
        recorder.put(
            write, f"damage/{number}/{i}/data{'.zarr' if write is write_zarr else '.x'}", "d", {}
        )
        for i, write in enumerate(writes)
    ]
    recorder.finish()
    tick()
    return [output.record.uid for output in outputs]


def tick() -> None:
    """Let the clock of the file system go on: two changes within its tick have one time."""
    time.sleep(0.02)


def flip(path: Path) -> None:
    tick()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
