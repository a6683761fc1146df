"""Private parts of other libraries: still there, each used in one module, and in docs/design.md.

When a test here fails after an upgrade, its message names the module that has to follow. A part
that is used newly gets a row in the table of the docs, and a test.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import pytest
from django.db.transaction import atomic, set_rollback

from autophagy_assets.config.sqlite_engines import keep_engines
from autophagy_assets.registry.provenance.recorder import Recorder, Step
from autophagy_assets.registry.store import lamin_internals
from autophagy_assets.staleness.materializations import (
    MaterializationCache,
    latest,
    version_tags,
    versions,
)
from autophagy_assets_tests.conftest import ROOT

PACKAGE = ROOT / "autophagy_assets"
PUBLIC_ALL_THE_SAME = {"_exit", "_replace", "_meta"}  # documented by Python and by Django


@contextmanager
def used_in(library: str, part: str, module: str) -> Iterator[None]:
    """Say which module has to follow where a part of a library is not what it was."""
    assert (PACKAGE / f"{module}.py").is_file(), f"{module} has moved: correct this test"
    try:
        yield
    except Exception as error:
        pytest.fail(
            f"{library} {version(library)} moved or changed {part} ({error!r}): correct "
            f"autophagy_assets/{module}.py, and the table in docs/design.md"
        )


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
    with used_in("dagster", "create_engine of its SQLite storage", "config/sqlite_engines"):
        keep_engines()
        with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
            for storage in (made.event_log_storage.index_connection, made.run_storage.connect):
                with storage() as first:
                    pass
                with storage() as second:
                    assert second.engine is first.engine


def test_dagster_keeps_a_note_of_ours(instance):
    with used_in("dagster", "daemon_cursor_storage", "automation/home_study"):
        notes = instance.daemon_cursor_storage
        notes.set_cursor_values({"note": "kept"})
        assert notes.get_cursor_values({"note"}) == {"note": "kept"}


def test_dagsters_daemon_is_a_program():
    with used_in("dagster", "the program dagster._daemon", "cli/serve"):
        assert find_spec("dagster._daemon.__main__") is not None


INTERNALS = "registry/store/lamin_internals"


def test_lamindb_calls_its_branches_and_states_by_the_same_numbers(store):
    with used_in("lamindb", "the trash", INTERNALS):
        assert store.Branch.get(id=lamin_internals.TRASH).name == "trash"
    with used_in("lamindb", "Run._status_code", INTERNALS):
        run = store.Run(store.Transform(key="private parts", kind="pipeline").save())
        names = {}
        for state in ("STARTED", "FINISHED", "ERRORED", "ABORTED"):
            lamin_internals.set_status(run, getattr(lamin_internals, state))
            assert lamin_internals.status_of(run) == getattr(lamin_internals, state)
            names[state] = run.status
        assert names == {
            "STARTED": "started",
            "FINISHED": "completed",
            "ERRORED": "errored",
            "ABORTED": "aborted",
        }
        assert store.Run._meta.get_field(lamin_internals.RUN_STATUS)


def test_lamindb_keeps_path_and_upload_of_an_artifact_where_they_were(store):
    recorder = Recorder(Step("private parts", None, None, "def body(): ...", "1"))
    output = recorder.put(lambda path: path.write_text("kept"), "private/parts.txt", "parts", {})
    recorder.finish()
    artifact = store.Artifact.get(uid=output.record.uid)
    with used_in("lamindb", "Artifact._real_key", INTERNALS):
        path = lamin_internals.registered_path(artifact)
        assert path.endswith(output.file.path.name)
        assert artifact in lamin_internals.registered_at(store, output.file.path.name)
    with used_in("lamindb", "lamindb_setup.core.hashing", INTERNALS):
        assert lamin_internals.content_hash(output.file.path) == artifact.hash
    with used_in("lamindb", "Artifact._aux or _storage_ongoing", INTERNALS):
        artifact._storage_ongoing = True
        artifact.save()
        assert artifact in lamin_internals.uploading(store)
        lamin_internals.end_upload(artifact)
        artifact.save()
        assert artifact not in lamin_internals.uploading(store)
    with used_in("lamindb", "Artifact.objects", INTERNALS):
        artifact.delete(permanent=False)
        every = lamin_internals.every_artifact(store).filter(key=artifact.key)
        assert [lamin_internals.is_in_trash(one) for one in every] == [True]


def test_lamindb_links_labels_and_numbers_by_the_same_columns(store):
    def columns(model: type) -> set[str]:
        return {field.name for field in model._meta.get_fields()}

    with used_in("lamindb", "ArtifactULabel", INTERNALS):
        assert {"artifact", "ulabel", "feature"} <= columns(lamin_internals.label_links())
    with used_in("lamindb", "ArtifactJsonValue or JsonValue", INTERNALS):
        link, number = lamin_internals.number_links()
        assert {"artifact", "jsonvalue"} <= columns(link) and "feature" in columns(number)


def test_lamindb_can_make_an_instance_without_writing_settings_where_it_runs(store):
    with used_in("lamindb-setup", "init(_write_settings=) or instance._persist", INTERNALS):
        import lamindb_setup

        assert "_write_settings" in inspect.getsource(inspect.unwrap(lamindb_setup.init))
        found = inspect.signature(lamindb_setup.settings.instance._persist).parameters
        assert {"write_to_disk", "write_current_instance_file"} <= set(found)


def test_lamindb_registers_a_storage_without_asking_for_it(store):
    with used_in("lamindb", "Storage(_skip_preparation=)", INTERNALS):
        address = "s3://private-parts/x?endpoint_url=http://127.0.0.1:9"  # where nobody answers
        with atomic():
            made = lamin_internals.add_storage(store, address, "PrivateParts")
            assert store.Storage.get(root=address).uid == made.uid == "PrivateParts"
            set_rollback(True)


def test_numba_can_be_told_to_keep_what_it_compiles():
    with used_in("numba", "numba.core.dispatcher", "analysis/imaging/process_settings"):
        from numba.core import dispatcher

        assert callable(dispatcher.Dispatcher.enable_caching)


@pytest.mark.slow
def test_scportrait_opens_its_store_in_one_place():
    with used_in("scportrait", "filehandler._read_sdata", "analysis/imaging/project"):
        from scportrait.pipeline._utils.sdata_io import sdata_filehandler

        assert callable(sdata_filehandler._read_sdata)


def own_names(tree: ast.Module) -> Iterator[str]:
    """Private names that a module defines, or gives to its own objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] if ast.unparse(node.value) in ("self", "cls") else []


