"""Engines are made and migrations are read once, and unused engines are dropped."""

from __future__ import annotations

from alembic.config import Config

from autophagy_assets.config import storage_cache
from autophagy_assets.config.storage_cache import EngineCache, MigrationCache, known_tables


def test_an_engine_is_made_once_for_each_file_and_its_options():
    made = []

    def make(url: str, **options: object) -> object:
        made.append((url, options))
        return object()

    engines = EngineCache(make)
    first = engines("a", connect_args={"timeout": 1})
    assert engines("a", connect_args={"timeout": 1}) is first
    assert engines("a", connect_args={"timeout": 2}) is not first
    assert engines("b", connect_args={"timeout": 1}) is not first
    assert made == [
        ("a", {"connect_args": {"timeout": 1}}),
        ("a", {"connect_args": {"timeout": 2}}),
        ("b", {"connect_args": {"timeout": 1}}),
    ]


def test_engines_that_were_not_asked_for_lately_are_let_go():
    engines = EngineCache(lambda url: object())
    often, once = engines("often"), engines("once")
    for number in range(storage_cache._ENGINES):
        engines(str(number))
        assert engines("often") is often
    assert engines("once") is not once


def test_the_migrations_of_dagster_are_read_once_for_each_kind_of_database_and_no_others():
    read = []
    migrations = MigrationCache(lambda config: read.append(config) or object())

    def of(place: str, file: str) -> object:
        config = Config(file)
        config.set_main_option("script_location", place)
        return migrations(config)

    runs = of("dagster:_core/storage/alembic", "runs.ini")
    assert of("dagster:_core/storage/alembic", "runs.ini") is runs
    assert of("dagster:_core/storage/alembic", "events.ini") is not runs
    assert of("elsewhere", "runs.ini") is not of("elsewhere", "runs.ini")
    assert len(read) == 4


def test_a_table_is_asked_for_until_it_is_there():
    class Storage:
        tables: list[str] = []  # noqa: RUF012

    has_table = known_tables(lambda storage, name: name in storage.tables)
    storage = Storage()
    assert not has_table(storage, "partitions")
    storage.tables = ["partitions"]
    assert has_table(storage, "partitions")
    storage.tables = []
    assert has_table(storage, "partitions")
    assert not has_table(storage, "other")
    assert not has_table(Storage(), "partitions")
