"""Ingest: images become labelled artifacts, once; what is bad is refused and leaves nothing."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest import ingest, set_aside_fields
from autophagy_assets.registry.labels import labels_of
from autophagy_assets.study import Study
from autophagy_assets_tests.registry.image_folder import (
    BAD_FIELD,
    BAD_METADATA,
    FIELD,
    OTHERS,
    cell,
    edited,
    write_images,
    write_metadata,
)
from autophagy_assets_tests.registry.records import snapshot, unfinished

_numbers = itertools.count()
NAME = ", ".join(FIELD)


@pytest.fixture
def study() -> Study:
    """A study that no other test has."""
    return Study.load().model_copy(update={"name": f"ingested study {next(_numbers)}"})


@pytest.fixture
def folder(tmp_path, study) -> Path:
    write_images(tmp_path, study, seed=next(_numbers))
    return tmp_path


def images_of(ln, study):
    return ln.Artifact.filter(ulabels__name=study.name, is_latest=True)


def test_every_image_becomes_a_labelled_artifact_with_its_own_bytes(store, study, folder):
    done = ingest(folder, study)
    assert (done.new_images, done.unchanged_images, done.set_aside) == (9, 0, {})
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


def test_same_input_twice_changes_nothing(store, study, folder):
    first = ingest(folder, study)
    before = snapshot()
    second = ingest(folder, study)
    assert snapshot() == before
    assert (second.new_images, second.unchanged_images) == (0, 9)
    assert second.fields == first.fields


def test_same_input_with_a_bad_field_twice_changes_nothing(store, study, folder):
    (folder / "images/0_DAPI.tif").unlink()
    ingest(folder, study)
    before = snapshot()
    assert NAME in ingest(folder, study).set_aside
    assert snapshot() == before


def test_same_images_from_another_folder_are_the_same_images(store, study, folder, tmp_path):
    ingest(folder, study)
    before = snapshot()
    other = tmp_path / "copy"
    other.mkdir()
    for path in (folder / "images").iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    table["image_path"] = table["image_path"].str.removeprefix("images/")
    write_metadata(other, table)
    assert ingest(other, study).unchanged_images == 9
    assert snapshot() == before


def test_a_changed_image_is_a_new_version_and_the_old_one_stays(store, study, folder):
    before = {field.name: dict(field.images) for field in ingest(folder, study).fields}
    path = folder / "images/0_DAPI.tif"
    old = path.read_bytes()
    tifffile.imwrite(path, np.full((12, 12), 7, dtype=np.uint16))
    done = ingest(folder, study)
    assert (done.new_images, done.unchanged_images) == (1, 8)
    after = {field.name: dict(field.images) for field in done.fields}
    assert [n for n in after if after[n] != before[n]] == [NAME]
    was, now = (store.Artifact.get(uid=known[NAME]["DAPI"]) for known in (before, after))
    assert was.key == now.key and was.uid[:16] == now.uid[:16]
    assert (was.is_latest, now.is_latest) == (False, True)
    assert Path(was.path).read_bytes() == old
    assert Path(now.path).read_bytes() == path.read_bytes()
    assert images_of(store, study).count() == 9


def test_an_image_changed_back_is_the_first_version_again(store, study, folder):
    first = ingest(folder, study).fields
    path = folder / "images/0_DAPI.tif"
    old = path.read_bytes()
    tifffile.imwrite(path, np.full((12, 12), 7, dtype=np.uint16))
    assert ingest(folder, study).fields != first
    path.write_bytes(old)
    assert ingest(folder, study).fields == first
    assert images_of(store, study).count() == 9


def test_a_new_field_leaves_the_others_as_they_are(store, study, folder):
    before = ingest(folder, study).fields
    more = [*(FIELD, *OTHERS), ("WT", "clone 1", "untreated", "FOV2")]
    table = write_images(folder / "more", study, fields=more[-1:], seed=99)
    table["image_path"] = "more/" + table["image_path"]
    old = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    write_metadata(folder, pd.concat([old, table]))
    done = ingest(folder, study)
    assert (done.new_images, done.unchanged_images) == (3, 9)
    assert set(before) < set(done.fields)


@pytest.mark.parametrize(("spoil", "words"), BAD_METADATA.values(), ids=BAD_METADATA.keys())
def test_bad_metadata_leaves_nothing(store, study, folder, spoil, words):
    spoil(folder)
    before = snapshot()
    with pytest.raises(InputError):
        ingest(folder, study)
    assert snapshot() == before


@pytest.mark.parametrize(("spoil", "words"), BAD_FIELD.values(), ids=BAD_FIELD.keys())
def test_a_bad_field_is_set_aside_and_the_others_go_on(store, study, folder, spoil, words):
    spoil(folder)
    done = ingest(folder, study)
    assert list(done.set_aside) == [NAME]
    reason = done.set_aside[NAME]
    for word in words:
        assert word in reason
    assert "\n" not in reason and reason.endswith(".")
    assert [field.name for field in done.fields] == sorted(", ".join(f) for f in OTHERS)
    assert images_of(store, study).count() == 6
    assert not images_of(store, study).filter(ulabels__name="untreated", description__contains=NAME)
    assert set_aside_fields(study) == done.set_aside


@pytest.mark.parametrize(("spoil", "words"), BAD_FIELD.values(), ids=BAD_FIELD.keys())
def test_a_bad_field_that_is_the_only_one_leaves_nothing(store, study, tmp_path, spoil, words):
    write_images(tmp_path, study, fields=[FIELD])
    extra = tifffile.imread(tmp_path / "images/0_DAPI.tif")
    tifffile.imwrite(tmp_path / "images/1_DAPI.tif", extra)
    spoil(tmp_path)
    before = snapshot()
    with pytest.raises(InputError) as told:
        ingest(tmp_path, study)
    assert "none of 1 fields is usable" in str(told.value)
    for word in words:
        assert word in str(told.value)
    assert snapshot() == before


def test_a_field_that_was_mended_is_no_longer_set_aside(store, study, folder):
    path = folder / "images/0_DAPI.tif"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert NAME in ingest(folder, study).set_aside
    path.write_bytes(whole)
    done = ingest(folder, study)
    assert done.set_aside == {} and len(done.fields) == 3
    assert done.new_images == 3
    assert set_aside_fields(study) == {}


def test_what_one_study_sets_aside_is_not_told_of_another(store, study, folder):
    (folder / "images/0_DAPI.tif").unlink()
    ingest(folder, study)
    other = study.model_copy(update={"name": study.name + " other"})
    assert set_aside_fields(other) == {}


def test_a_failure_in_the_middle_leaves_no_record(store, study, folder, monkeypatch):
    from autophagy_assets.registry import provenance

    register, calls = provenance.register, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise RuntimeError("killed")
        return register(*arguments)

    monkeypatch.setattr(provenance, "register", failing)
    with pytest.raises(RuntimeError, match="killed"):
        ingest(folder, study)
    assert len(calls) == 5
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
    before = snapshot()[0]
    with pytest.raises(OSError, match="disk is full"):
        ingest(folder, study)
    assert snapshot()[0] == before
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


def test_corrected_labels_of_an_image_that_is_known_are_taken(store, study, folder):
    ingest(folder, study)
    edited(lambda t: t.assign(resolution="0.6"))(folder)
    ingest(folder, study)
    found = labels_of(images_of(store, study))
    assert {labels["resolution"] for labels in found.values()} == {"0.6"}
    assert not images_of(store, study).filter(ulabels__name="0.5")
    assert len(found) == 9
    before = snapshot()
    ingest(folder, study)
    assert snapshot() == before


def test_two_studies_ingested_in_turn_stay_as_they_are(store, study, folder):
    other = study.model_copy(update={"name": study.name + " other"})
    (folder / "images/0_DAPI.tif").unlink()
    ingest(folder, study)
    edited(lambda t: t.iloc[3:])(folder)
    ingest(folder, other)
    edited(lambda t: pd.concat([t.iloc[:1].assign(FOV="FOV9"), t]))(folder)
    ingest(folder, study)
    edited(lambda t: t.iloc[1:])(folder)
    before = snapshot()
    ingest(folder, other)
    assert snapshot() == before


def test_a_field_that_was_given_another_name_is_not_there_twice(store, study, folder):
    ingest(folder, study)
    for row in range(3):
        cell("FOV", "FOV7", row)(folder)
    done = ingest(folder, study)
    assert len(done.fields) == 4, "what was ingested stays until it is deleted"


def test_a_label_that_somebody_added_by_hand_is_left_alone(store, study, folder):
    ingest(folder, study)
    image = images_of(store, study).first()
    image.ulabels.add(store.ULabel(name=f"reviewed {study.name}").save())
    before = snapshot()
    ingest(folder, study)
    assert snapshot() == before
