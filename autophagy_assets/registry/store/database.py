"""The database behind LaminDB, as Django sees it: connection, transactions, and waiting for it.

What LaminDB keeps in it is no business of this module. LaminDB sets Django up, so Django is
imported inside functions only, which are called after
:func:`~autophagy_assets.registry.store.instance.connect`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from autophagy_assets.errors import StoreAwayError, first_line

T = TypeVar("T")
ATTEMPTS = 7
# One number for all writers of this platform in one PostgreSQL database.
_ADVISORY_LOCK = 0x6175746F


def is_sqlite() -> bool:
    """Whether it is a file of the home, which no other machine uses."""
    from django.db import connection

    return connection.vendor == "sqlite"


def tune_sqlite() -> None:
    """Let several processes use one SQLite file: readers beside a writer, writers in turn."""
    from django.db import connection

    if not is_sqlite():
        return
    connection.settings_dict["OPTIONS"] |= {"timeout": 60, "transaction_mode": "IMMEDIATE"}
    connection.close()  # the options count from the next connection on
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")


@contextmanager
def transaction(lock: Path) -> Iterator[None]:
    """One transaction, of one writer at a time: all that the block writes, or nothing.

    Parameters
    ----------
    lock : pathlib.Path
        File that writers to SQLite lock. Those to PostgreSQL take an advisory lock of the
        transaction, which also holds between machines.
    """
    from django.db import connection
    from django.db.transaction import atomic

    with ExitStack() as stack:
        if is_sqlite():
            stack.enter_context(FileLock(lock))
        stack.enter_context(atomic())
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        yield


def repeated(function: Callable[[], T]) -> T:
    """Call a function, again while the database is away or busy.

    Parameters
    ----------
    function : callable
        Safe to repeat, since a failed attempt leaves nothing.

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    StoreAwayError
        If the database has not answered for about twelve seconds.
    """
    from django.db import InterfaceError, OperationalError, connection

    attempt = 1
    while True:
        try:
            return function()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise  # the whole transaction is to be repeated, not a part of it
            connection.close()  # a broken connection does not recover by using it again
            if attempt == ATTEMPTS:
                raise StoreAwayError(
                    f"LaminDB's database ({_name()}) did not answer {ATTEMPTS} times: "
                    f"{first_line(error)}; see that it runs and has disk space, "
                    "then refresh again. Nothing of this step was recorded."
                ) from None  # the first cause is what a person is shown
            time.sleep(0.1 * 2**attempt)
            attempt += 1


def fetch_related(records: Sequence[Any], *relations: str) -> None:
    """Fetch what records refer to, in one query for each relation instead of one for each record.

    Parameters
    ----------
    records : sequence
        Of one registry.
    *relations : str
        Such as ``"run__transform"``.
    """
    from django.db.models import prefetch_related_objects

    prefetch_related_objects(records, *relations)


def _name() -> str:
    from django.db import connection

    place = connection.settings_dict
    host = f"{place['HOST']}:{place['PORT']}/" if place.get("HOST") else ""
    return f"{host}{place['NAME']}"
