"""Fields of view are found however many there are, and found again only where something changed."""

from __future__ import annotations

import sqlite3

import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store import labels
from autophagy_assets.registry.store.changes import state_of_records
from autophagy_assets.registry.store.instance import writing
from autophagy_assets.registry.store.labels import find_label
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.registry.image_folder import FIELD, OTHERS, images_of, write_images

FIELDS = [FIELD, *OTHERS, (*FIELD[:3], "FOV2"), (*OTHERS[0][:3], "FOV2")]


@pytest.fixture(scope="module")
def study(store, tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("fields")
    study = Study.load(study_file(folder, "fields of view"))
    write_images(folder / "i", study, FIELDS, seed=77)
    ingest(folder / "i", study)
    return study


def test_more_images_are_found_than_a_database_takes_in_one_query(study, store, monkeypatch):
    from django.db import connection

    monkeypatch.setattr(labels, "_FEW", 4)
    limit = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 12)
    try:
        found = raw_fields(study, "WT__clone-1__untreated")
        assert len(images_of(store, study)) == 15  # more than the variables of a query now
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, limit)
    assert [field.fov for field in found] == ["FOV1", "FOV2"]


def test_those_of_a_sample_are_those_that_all_have(study):
    every = raw_fields(study)
    assert len(every) == len(FIELDS)
    for sample in {field.sample for field in every}:
        assert raw_fields(study, sample) == [field for field in every if field.sample == sample]
    assert raw_fields(study, "WT__clone-9__untreated") == []


def test_every_change_of_records_is_seen_and_nothing_else(study, store):
    from lamindb.models import ArtifactULabel

    artifacts = images_of(store, study)
    one = artifacts.order_by("id").first()
    with writing() as ln:
        first, second = (find_label(ln, name).id for name in ("clone x", "clone y"))
    link = ArtifactULabel.objects.filter(artifact_id=one.id, feature__name="FOV").get()
    seen = [state_of_records(artifacts)]
    assert state_of_records(artifacts) == seen[0]

    def changed() -> bool:
        seen.append(state_of_records(artifacts))
        return seen.count(seen[-1]) == 1

    kept, rows = link.ulabel_id, ArtifactULabel.objects.filter(id=link.id)
    rows.update(ulabel_id=first)
    assert changed() and [f.fov for f in raw_fields(study)].count("FOV1") == 2
    rows.update(ulabel_id=second)
    assert changed()
    rows.update(ulabel_id=kept)
    assert not changed() and len(raw_fields(study)) == len(FIELDS)
    mine = store.Artifact.filter(id=one.id)
    mine.update(is_latest=False)
    assert changed() and len(raw_fields(study)) == len(FIELDS) - 1
    store.Artifact.objects.filter(id=one.id).update(is_latest=True)
    assert not changed()


def test_what_others_write_is_seen_and_what_was_taken_back_is_not(study, store):
    from django.db import connection, transaction

    artifacts = images_of(store, study)
    before, one = state_of_records(artifacts), artifacts.order_by("id").first()
    with transaction.atomic():
        artifacts.model.objects.filter(id=one.id).update(size=one.size + 1)
        assert state_of_records(artifacts) != before
        transaction.set_rollback(True)
    assert state_of_records(artifacts) == before
    with sqlite3.connect(connection.settings_dict["NAME"], uri=True) as other:
        for size in (one.size + 1, one.size):
            other.execute("UPDATE lamindb_artifact SET size = ? WHERE id = ?", (size, one.id))
            other.commit()
            assert (state_of_records(artifacts) == before) == (size == one.size)


def test_versions_that_go_on_and_back_by_as_much_do_not_hide_each_other(study, store):
    first, second, third, fourth = (
        images_of(store, study).order_by("id").values_list("id", flat=True)[:4]
    )
    assert second - first == fourth - third

    def latest(*ids: int) -> tuple:
        every = store.Artifact.objects.filter(id__in=[first, second, third, fourth])
        every.update(is_latest=False)
        every.filter(id__in=ids).update(is_latest=True)
        return state_of_records(images_of(store, study))

    try:
        assert latest(first, fourth) != latest(second, third)
    finally:
        latest(first, second, third, fourth)
