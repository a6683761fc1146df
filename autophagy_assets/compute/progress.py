"""How far the work on many fields of view has come: done of all, rate, time left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


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
        rate = self.done / max(now - self.began, 1e-9)
        left = (self.total - self.done) / rate
        sentence = f"{self.done} of {self.total} fields, {60 * rate:.1f} a minute"
        return f"{sentence}, {_duration(left)} left" if left else sentence


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
