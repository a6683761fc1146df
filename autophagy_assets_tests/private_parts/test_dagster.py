"""Private parts of Dagster: still there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec

import dagster as dg
import pytest

from autophagy_assets.config.storage_cache import cache_storage
from autophagy_assets.staleness.materializations import (
    MaterializationCache,
    latest,
    version_tags,
    versions,
)
from autophagy_assets_tests.private_parts.used import used_in


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as made:
        yield made


def test_dagster_keeps_the_version_of_an_event_in_its_tags(instance):
    with used_in("dagster", "the tags of a data version", "staleness/materializations"):
        event = dg.AssetMaterialization("a", tags=version_tags("v1"))
        instance.report_runless_asset_event(event)
        assert latest(instance, dg.AssetKey("a"), None).version == "v1"


def test_dagster_gives_the_latest_event_of_every_partition_at_once(instance):
    asset = dg.AssetKey("a")
    with used_in("dagster", "get_latest_*_by_partition", "staleness/materializations"):
        for partition, named in (("x", "1"), ("y", "2"), ("x", "3")):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(asset, partition=partition, tags=version_tags(named))
            )
        assert versions(instance, asset) == {"x": "3", "y": "2"}
        assert MaterializationCache(instance)(asset, "x").version == "3"


def test_dagster_takes_a_check_of_a_materialization_that_no_step_made():
    part = "AssetCheckEvaluationTargetMaterializationData"
    with used_in("dagster", part, "automation/sync"):
        from dagster._core.definitions.asset_checks.asset_check_evaluation import (
            AssetCheckEvaluationTargetMaterializationData as Data,
        )

        assert Data(storage_id=1, run_id="", timestamp=0.0).storage_id == 1


def test_dagster_remembers_the_runs_of_a_check(instance):
    part = "get_asset_check_execution_history"
    with used_in("dagster", part, "checks/history"):
        from dagster._core.storage.asset_check_execution_record import (
            AssetCheckExecutionRecord,
            AssetCheckExecutionRecordStatus,
        )

        found = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("a"), "c"),
            limit=1,
            status={AssetCheckExecutionRecordStatus.SUCCEEDED},
        )
        assert list(found) == []
        assert inspect.isdatadescriptor(AssetCheckExecutionRecord.evaluation)
        assert "create_timestamp" in AssetCheckExecutionRecord._fields


def test_dagster_runs_a_step_with_one_context_for_loading_body_and_storing(instance):
    found = []

    @dg.asset
    def a(context) -> int:
        found.append(context.get_step_execution_context())
        return 1

    dg.materialize([a], instance=instance)
    with used_in("dagster", "StepExecutionContext", "io_managers/steps"):
        (step,) = found
        assert isinstance(step, dg.StepExecutionContext)
        assert step.job_def.asset_layer.asset_graph.has(dg.AssetKey("a"))
        assert callable(step.set_data_version)


def test_dagster_keeps_the_body_of_an_asset():
    @dg.asset
    def a() -> int:
        return 1

    with used_in("dagster", "op.compute_fn.decorated_fn", "staleness/judge"):
        assert a.op.compute_fn.decorated_fn() == 1


def test_dagster_says_what_a_cron_expression_means():
    with used_in("dagster", "dagster._utils.schedules", "automation/freshness"):
        from dagster._utils.schedules import cron_string_iterator

        assert isinstance(next(cron_string_iterator(0.0, "0 2 * * *", "UTC")), datetime)


def test_dagster_has_an_instance_that_captures_nothing(tmp_path):
    with used_in("dagster", "InstanceRef or NoOpComputeLogManager", "config/home"):
        from dagster._core.instance.ref import InstanceRef
        from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

        kind = NoOpComputeLogManager
        quiet = {"module": kind.__module__, "class": kind.__name__}
        ref = InstanceRef.from_dir(str(tmp_path), overrides={"compute_logs": quiet})
        with dg.DagsterInstance.from_ref(ref) as made:
            assert isinstance(made.compute_log_manager, kind)


def test_dagster_makes_the_engines_of_its_sqlite_files_where_they_can_be_kept(tmp_path):
    with used_in("dagster", "create_engine of its SQLite storage", "config/storage_cache"):
        cache_storage()
        with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
            for storage in (made.event_log_storage.index_connection, made.run_storage.connect):
                with storage() as first:
                    pass
                with storage() as second:
                    assert second.engine is first.engine


def test_dagster_parses_events_and_reads_migrations_where_they_can_be_kept(tmp_path):
    with used_in("dagster", "deserialize_value, has_table or migrations", "config/storage_cache"):
        from alembic.script import ScriptDirectory
        from dagster._core.storage.event_log import sql_event_log

        cache_storage()
        with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
            made.report_runless_asset_event(dg.AssetMaterialization("a"))
            read = ScriptDirectory.from_config
            before = sql_event_log.deserialize_value.cache_info().hits, len(read._known)
            for _ in range(2):
                assert made.fetch_materializations(dg.AssetKey("a"), limit=1).records
                assert made.get_dynamic_partitions("sample") == []
            assert sql_event_log.deserialize_value.cache_info().hits > before[0]
            assert made.event_log_storage._known_tables == {"dynamic_partitions"}
        elsewhere = tmp_path / "other"
        elsewhere.mkdir()
        with dg.DagsterInstance.local_temp(str(elsewhere)) as other:
            other.add_dynamic_partitions("sample", ["one"])
        assert len(read._known) == before[1]  # for one more home, no migration was read


def test_dagster_keeps_a_note_of_ours(instance):
    with used_in("dagster", "daemon_cursor_storage", "automation/home_study"):
        notes = instance.daemon_cursor_storage
        notes.set_cursor_values({"note": "kept"})
        assert notes.get_cursor_values({"note"}) == {"note": "kept"}


def test_dagsters_daemon_is_a_program():
    with used_in("dagster", "the program dagster._daemon", "cli/serve"):
        assert find_spec("dagster._daemon.__main__") is not None
