"""Private parts of LaminDB: still there."""

from __future__ import annotations

import inspect

from django.db.transaction import atomic, set_rollback

from autophagy_assets.registry.provenance.recorder import Recorder, Step
from autophagy_assets.registry.store import lamin_internals
from autophagy_assets_tests.private_parts.used import used_in

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
