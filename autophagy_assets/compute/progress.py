"""Progress of processing fields of view: number done, rate, and time left.

A step runs in another process than the command whose terminal shows it, or than the daemon. So it
leaves a note in a folder of the home while it works, which whoever waits for it reads.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path


@dataclass
class Progress:
    """Counts fields as they end.

    Parameters
    ----------
    total : int
        Fields in all.
    every_s : float
        Pause between two sentences, s.
    began : float
        When the work began, on the clock of this process, s.
    """

    total: int
    every_s: float = 30.0
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    _said: float = field(init=False)

    def __post_init__(self) -> None:
        self._said = self.began

    def one_more(self, now: float | None = None) -> str:
        """Count a field.

        Parameters
        ----------
        now : float, optional
            Of the same clock, s.

        Returns
        -------
        str
            A sentence for whoever waits; empty where the last one is not long ago.
        """
        now = time.monotonic() if now is None else now
        self.done += 1
        last = self.done == self.total and self._said > self.began
        if now - self._said < self.every_s and not last:
            return ""
        self._said = now
        seconds = self.seconds(now)
        return f"{self.done} of {self.total} fields, {rate(self.done, self.total, seconds)}"

    def seconds(self, now: float | None = None) -> float:
        """Seconds since the work began."""
        return (time.monotonic() if now is None else now) - self.began


def rate(done: int, total: int, seconds: float) -> str:
    """Fields per minute and time left, in words.

    Returns
    -------
    str
        Empty where none is done yet.
    """
    if not done:
        return ""
    said = f"{60 * done / max(seconds, 1e-9):.1f} a minute"
    return said if done == total else f"{said}, {_duration((total - done) * seconds / done)} left"


@dataclass(frozen=True)
class Note:
    """Progress of a step.

    Parameters
    ----------
    done, total : int
        Fields.
    began : float
        When its work on them began, s since the epoch.
    said : str
        What the log of the run has of it; empty in the first half minute.
    dashboard : str
        Address of Dask's dashboard; empty where there is none.
    """

    done: int
    total: int
    began: float
    said: str = ""
    dashboard: str = ""


class Notes:
    """Files with the progress of steps, for the command line.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, step: str, note: Note) -> None:
        """Write the progress of a step; a full disk is ignored."""
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            beside = self._place(step).with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(asdict(note)), encoding="utf-8")
            os.replace(beside, self._place(step))

    def read(self, step: str) -> Note | None:
        """Read the progress of a step; None where it processes no fields."""
        try:
            return Note(**json.loads(self._place(step).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # none, or of another version
            return None

    def remove(self, step: str) -> None:
        """Remove the file of a step that has ended."""
        with suppress(OSError):
            self._place(step).unlink(missing_ok=True)

    def _place(self, step: str) -> Path:
        return self.folder / f"{sha256(step.encode()).hexdigest()[:20]}.json"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
