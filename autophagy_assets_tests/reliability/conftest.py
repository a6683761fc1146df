"""Homes of the reliability tests: one on SQLite, one on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from autophagy_assets_tests.conftest import lacking
from autophagy_assets_tests.reliability import server as postgres
from autophagy_assets_tests.reliability.forked import ForkServer

EMPTY = "empty"  # a database with tables


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster of its own."""
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    fork_server = ForkServer(tmp_path_factory.mktemp("sqlite"))
    yield fork_server
    fork_server.end()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    programs = postgres.programs()
    if programs is None:
        lacking("PostgreSQL is not installed: apt-get install postgresql")
    running = postgres.Server(programs)
    yield running
    running.remove()


@pytest.fixture(scope="session")
def postgres_home(
    tmp_path_factory: pytest.TempPathFactory, server: postgres.Server
) -> Iterator[ForkServer]:
    """A home whose database has tables, and nothing in them but what LaminDB has put there."""
    folder = tmp_path_factory.mktemp("postgres")
    fork_server = ForkServer(folder, AUTOPHAGY_DATABASE_URL=server.url)
    fork_server.ask("import", modules=[])  # answered when the tables are there
    server.copy(EMPTY)  # which takes less than a second, and making the tables half a minute
    yield fork_server
    fork_server.end()
