"""Caches for what Dagster's SQLite storage makes or reads for every single query.

Its engines, so that each statement is compiled once; its migrations, which it reads whenever it
opens a database, and it opens one for each run; its events, each as it was parsed from the same
text; and which tables there are. Together they are more than a quarter of the processor time of a
small refresh. No connection is kept (``NullPool``), so nothing is shared by threads or with forked
processes, and a file that is put in the place of another is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from importlib import import_module
from threading import Lock
from typing import Any

_ENGINES = 16  # a process that lives long meets the file of every run, and asks few at a time
_EVENTS = 256  # of a study with six models 150 kB each, as text and parsed
_MIGRATIONS = "dagster:_core/storage/alembic"
_EVENT_LOG = "dagster._core.storage.event_log.sql_event_log"
_WITH_ENGINES = (
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
)


def cache_storage() -> None:
    """Cache what Dagster's SQLite storage makes and reads, in this process."""
    for name in _WITH_ENGINES:
        module: Any = import_module(name)
        if not isinstance(module.create_engine, EngineCache):
            module.create_engine = EngineCache(module.create_engine)
    events: Any = import_module(_EVENT_LOG)
    if not hasattr(events.deserialize_value, "cache_info"):
        # An event of the log never changes, nor does what is parsed from it.
        events.deserialize_value = lru_cache(_EVENTS)(events.deserialize_value)
    storage: Any = import_module(_WITH_ENGINES[0]).SqliteEventLogStorage
    if not hasattr(storage.has_table, "__wrapped__"):
        storage.has_table = known_tables(storage.has_table)
    scripts: Any = import_module("alembic.script").ScriptDirectory
    if not isinstance(scripts.from_config, MigrationCache):
        scripts.from_config = MigrationCache(scripts.from_config)


class EngineCache:
    """Cache of the database engines that were used last.

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
        """Return the engine of an address."""
        asked = (url, repr(options))
        with self._lock:
            engine = self._engines.pop(asked, None)
            if engine is None:
                engine = self._make(url, **options)
            self._engines[asked] = engine
            while len(self._engines) > _ENGINES:
                del self._engines[next(iter(self._engines))]
        return engine


def known_tables(ask: Callable[[Any, str], bool]) -> Callable[[Any, str], bool]:
    """Cache which tables a storage has, as no table is ever removed.

    Parameters
    ----------
    ask : callable
        Takes a storage and the name of a table, as ``SqliteEventLogStorage.has_table`` does.
    """

    @wraps(ask)
    def has_table(storage: Any, name: str) -> bool:
        known = storage.__dict__.setdefault("_known_tables", set())
        if name not in known and ask(storage, name):
            known.add(name)
        return name in known

    return has_table


class MigrationCache:
    """Cache of Dagster's migrations by kind of database; migrations of others are not cached.

    Parameters
    ----------
    read : callable
        Takes a configuration of alembic, as ``ScriptDirectory.from_config`` does.
    """

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read
        self._known: dict[str | None, Any] = {}

    def __call__(self, config: Any) -> Any:
        """Return the migrations that a configuration names."""
        if config.get_main_option("script_location") != _MIGRATIONS:
            return self._read(config)
        if config.config_file_name not in self._known:
            self._known[config.config_file_name] = self._read(config)
        return self._known[config.config_file_name]
