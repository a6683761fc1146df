"""What a study has is found by its labels, whoever attached them and however."""

from __future__ import annotations

import itertools
import math

import pandas as pd
import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry import datasets
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.partition_labels import labels_of_partition
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets_tests.given import give_dataset, given_study, outsider
from autophagy_assets_tests.registry.image_folder import FIELD, OTHERS, write_images

_numbers = itertools.count()


@pytest.fixture
def study() -> Study:
    return Study.load().model_copy(update={"name": f"datasets of study {next(_numbers)}"})


@pytest.fixture(scope="module")
def found(store, tmp_path_factory):
    """A study with datasets and tables, and what was given."""
    study = Study.load().model_copy(update={"name": "datasets that were given"})
    return study, given_study(study, tmp_path_factory.mktemp("given"), cells=8)


def test_a_study_nobody_has_seen_has_nothing(store, study):
    assert raw_fields(study) == []
    assert datasets.genotype_labels(study) == []
    assert datasets.featurized_tables(study) == {}
    found = datasets.single_cell_datasets(study)
    assert found.empty and list(found.columns[:2]) == ["dataset", "key"]


def test_a_dataset_of_several_fields_has_a_row_for_each(store, study, tmp_path):
    recorder = outsider()
    labels = {"study": study.name, "genotype": "WT", "artifact type": datasets.SINGLE_CELL_IMAGES}
    noted = [
        {"fov": fov, "first_id": first, "n_cells": 3, "images": ["a", "b"]}
        for fov, first in (("FOV2", 0), ("FOV10", 7))
    ]
    uid = recorder.put(
        lambda path: path.write_text(study.name),
        f"given/{next(_numbers)}/single_cell_data.h5ad",
        "cells of two fields",
        labels | {"FOV": ["FOV2", "FOV10"]},
        notes={"fields": noted},
    ).record.uid
    recorder.finish()
    found = datasets.single_cell_datasets(study)
    assert found["dataset"].tolist() == [uid, uid] and found["n_cells"].tolist() == [3, 3]
    assert (found["fov"].tolist(), found["first_id"].tolist()) == (["FOV2", "FOV10"], [0, 7])


def test_fields_have_their_images_in_channel_order(store, study, tmp_path):
    write_images(tmp_path, study, seed=next(_numbers))
    ingest(tmp_path, study)
    fields = raw_fields(study)
    assert [(f.genotype, f.clone, f.stimulation, f.fov) for f in fields] == sorted((FIELD, *OTHERS))
    for field in fields:
        assert [channel for channel, _ in field.images] == list(study.channels)
        shared = dict(field.labels)
        assert shared["magnification"] == "20X" and shared["genotype"] == field.genotype
        assert "channel" not in shared and "artifact type" not in shared
    assert datasets.genotype_labels(study) == ["KO", "WT"]


def test_labels_without_a_kind_are_not_handed_on(store, study, tmp_path):
    write_images(tmp_path, study, seed=next(_numbers))
    field = ingest(tmp_path, study).fields[0]
    reviewed = store.ULabel(name=f"reviewed {study.name}").save()
    for _, uid in field.images:
        store.Artifact.get(uid=uid).ulabels.add(reviewed)
    assert raw_fields(study)[0] == field


def test_a_field_that_lacks_a_channel_is_not_a_field(store, study, tmp_path):
    write_images(tmp_path, study, seed=next(_numbers))
    ingest(tmp_path, study)
    more = study.model_copy(update={"channels": (*study.channels, "GFP")})
    assert raw_fields(more) == []


def test_labels_of_a_sample_and_of_a_genotype(store, study, tmp_path):
    write_images(tmp_path, study, seed=next(_numbers))
    ingest(tmp_path, study)
    assert labels_of_partition(study, "WT__clone-1__untreated") == {
        "genotype": "WT",
        "cell_line_clone": "clone 1",
        "stimulation": "untreated",
    }
    assert labels_of_partition(study, "KO") == {"genotype": "KO"}
    assert labels_of_partition(study, "nobody") == {}


def test_datasets_are_described_by_their_labels(found):
    study, given = found
    found = datasets.single_cell_datasets(study).set_index("dataset")
    assert set(found.index) == set(given.crops)
    assert set(found["genotype"]) == {"WT", "EI24KO"}
    assert set(found["stimulation"]) == set(study.classes.values())
    assert set(found["clone"]) == {"clone 1", "clone 2"}
    assert set(found["pixel_um"]) == {0.5}
    assert not found["own"].any()
    cells = pd.concat(given.tables.values()).groupby("dataset").size()
    assert found["n_cells"].to_dict() == cells.to_dict()
    assert datasets.foreign_datasets(study)["dataset"].tolist() == list(found.index)


def test_what_this_platform_imaged_is_its_own(store, study, tmp_path):
    recorder = Recorder(Step("single_cell_images", "s", None, "code", "1"))
    give_dataset(recorder, study, tmp_path, "WT", "untreated", 0, [1, 2])
    recorder.finish()
    assert datasets.single_cell_datasets(study)["own"].tolist() == [True]
    assert datasets.foreign_datasets(study).empty


