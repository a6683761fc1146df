"""Progress of a refresh: its targets, and the fields of view of those that process fields."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from autophagy_assets.cli.output import console
from autophagy_assets.compute.progress import Notes, rate
from autophagy_assets.config.home import Home

if TYPE_CHECKING:
    from autophagy_assets.staleness.upstream import Target

LOOK_S = 1.0


class RefreshProgress:
    """Progress bars: one for all targets, and one for each target that processes fields of view.

    Where there is no terminal, a line for each target, and every half minute one for the fields.
    """

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("Refreshing", total=0, rate="")
        self._planned: set[Target] = set()
        self._notes = Notes(Home.locate().progress)
        # A step may run in this process or another: what it has left of itself is looked at.
        self._running: dict[str, TaskID | None] = {}
        self._said: set[str] = set()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> RefreshProgress:
        self._bar.start()
        self._looking.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._looking.join()
        self._bar.stop()

    def __call__(self, target: Target, state: str) -> None:
        """Show that a target is in a state."""
        if state == "planned":
            self._planned.add(target)
            self._bar.update(self._task, total=len(self._planned))
        elif state == "running":
            self._notes.remove(str(target))  # that of a step which was killed
            with self._lock:
                self._running[str(target)] = None
            self._bar.update(self._task, description=f"{target}"[:48])
            if not console.is_terminal:
                console.print(f"  {'making':7} {target}", soft_wrap=True)
        else:
            with self._lock:
                if (task := self._running.pop(str(target), None)) is not None:
                    self._bar.remove_task(task)
            self._bar.advance(self._task)
            if not console.is_terminal or state == "failed":
                console.print(f"  {state:7} {target}", soft_wrap=True)

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            with self._lock:
                for step in self._running:
                    self._show(step)

    def _show(self, step: str) -> None:
        """Show how far a step has come with its fields, if it has any."""
        if (note := self._notes.read(step)) is None:
            return
        if note.dashboard:
            self._say(f"  Dask's dashboard, on the machine of the scheduler: {note.dashboard}")
        if not console.is_terminal:
            if note.said:
                self._say(f"  {step}: {note.said}")
            return
        task = self._running[step]
        if task is None:
            task = self._bar.add_task(f"  {step}"[:48], total=note.total, rate="")
            self._running[step] = task
        said = rate(note.done, note.total, time.time() - note.began)
        self._bar.update(task, completed=note.done, rate=f"fields, {said}" if said else "fields")

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            console.print(sentence, soft_wrap=True)
