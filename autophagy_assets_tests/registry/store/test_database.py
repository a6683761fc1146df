"""The database: asked again while it is away, and used by several processes at once."""

from __future__ import annotations

import pytest

from autophagy_assets.errors import StoreAwayError
from autophagy_assets.registry.store.database import ATTEMPTS, repeated


def test_a_busy_database_is_asked_again(store, monkeypatch):
    from django.db import OperationalError

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    calls = []

    def busy() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("database is locked")
        return "done"

    assert repeated(busy) == "done"
    assert len(calls) == 3


def test_a_database_that_stays_away_is_an_error_in_the_end(store, monkeypatch):
    from django.db import OperationalError

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    calls = []

    def away() -> None:
        calls.append(1)
        raise OperationalError("connection refused")

    with pytest.raises(StoreAwayError, match=rf"not answer {ATTEMPTS} times: connection refused;"):
        repeated(away)
    assert len(calls) == ATTEMPTS


def test_other_errors_are_not_repeated(store):
    calls = []

    def wrong() -> None:
        calls.append(1)
        raise ValueError

    with pytest.raises(ValueError):
        repeated(wrong)
    assert len(calls) == 1


def test_sqlite_lets_readers_work_beside_a_writer(store):
    from django.db import connection

    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_failure_within_a_transaction_ends_it_and_is_not_repeated_alone(store):
    from django.db import OperationalError
    from django.db.transaction import atomic

    calls = []

    def busy() -> None:
        calls.append(1)
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError), atomic():
        repeated(busy)
    assert len(calls) == 1