def test_an_old_version_is_described_though_it_is_not_found(store, study, tmp_path):
    uids = []
    for ids in ([1, 2], [1, 2, 3]):
        recorder = outsider()
        uids.append(give_dataset(recorder, study, tmp_path, "WT", "untreated", 0, ids)[0])
        recorder.finish()
    assert datasets.single_cell_datasets(study)["dataset"].tolist() == uids[1:]
    described = datasets.foreign_datasets(study, every_version=True)
    assert set(described["dataset"]) == set(uids)
    assert set(described["genotype"]) == {"WT"}


def test_featurized_tables_are_found_by_genotype(found):
    study, given = found
    assert datasets.featurized_tables(study) == given.uids
    assert datasets.genotype_labels(study) == ["EI24KO", "WT"]


@pytest.mark.parametrize("genotypes", [("KO", "KO"), ("KO 1", "KO-1")])
def test_two_tables_of_one_genotype_are_refused_and_not_chosen_from(store, study, genotypes):
    recorder = outsider()
    for genotype in genotypes:
        key, labels = f"datasets/{next(_numbers)}.parquet", {"study": study.name}
        labels |= {"genotype": genotype}
        recorder.put(lambda p, key=key: p.write_text(key), key, datasets.FEATURIZED, labels)
    recorder.finish()
    with pytest.raises(InputError, match="has two featurized tables of genotype 'KO"):
        datasets.featurized_tables(study)


def test_tables_that_were_computed_here_are_not_taken_for_given(store, study):
    recorder = Recorder(Step("raw_features", "WT", None, "code", "1"))
    labels = {"study": study.name, "genotype": "WT"}
    key = f"datasets/{next(_numbers)}.parquet"
    recorder.put(lambda p: p.write_bytes(key.encode()), key, datasets.FEATURIZED, labels)
    recorder.finish()
    assert datasets.featurized_tables(study) == {}


def test_labels_without_a_kind_are_understood(store, study):
    """As somebody would attach them who only calls ``artifact.ulabels.add``."""
    recorder = outsider()
    key = f"datasets/{next(_numbers)}"
    crops = recorder.put(
        lambda p: p.write_text(key), f"{key}/single_cell_data.h5ad", "single cells", {}
    )
    table = recorder.put(lambda p: p.write_text(key), f"{key}.parquet", datasets.FEATURIZED, {})
    recorder.finish()

    def add(output, *names):
        artifact = store.Artifact.get(uid=output.record.uid)
        for name in names:
            found = store.ULabel.filter(name=name).one_or_none()
            artifact.ulabels.add(found or store.ULabel(name=name).save())

    add(crops, study.name, "EI24KO", "untreated", datasets.SINGLE_CELL_IMAGES)
    add(table, study.name, "EI24KO")
    row = datasets.single_cell_datasets(study).iloc[0]
    assert (row["genotype"], row["stimulation"]) == ("EI24KO", "untreated")
    assert (row["clone"], row["fov"]) == ("unknown", "unknown")
    assert math.isnan(row["pixel_um"])
    assert datasets.featurized_tables(study) == {"EI24KO": table.record.uid}
    add(crops, "clone 1")
    assert datasets.single_cell_datasets(study)["genotype"].tolist() == ["unknown"]
    add(crops, study.control)
    assert datasets.single_cell_datasets(study)["genotype"].tolist() == [study.control]


def test_the_spatialdata_of_a_dataset_is_beside_it(store, found):
    _, given = found
    for uid in given.crops:
        beside = store.Artifact.get(uid=datasets.companion(uid, "spatialdata.zarr"))
        dataset = store.Artifact.get(uid=uid)
        assert beside.key == dataset.key.replace("single_cell_data.h5ad", "spatialdata.zarr")
        assert beside.run == dataset.run


def test_the_spatialdata_of_an_old_dataset_is_that_of_its_run(store, study, tmp_path):
    uids = []
    for ids in ([1, 2], [1, 2, 3]):
        recorder = outsider(f"segmentation of {len(ids)}")
        uids.append(give_dataset(recorder, study, tmp_path, "WT", "untreated", 0, ids)[0])
        recorder.finish()
    for uid in uids:
        beside = store.Artifact.get(uid=datasets.companion(uid, "spatialdata.zarr"))
        assert beside.run == store.Artifact.get(uid=uid).run


def test_a_dataset_without_spatialdata_is_reported_by_its_uid(store, study):
    recorder = outsider()
    key = f"datasets/{next(_numbers)}/single_cell_data.h5ad"
    output = recorder.put(lambda p: p.write_text(key), key, "single cells", {})
    recorder.finish()
    with pytest.raises(LookupError, match=rf"{output.record.uid} has no spatialdata\.zarr"):
        datasets.companion(output.record.uid, "spatialdata.zarr")
