"""Where a process is killed: functions of the platform wrapped, in the child process only."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autophagy_assets.registry.provenance import recorder as provenance
from autophagy_assets.registry.store import files, registration

# What is being written, and how its name ends.
FORMATS = {
    "file": ".h5ad",
    "folder": ".zarr",
    "table": ".parquet",
    "model": ".joblib",
    "figure": ".png",
    "page": ".html",
}
MAKER = {
    "file": "field",
    "folder": "field",
    "table": "cells",
    "model": "forest",
    "figure": "picture",
    "page": "page",
}
FILE_POINTS = ["before write", "mid-write", "before rename", "after rename"]
STEP_POINTS = [
    "run started",
    "before registration",
    "within registration",
    "after registration",
    "after Dagster's event",
]


def die() -> None:
    """End at once, as by the out-of-memory killer or a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str, what: str) -> None:
    """Kill this process when it gets to a point in the making of a format."""
    if point in FILE_POINTS:
        _arm_file(point, FORMATS[what], MAKER[what])
    elif point == "after Dagster's event":
        _arm_event(MAKER[what])
    else:
        _arm_step(point, MAKER[what])


def _arm_file(point: str, suffix: str, asset: str) -> None:
    put, move = files.put, files._move

    def is_target(folder: Path, ending: str) -> bool:
        return ending == suffix and asset in folder.parts

    def put_and_die(write: Callable[[Path], None], folder: Path, ending: str) -> Any:
        if not is_target(folder, ending):
            return put(write, folder, ending)
        if point == "before write":
            die()

        def half(path: Path) -> None:
            write(path)
            whole = sorted(p for p in [path, *path.rglob("*")] if p.is_file())[-1]
            os.truncate(whole, whole.stat().st_size // 2)
            die()

        return put(half if point == "mid-write" else write, folder, ending)

    def move_and_die(beside: Path, place: Path) -> None:
        target = is_target(place.parent, suffix) and place.name.endswith(suffix)
        if target and point == "before rename":
            die()
        move(beside, place)
        if target and point == "after rename":
            die()

    files.put = put_and_die
    files._move = move_and_die


def _arm_step(point: str, asset: str) -> None:
    start, finish = provenance.Recorder.start, provenance.Recorder.finish
    register = registration.register

    def start_and_die(self: provenance.Recorder) -> None:
        start(self)
        if self.step.asset == asset and point == "run started":
            die()

    def finish_and_die(self: provenance.Recorder) -> None:
        if self.step.asset == asset and point == "before registration":
            die()
        finish(self)
        if self.step.asset == asset and point == "after registration":
            die()

    def register_and_die(ln: Any, outputs: Any, run: Any) -> Any:
        registered = register(ln, outputs, run)
        for output in outputs if point == "within registration" else ():
            if asset in Path(output.key).with_suffix("").parts:
                die()
        return registered

    provenance.Recorder.start = start_and_die
    provenance.Recorder.finish = finish_and_die
    provenance.register = register_and_die


def _arm_event(asset: str) -> None:
    import dagster as dg

    handle = dg.DagsterInstance.handle_new_event

    def handle_and_die(self: dg.DagsterInstance, event: Any, **more: Any) -> Any:
        result = handle(self, event, **more)
        about = event.dagster_event
        if about is not None and about.is_step_materialization and about.step_key == asset:
            die()
        return result

    dg.DagsterInstance.handle_new_event = handle_and_die


def formats_of(point: str) -> list[str]:
    """Formats for which a point is different from the others."""
    return list(FORMATS) if point in FILE_POINTS else [f for f in FORMATS if f != "folder"]


CASES = [(point, what) for point in FILE_POINTS + STEP_POINTS for what in formats_of(point)]
