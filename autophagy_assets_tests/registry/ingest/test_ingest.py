"""Ingest: images become labelled artifacts; what is bad is refused and leaves nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.ingest import excluded_fields, ingest
from autophagy_assets_tests.registry.bad_fields import BAD_FIELD
from autophagy_assets_tests.registry.image_folder import (
    BAD_METADATA,
    FIELD,
    OTHERS,
    images_of,
    write_images,
)
from autophagy_assets_tests.registry.records import snapshot, stored_files, unfinished

NAME = ", ".join(FIELD)


def test_every_image_becomes_a_labelled_artifact_with_its_own_bytes(store, study, folder):
    done = ingest(folder, study)
    assert (done.new_images, done.unchanged_images, done.excluded) == (9, 0, {})
    assert [field.name for field in done.fields] == sorted(", ".join(f) for f in (FIELD, *OTHERS))
    assert images_of(store, study).count() == 9
    found = images_of(store, study).filter(ulabels__name="14h Torin-1")
    mcherry = found.filter(ulabels__name="mCherry").one()
    assert Path(mcherry.path).read_bytes() == (folder / "images/1_mCherry.tif").read_bytes()
    assert mcherry.features.get_values() == {
        "study": study.name,
        "artifact type": "raw image",
        "genotype": "WT",
        "stimulation": "14h Torin-1",
        "cell_line": "U2OS",
        "cell_line_clone": "clone 1",
        "channel": "mCherry",
        "FOV": "FOV1",
        "magnification": "20X",
        "resolution": "0.5",
    }
    assert mcherry.description == "raw image of WT, clone 1, 14h Torin-1, FOV1, mCherry"
    assert mcherry.key.endswith("/raw_images/WT__clone-1__14h-Torin-1/FOV1/mCherry.tif")


def test_the_run_says_what_brought_the_images_in(store, study, folder):
    ingest(folder, study)
    runs = {artifact.run for artifact in images_of(store, study)}
    assert len(runs) == 1
    run = runs.pop()
    assert run.transform.key == "autophagy_assets/ingest"
    assert run.status == "completed"
    assert run.params == {"folder": folder.name, "study": study.name}


def test_the_folder_is_only_read(study, folder, store):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    ingest(folder, study)
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    assert after == before


def test_an_image_that_is_written_to_after_it_was_checked_is_refused(store, study, folder):
    """Nobody would have looked at what was registered."""
    before = stored_files()

    def still_written(field: str) -> None:
        if field == NAME:  # the last one: those before have been read
            (folder / "images/2_DAPI.tif").write_bytes(b"half of a TIFF")

    with pytest.raises(InputError, match=r"2_DAPI\.tif has changed while it was ingested"):
        ingest(folder, study, still_written)
    assert not images_of(store, study).exists() and stored_files() == before


@pytest.mark.parametrize(("spoil", "words"), BAD_METADATA.values(), ids=BAD_METADATA.keys())
def test_bad_metadata_leaves_nothing(store, study, folder, spoil, words):
    spoil(folder)
    before = snapshot()
    with pytest.raises(InputError):
        ingest(folder, study)
    assert snapshot() == before


@pytest.mark.parametrize(("spoil", "words"), BAD_FIELD.values(), ids=BAD_FIELD.keys())
def test_a_bad_field_is_excluded_and_the_others_go_on(store, study, folder, spoil, words):
    spoil(folder)
    done = ingest(folder, study)
    assert list(done.excluded) == [NAME]
    reason = done.excluded[NAME]
    for word in words:
        assert word in reason
    assert "\n" not in reason and reason.endswith(".")
    assert [field.name for field in done.fields] == sorted(", ".join(f) for f in OTHERS)
    assert images_of(store, study).count() == 6
    assert not images_of(store, study).filter(ulabels__name="untreated", description__contains=NAME)
    assert excluded_fields(study) == done.excluded


@pytest.mark.parametrize(("spoil", "words"), BAD_FIELD.values(), ids=BAD_FIELD.keys())
def test_a_bad_field_that_is_the_only_one_leaves_nothing(store, study, tmp_path, spoil, words):
    write_images(tmp_path, study, fields=[FIELD])
    extra = tifffile.imread(tmp_path / "images/0_DAPI.tif")
    tifffile.imwrite(tmp_path / "images/1_DAPI.tif", extra)
    spoil(tmp_path)
    before = snapshot()
    with pytest.raises(InputError) as raised:
        ingest(tmp_path, study)
    assert "none of 1 fields is usable" in str(raised.value)
    for word in words:
        assert word in str(raised.value)
    assert snapshot() == before


def test_what_one_study_excludes_is_not_reported_of_another(store, study, folder):
    (folder / "images/0_DAPI.tif").unlink()
    ingest(folder, study)
    other = study.model_copy(update={"name": study.name + " other"})
    assert excluded_fields(other) == {}


def test_a_failure_in_the_middle_leaves_no_record(store, study, folder, monkeypatch):
    from autophagy_assets.registry.provenance import recorder as provenance

    register, done_before = provenance.register, []

    def failing(*arguments):
        done_before.extend(register(*arguments))
        raise RuntimeError("killed")

    monkeypatch.setattr(provenance, "register", failing)
    before = stored_files()
    with pytest.raises(RuntimeError, match="killed"):
        ingest(folder, study)
    assert len(done_before) == 9
    assert stored_files() == before, "copies that nobody knows of"
    run = store.Run.filter(params__study=study.name).one()
    assert run.status == "errored" and "killed" in run.extra_data["error"]
    assert images_of(store, study).count() == 0
    monkeypatch.undo()
    done = ingest(folder, study)
    assert done.new_images == 9
    assert len(done.fields) == 3


def test_a_disk_error_in_the_middle_leaves_nothing_to_see(store, study, folder, monkeypatch):
    import shutil

    copy, calls = shutil.copyfile, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        return copy(*arguments)

    monkeypatch.setattr(shutil, "copyfile", failing)
    before = snapshot()
    with pytest.raises(OSError, match="disk is full"):
        ingest(folder, study)
    assert snapshot() == before
    assert unfinished(Path(str(store.settings.storage.root))) == []


def test_nothing_is_ingested_while_another_instance_is_the_source(study, folder, monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_SOURCE", "lab/public")
    with pytest.raises(InputError, match=r"lab/public .*never written to; unset AUTOPHAGY_SOURCE"):
        ingest(folder, study)


def test_uids_of_images_depend_on_labels_and_bytes_alone(store, study, folder):
    uids = {uid for field in ingest(folder, study).fields for _, uid in field.images}
    assert uids == set(images_of(store, study).values_list("uid", flat=True))
    for artifact in images_of(store, study):
        assert hashlib.sha256(Path(artifact.path).read_bytes()).hexdigest() in str(artifact.path)


def test_progress_names_every_field(store, study, folder):
    names: list[str] = []
    ingest(folder, study, names.append)
    assert names == [", ".join(f) for f in sorted((FIELD, *OTHERS))]
