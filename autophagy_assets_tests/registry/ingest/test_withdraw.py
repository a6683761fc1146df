"""A field that is withdrawn is out of the study, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import excluded_fields, ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets_tests.registry.image_folder import FIELD, cell
from autophagy_assets_tests.registry.records import snapshot

NAME = ", ".join(FIELD)


def names(study) -> set[str]:
    return {field.name for field in raw_fields(study)}


def test_it_can_be_ingested_under_another_name(store, study, folder):
    before = {field.name for field in ingest(folder, study).fields}
    assert withdraw([NAME], study) == [NAME]
    assert names(study) == before - {NAME}
    for row in range(3):
        cell("FOV", "FOV7", row)(folder)
    ingest(folder, study)
    assert excluded_fields(study) == {}
    assert names(study) == before - {NAME} | {NAME.replace("FOV1", "FOV7")}


def test_what_once_spoke_against_it_is_not_said_of_it_again(store, study, folder):
    image = folder / "images/0_DAPI.tif"
    whole = image.read_bytes()
    image.write_bytes(whole[:-40])
    ingest(folder, study)
    assert set(excluded_fields(study)) == {NAME}
    image.write_bytes(whole)
    ingest(folder, study)
    withdraw([NAME], study)
    assert excluded_fields(study) == {}


def test_ingesting_it_again_brings_it_back(store, study, folder):
    before = ingest(folder, study).fields
    withdraw([NAME], study)
    assert ingest(folder, study).fields == before


def test_no_earlier_version_of_an_image_takes_its_place(store, study, folder):
    ingest(folder, study)
    tifffile.imwrite(folder / "images/0_DAPI.tif", np.full((12, 12), 7, dtype=np.uint16))
    fields = ingest(folder, study, replace=True).fields
    (images,) = (dict(field.images) for field in fields if field.name == NAME)
    key = store.Artifact.get(uid=images["DAPI"]).key
    assert store.Artifact.filter(key=key).count() == 2
    withdraw([NAME], study)
    assert store.Artifact.filter(key=key).count() == 0
    assert NAME not in names(study)


def test_files_stay_and_the_run_has_the_images_as_inputs(store, study, folder):
    fields = ingest(folder, study).fields
    images = dict(next(field.images for field in fields if field.name == NAME))
    paths = {Path(store.Artifact.get(uid=uid).path) for uid in images.values()}
    withdraw([NAME], study)
    assert all(path.exists() for path in paths)
    run = store.Run.filter(transform__key="autophagy_assets/withdraw").order_by("-id").first()
    assert run.params["fields"] == [NAME] and run.finished_at is not None
    known = store.Artifact.filter(uid__in=images.values(), branch_id=-1)
    assert {a.uid for a in known if run in a.input_of_runs.all()} == set(images.values())


def test_an_unknown_name_withdraws_nothing_and_names_what_comes_near(store, study, folder):
    ingest(folder, study)
    before = snapshot()
    with pytest.raises(InputError, match="no field of view 'WT, clone 1, FOV1'; near are 'WT, clo"):
        withdraw([NAME, "WT, clone 1, FOV1"], study)
    assert snapshot() == before
