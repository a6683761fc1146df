"""Homes of the reliability tests: one on SQLite, one on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autophagy_assets_tests.conftest import lacking
from autophagy_assets_tests.reliability import server as postgres
from autophagy_assets_tests.reliability.forked import Zygote


@pytest.fixture(scope="session")
def sqlite_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    zygote = Zygote(tmp_path_factory.mktemp("sqlite"))
    yield zygote
    zygote.end()


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
) -> Iterator[Zygote]:
    folder = tmp_path_factory.mktemp("postgres")
    zygote = Zygote(folder, AUTOPHAGY_DATABASE_URL=server.url)
    yield zygote
    zygote.end()
