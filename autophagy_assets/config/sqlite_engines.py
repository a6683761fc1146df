"""SQLAlchemy engines of Dagster's SQLite files, kept from one question to the next.

Dagster makes a new engine for every question to its event log, so that each statement is compiled
anew: a fifth of the processor time of a small refresh. Engines are made to be kept. They hold no
connection here (``NullPool``), so nothing is shared by threads or with forked processes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

_KEPT = 16  # a process that lives long meets the file of every run, and asks few of them at a time
_MODULES = (
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
)


def keep_engines() -> None:
    """Have Dagster's SQLite storage use its engines again, in this process."""
    for name in _MODULES:
        module: Any = import_module(name)
        if not isinstance(module.create_engine, KeptEngines):
            module.create_engine = KeptEngines(module.create_engine)


class KeptEngines:
    """Makes each engine once, of those that were asked for last.

    Parameters
    ----------
    make : callable
        Takes an address and options, as ``sqlalchemy.create_engine`` does.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._engines: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def __call__(self, url: str, **options: Any) -> Any:
        """Give the engine of an address, with the options that it was made with."""
        asked = (url, repr(options))
        with self._lock:
            engine = self._engines.pop(asked, None)
            if engine is None:
                engine = self._make(url, **options)
            self._engines[asked] = engine
            while len(self._engines) > _KEPT:
                del self._engines[next(iter(self._engines))]
        return engine
