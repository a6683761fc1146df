"""PostgreSQL stopped in the middle of a run: waited for, then reported; nothing lost or doubled."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests import object_store as object_storage
from autophagy_assets_tests.reliability import tiny
from autophagy_assets_tests.reliability.conftest import EMPTY
from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.server import Server

pytestmark = pytest.mark.slow

PATIENCE_S = 120


@pytest.fixture(scope="module")
def undisturbed(postgres_home: ForkServer, sqlite_home: ForkServer) -> dict[str, Any]:
    """Hashes of the second version on either database; the store has the first version only."""
    elsewhere = sqlite_home.ask("prepare")["hashes"]
    here = postgres_home.ask("prepare")["hashes"]
    assert here == elsewhere  # content does not depend on the database
    return here


def run_meanwhile(home: ForkServer, folder: Path, asset: str, meanwhile: Callable[[], None]) -> Any:
    """Make everything; do something at the end of an asset's step, before it is recorded."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(home.call, "outage", "run", folder=str(folder), asset=asset)
        deadline = time.monotonic() + PATIENCE_S
        while not (folder / "reached").exists():
            assert time.monotonic() < deadline and not running.done(), running
            time.sleep(0.01)
        meanwhile()
        (folder / "proceed").touch()
        (answer,) = running.result(PATIENCE_S)
        return answer


def test_what_is_read_and_written_is_tried_again_and_then_reported(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import InterfaceError, OperationalError

    from autophagy_assets.errors import StoreAwayError
    from autophagy_assets.registry.store import instance

    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    errors = [OperationalError("server closed the connection"), InterfaceError("closed")]

    def flickering() -> str:
        if errors:
            raise errors.pop()
        return "there"

    def away() -> None:
        raise OperationalError("connection refused\nIs the server running?")

    assert instance.retried(flickering) == "there"
    with pytest.raises(StoreAwayError, match="did not answer 7 times: connection refused; see"):
        instance.retried(away)
    assert sum(waits) > 10  # long enough for a server to be started again


def test_a_bucket_goes_with_it_and_all_is_as_with_sqlite_and_a_folder(
    server: Server, undisturbed: dict[str, Any], object_store: Any, tmp_path: Path
) -> None:
    """LaminDB's and Dagster's records are in PostgreSQL, and all files in a bucket."""
    address = object_store.address("lab", "with-postgres")
    settings = {"AUTOPHAGY_DATABASE_URL": server.url_of(EMPTY), "AUTOPHAGY_STORAGE": address}
    home = ForkServer(tmp_path / "both", **settings, **object_storage.ENVIRONMENT)
    try:
        tiny.write_study(home.folder / "study.yaml", 2)
        assert home.call("bucketed", "refresh") == [{}]
        (records,) = home.call("bucketed", "records")
        assert records and {record["root"] for record in records} == {address}
        assert [record for record in records if record["fault"]] == []
        home.call("bucketed", "forget_copies")
        (seen,) = home.call("bucketed", "look")
        assert seen["hashes"] == undisturbed and seen["faults"] == []
        assert not [*home.home.rglob("*.db"), *home.home.rglob("*.lndb")]
    finally:
        home.end()


def test_no_one_else_can_read_the_password(
    postgres_home: ForkServer, server: Server, undisturbed: dict[str, Any]
) -> None:
    holding = [
        path
        for path in postgres_home.home.rglob("*")
        if path.is_file() and server.url.encode() in path.read_bytes()
    ]
    assert {path.name.split("--")[0] for path in holding} >= {"database.url", "instance"}
    for path in holding:
        within = [path, *path.parents[: len(path.relative_to(postgres_home.home).parts) - 1]]
        assert any(place.stat().st_mode & 0o077 == 0 for place in within), path


def test_a_short_outage_is_waited_for(
    postgres_home: ForkServer, server: Server, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    def restart() -> None:
        server.stop()
        server.start()

    seen = run_meanwhile(postgres_home, tmp_path, "cells", restart)
    assert seen == {"success": True, "said": ""}
    repaired = postgres_home.ask("repair", reconcile_first=False)
    assert repaired["before"] == {"hashes": undisturbed, "faults": [], "artifacts": tiny.ARTIFACTS}
    assert repaired["late"] == {"found": [], "left": []}


def test_a_long_outage_is_reported_and_the_next_refresh_completes(
    postgres_home: ForkServer,
    server: Server,
    undisturbed: dict[str, Any],
    tmp_path: Path,
) -> None:
    seen = run_meanwhile(postgres_home, tmp_path, "forest", server.stop)
    server.start()
    assert not seen["success"]
    assert "does not answer" in seen["said"] and f"port {server.port}" in seen["said"]
    assert "refresh again" in seen["said"]

    repaired = postgres_home.ask("repair", reconcile_first=False)
    assert repaired["before"]["faults"] == []
    assert repaired["errors"] == {}
    assert repaired["after"] == {"hashes": undisturbed, "faults": [], "artifacts": tiny.ARTIFACTS}
    assert repaired["late"]["left"] == []
    assert len(repaired["late"]["found"]) >= 1  # the run that was cut off
