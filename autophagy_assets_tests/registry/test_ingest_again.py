"""Ingest again: what is known stays as it is, what has changed is a new version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.registry.ingest.ingest import excluded_fields, ingest
from autophagy_assets.registry.store.labels import labels_of
from autophagy_assets_tests.registry.image_folder import (
    FIELD,
    OTHERS,
    cell,
    edited,
    images_of,
    write_images,
    write_metadata,
)
from autophagy_assets_tests.registry.records import snapshot

pytestmark = pytest.mark.slow

NAME = ", ".join(FIELD)


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
    assert NAME in ingest(folder, study).excluded
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
    done = ingest(folder, study, replace=True)
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
    assert ingest(folder, study, replace=True).fields != first
    path.write_bytes(old)
    assert ingest(folder, study, replace=True).fields == first
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


def test_a_field_that_was_repaired_is_no_longer_excluded(store, study, folder):
    path = folder / "images/0_DAPI.tif"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert NAME in ingest(folder, study).excluded
    path.write_bytes(whole)
    done = ingest(folder, study)
    assert done.excluded == {} and len(done.fields) == 3
    assert done.new_images == 3
    assert excluded_fields(study) == {}


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


def _rename_first_field(folder: Path) -> str:
    for row in range(3):
        cell("FOV", "FOV7", row)(folder)
    return NAME.replace("FOV1", "FOV7")


def test_a_field_under_another_name_is_excluded_since_its_cells_would_be_there_twice(
    store, study, folder
):
    first = ingest(folder, study)
    renamed = _rename_first_field(folder)
    done = ingest(folder, study)
    assert done.fields == first.fields
    assert f"has in DAPI the same pixels as {NAME} in DAPI" in done.excluded[renamed]
    assert f"autophagy withdraw '{NAME}'" in done.excluded[renamed]


def test_one_folder_cannot_have_a_field_under_two_names(store, study, folder):
    edited(lambda t: pd.concat([t, t.iloc[:3].assign(FOV="FOV7")]))(folder)
    done = ingest(folder, study)
    assert len(done.fields) == 3 and len(done.excluded) == 1
    assert "has in DAPI the same pixels as" in next(iter(done.excluded.values()))


def test_a_label_that_somebody_added_by_hand_is_left_alone(store, study, folder):
    ingest(folder, study)
    image = images_of(store, study).first()
    image.ulabels.add(store.ULabel(name=f"reviewed {study.name}").save())
    before = snapshot()
    ingest(folder, study)
    assert snapshot() == before


def _label_hashes(fields) -> dict[str, str]:
    return {field.name: field.label_hash for field in fields}


@pytest.mark.parametrize(
    "change",
    [
        cell("magnification", "40X"),
        cell("magnification", "40X", 2),
        edited(lambda t: t.assign(lens=["air", *[""] * 8])),
    ],
    ids=["corrected", "of the last channel", "added"],
)
def test_the_label_hash_of_a_field_follows_every_label_of_every_image(store, study, folder, change):
    before = _label_hashes(ingest(folder, study).fields)
    change(folder)
    after = _label_hashes(ingest(folder, study).fields)
    assert [name for name in after if after[name] != before[name]] == [NAME]
    assert all(len(value) == 16 for value in after.values())
