"""One field, one acquisition: nothing is replaced, mixed or taken for another without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets.registry.partition_labels import labels_of_partition
from autophagy_assets.registry.store.labels import labels_of
from autophagy_assets_tests.registry.image_folder import (
    FIELD,
    OTHERS,
    cell,
    edited,
    images_of,
    write_images,
)
from autophagy_assets_tests.registry.records import refused, stored

pytestmark = pytest.mark.slow

NAME = ", ".join(FIELD)


@pytest.fixture
def other(tmp_path, study) -> Path:
    """Other images of the field of the same name."""
    write_images(tmp_path / "other", study, [FIELD], seed=12345)
    return tmp_path / "other"


def given(folder: Path, study) -> dict[str, bytes]:
    return {
        channel: (folder / f"images/0_{channel}.tif").read_bytes() for channel in study.channels
    }


def latest(store, uid: str) -> int:
    """How many versions are the latest of their key, also counting those in the trash."""
    return store.Artifact.objects.filter(uid__startswith=uid[:16], is_latest=True).count()


def test_a_withdrawn_field_that_comes_back_after_another_is_whole(store, study, folder, other):
    first = ingest(folder, study).fields
    withdraw([NAME], study)
    ingest(other, study)
    assert stored(store, study) == given(other, study)
    refused(folder, study, NAME, "DAPI, Alexa488, mCherry would be replaced", "--replace")
    assert ingest(folder, study, replace=True).fields == first
    assert stored(store, study) == given(folder, study)
    assert {latest(store, uid) for field in first for _, uid in field.images} == {1}


def test_a_field_that_was_withdrawn_and_ingested_anew_has_one_latest_version(
    store, study, folder, other
):
    ingest(folder, study)
    withdraw([NAME], study)
    fields = ingest(other, study).fields
    assert {latest(store, uid) for field in fields for _, uid in field.images} == {1}


def test_two_latest_images_of_a_channel_are_refused_and_can_be_withdrawn(store, study, folder):
    """As homes have them that were made before restoring demoted the other versions."""
    fields = ingest(folder, study).fields
    (before,) = (dict(field.images) for field in fields if field.name == NAME)
    tifffile.imwrite(folder / "images/0_DAPI.tif", np.full((12, 12), 7, dtype=np.uint16))
    ingest(folder, study, replace=True)
    store.Artifact.filter(uid=before["DAPI"]).update(is_latest=True)
    with pytest.raises(InputError, match=f"{NAME} has two registered images for channel DAPI"):
        raw_fields(study)
    withdraw([NAME], study)
    assert NAME not in {field.name for field in raw_fields(study)}
    assert NAME in {field.name for field in ingest(folder, study).fields}
    assert latest(store, before["DAPI"]) == 1


def test_replacing_is_refused_by_name_and_done_when_it_is_confirmed(store, study, folder, other):
    ingest(folder, study)
    refused(other, study, NAME, "would be replaced", "autophagy ingest --replace")
    done = ingest(other, study, replace=True)
    assert (done.new_images, len(done.fields)) == (3, 3)
    assert stored(store, study) == given(other, study)


def test_a_new_field_beside_one_that_would_be_replaced_is_not_taken_alone(study, folder, other):
    ingest(folder, study)
    write_images(other, study, [FIELD, ("WT", "clone 1", "untreated", "FOV2")], seed=777)
    refused(other, study, NAME, "--replace")
    assert len(ingest(other, study, replace=True).fields) == 4


def test_channels_of_two_acquisitions_are_reported_before_they_are_mixed(store, study, folder):
    ingest(folder, study)
    tifffile.imwrite(folder / "images/0_DAPI.tif", np.full((12, 12), 7, dtype=np.uint16))
    refused(
        folder,
        study,
        f"{NAME} (DAPI would be replaced, Alexa488, mCherry would stay of an earlier ingest)",
    )
    assert ingest(folder, study, replace=True).new_images == 1


def test_a_channel_added_to_those_of_an_earlier_ingest_is_reported(store, study, folder):
    fields = ingest(folder, study).fields
    (images,) = (dict(field.images) for field in fields if field.name == NAME)
    store.Artifact.get(uid=images["DAPI"]).delete(permanent=False)
    refused(folder, study, NAME, "DAPI would be added", "--replace")
    assert ingest(folder, study, replace=True).fields == fields


@pytest.mark.parametrize(
    ("column", "label"), [("cell_line_clone", "_clone 1"), ("genotype", "wt"), ("FOV", "fov1")]
)
def test_a_label_that_shares_a_name_with_one_in_the_store_is_refused(
    study, folder, other, column, label
):
    ingest(folder, study)
    edited(lambda t: t.assign(**{column: label}))(other)
    refused(other, study, column, repr(label), "cannot be told apart")
    with pytest.raises(InputError, match="cannot be told apart"):
        ingest(other, study, replace=True)


def test_a_label_is_corrected_to_one_of_the_same_name_for_the_same_images(store, study, folder):
    before = {field.images for field in ingest(folder, study).fields}
    edited(lambda t: t.replace({"clone 1": "clone_1"}))(folder)
    done = ingest(folder, study)
    assert (done.new_images, done.corrected_images) == (0, 6)
    assert {field.images for field in done.fields} == before
    assert {field.clone for field in done.fields} == {"clone_1", "clone 2"}
    assert not images_of(store, study).filter(ulabels__name="clone 1")
    assert images_of(store, study).filter(description__contains="WT, clone_1, ").count() == 6


def test_a_label_is_not_corrected_for_some_of_its_fields_only(study, folder):
    ingest(folder, study)
    edited(lambda t: t.iloc[:3].replace({"clone 1": "clone_1"}))(folder)
    refused(folder, study, "'clone_1'", "'clone 1'", "name all fields that have it")


def test_labels_that_differ_in_case_never_come_for_one_another(store, study, folder):
    """As homes have them that were made before such labels were refused."""
    ingest(folder, study)
    for artifact in images_of(store, study).filter(ulabels__name="KO"):
        key = artifact.key.replace("KO__", "wt__")
        store.Artifact.filter(uid=artifact.uid).update(key=key)
    assert labels_of_partition(study, "WT") == {"genotype": "WT"}
    assert labels_of_partition(study, "wt") == {"genotype": "KO"}


# Labels, and damaged files.


def test_a_removed_column_takes_its_label_off(store, study, folder):
    ingest(folder, study)
    edited(lambda t: t.drop(columns="magnification"))(folder)
    done = ingest(folder, study)
    assert (done.new_images, done.corrected_images, done.unchanged_images) == (0, 9, 0)
    assert all(
        "magnification" not in known for known in labels_of(images_of(store, study)).values()
    )
    assert ingest(folder, study).unchanged_images == 9


def test_an_emptied_cell_changes_the_label_hash_of_its_field_alone(study, folder):
    before = {field.name: field.label_hash for field in ingest(folder, study).fields}
    cell("magnification", "", 1)(folder)
    done = ingest(folder, study)
    assert done.corrected_images == 1
    after = {field.name: field.label_hash for field in done.fields}
    assert [name for name in after if after[name] != before[name]] == [NAME]


def test_a_corrected_resolution_is_reported(study, folder):
    ingest(folder, study)
    edited(lambda t: t.assign(resolution="0.25"))(folder)
    done = ingest(folder, study)
    assert (done.corrected_images, done.unchanged_images) == (9, 0)


@pytest.mark.parametrize("damage", ["a flipped byte", "cut", "gone"])
def test_a_damaged_image_of_the_store_is_restored(store, study, folder, damage):
    first = ingest(folder, study).fields
    (uid,) = (dict(field.images)["DAPI"] for field in first if field.name == NAME)
    path = Path(store.Artifact.get(uid=uid).path)
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-1] ^= 1
    path.unlink() if damage == "gone" else path.write_bytes(
        changed if damage == "a flipped byte" else whole[:-9]
    )
    done = ingest(folder, study)
    assert (done.new_images, done.restored_images, done.unchanged_images) == (0, 1, 8)
    assert path.read_bytes() == whole and done.fields == first
    assert ingest(folder, study).restored_images == 0


def test_a_column_named_as_a_feature_of_numbers_is_refused(store, study, folder):
    store.Feature(name=f"depth of {study.name}", dtype=float).save()
    edited(lambda t: t.assign(**{f"depth of {study.name}": "3"}))(folder)
    refused(folder, study, f"column 'depth of {study.name}'", "holds float", "rename it")


def test_images_that_were_registered_by_hand_are_not_doubled(store, study, folder):
    first = ingest(folder, study).fields
    images_of(store, study).filter(ulabels__name="DAPI").update(key="mine/dapi.tif")
    with pytest.raises(InputError, match=r"was not registered by an ingest, 'mine/dapi\.tif'"):
        ingest(folder, study)
    assert [field.name for field in raw_fields(study)] == [field.name for field in first]


def test_other_fields_than_those_of_the_folder_stay(study, folder, tmp_path):
    ingest(folder, study)
    write_images(tmp_path / "more", study, [("KO", "clone 2", "14h Torin-1", "FOV1")], seed=4321)
    assert len(ingest(tmp_path / "more", study).fields) == len(OTHERS) + 2
