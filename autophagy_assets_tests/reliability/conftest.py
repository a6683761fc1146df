"""Homes of the reliability tests: one on SQLite, one on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autophagy_assets_tests.conftest import lacking
from autophagy_assets_tests.reliability import server as postgres
from autophagy_assets_tests.reliability.forked import ForkServer


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
    folder = tmp_path_factory.mktemp("postgres")
    fork_server = ForkServer(folder, AUTOPHAGY_DATABASE_URL=server.url)
    yield fork_server
    fork_server.end()
