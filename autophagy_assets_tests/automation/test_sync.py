"""Dagster learns what is new or changed in the registry, and learns it once."""

from __future__ import annotations

import itertools

import pytest

from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets_tests.given import give_dataset, give_table, given_study, outsider
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import FIELD, image, truncate, write_images

_numbers = itertools.count()


@pytest.fixture
def platform(store, tmp_path) -> Platform:
    return Platform(study_file(tmp_path, f"synced {next(_numbers)}"))


def test_a_study_without_anything_has_no_partitions(platform):
    assert platform.sync() == []
    assert platform.partitions("sample") == platform.partitions("genotype") == []


def test_images_become_samples_and_are_reported_once(platform, tmp_path):
    write_images(tmp_path / "i", platform.study, seed=next(_numbers))
    ingest(tmp_path / "i", platform.study)
    assert platform.sync() == [
        "raw_images[KO__clone-2__untreated]",
        "raw_images[WT__clone-1__14h-Torin-1]",
        "raw_images[WT__clone-1__untreated]",
    ]
    assert platform.partitions("knockout") == ["KO"]
    assert platform.sync() == []


def test_only_the_sample_of_a_new_field_is_reported(platform, tmp_path):
    folder = tmp_path / "i"
    write_images(folder, platform.study, seed=next(_numbers))
    ingest(folder, platform.study)
    platform.sync()
    before = platform.latest("raw_images", "WT__clone-1__untreated").version
    write_images(folder, platform.study, [(*FIELD[:3], "FOV2")], seed=next(_numbers))
    ingest(folder, platform.study)
    assert platform.sync() == ["raw_images[WT__clone-1__untreated]"]
    assert platform.latest("raw_images", "WT__clone-1__untreated").version != before


def test_a_field_excluded_is_reported_with_its_reason_until_it_is_repaired(platform, tmp_path):
    folder = tmp_path / "i"
    write_images(folder, platform.study, seed=next(_numbers))
    whole = (folder / "images" / "0_DAPI.tif").read_bytes()
    image(truncate)(folder)
    ingest(folder, platform.study)
    assert platform.sync()[-1] == "excluded_fields"
    first = platform.latest("excluded_fields", None)
    (reason,) = first.metadata["contents"]
    assert "FOV1" in reason and "0_DAPI.tif" in reason
    assert platform.sync() == []
    (folder / "images" / "0_DAPI.tif").write_bytes(whole)
    ingest(folder, platform.study)
    assert platform.sync()[-1] == "excluded_fields"
    repaired = platform.latest("excluded_fields", None)
    assert repaired.metadata["contents"] == [] and repaired.version != first.version


def test_a_given_table_makes_imaging_of_its_genotype_needless(platform, tmp_path):
    given_study(platform.study, tmp_path, ("WT",), cells=8, datasets=2)
    recorder = outsider()
    give_dataset(recorder, platform.study, tmp_path, "KO", "untreated", 0, [1, 2])
    recorder.finish()
    assert platform.sync() == [
        "raw_images[KO__clone-1__untreated]",
        "source_features[WT]",
        "source_datasets",
    ]
    assert platform.partitions("sample") == ["KO__clone-1__untreated"]
    assert platform.partitions("genotype") == ["KO", "WT"]


def test_a_new_version_of_a_given_table_is_reported(platform, tmp_path):
    given = given_study(platform.study, tmp_path, ("WT",), cells=8, datasets=2)
    platform.sync()
    recorder = outsider()
    give_table(recorder, platform.study, "WT", given.tables["WT"].iloc[:-1])
    recorder.finish()
    assert platform.sync() == ["source_features[WT]"]
    assert platform.sync() == []


def test_what_the_platform_makes_is_not_taken_for_given(platform, tmp_path):
    given_study(platform.study, tmp_path, cells=8, datasets=2)
    platform.features()
    assert platform.sync() == []