def foreign_names(tree: ast.Module, own: set[str]) -> Iterator[str]:
    """Private parts of others that a module uses: modules, attributes, and names of arguments."""

    def private(name: str) -> bool:
        return bool(re.match(r"_[a-z]", name)) and name not in own | PUBLIC_ALL_THE_SAME

    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named = named or [alias.name for alias in node.names]
            yield from (name for name in named if "._" in name)
        elif isinstance(node, ast.Attribute) and private(node.attr):
            yield node.attr
        elif isinstance(node, ast.keyword) and private(node.arg or ""):
            yield str(node.arg).split("__")[0]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^[a-z_]+\._[\w.]+$", node.value)


def private_parts(folder: Path) -> dict[str, set[str]]:
    """Modules that use each private part of another library."""
    trees = {f.relative_to(folder): ast.parse(f.read_text()) for f in folder.rglob("*.py")}
    own = {name for tree in trees.values() for name in own_names(tree)}
    found = defaultdict(set)
    for file, tree in trees.items():
        for name in foreign_names(tree, own):
            found[name].add(file.with_suffix("").as_posix())
    return dict(found)


def table_of_docs() -> str:
    text = (ROOT / "docs" / "design.md").read_text()
    return text.partition("## Private parts of other libraries")[2].partition("\n## ")[0]


@pytest.mark.slow
def test_each_private_part_is_used_in_one_module_which_the_docs_name():
    rows = [line for line in table_of_docs().splitlines() if line.startswith("| ")]
    for part, modules in private_parts(PACKAGE).items():
        assert len(modules) == 1, f"{part} is used in {sorted(modules)}: it belongs in one of them"
        (module,) = modules
        row = [line for line in rows if f"`{module}`" in line and part.split(".")[-1] in line]
        assert row, f"{part}, used in {module}, is not in the table of docs/design.md"


def test_every_module_that_the_docs_name_is_there():
    named = re.findall(r"`((?:\w+/)+\w+)`", table_of_docs())
    assert named and [one for one in named if not (PACKAGE / f"{one}.py").is_file()] == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("from dagster._core.x import Y", "dagster._core.x"),
        ("import dagster._core.x", "dagster._core.x"),
        ("artifact._real_key", "_real_key"),
        ("ln.Artifact.filter(_aux__so=1)", "_aux"),
        ("program = ['dagster._daemon', 'run']", "dagster._daemon"),
    ],
)
def test_a_private_part_is_found_however_it_is_used(tmp_path, text, part):
    (tmp_path / "module.py").write_text(f"def _own(self): self._mine = 1\n{text}\nx._own\n")
    assert private_parts(tmp_path) == {part: {"module"}}
