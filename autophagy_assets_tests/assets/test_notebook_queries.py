"""The reference notebook's own queries, run against the platform's instance.

The study is simulated, really imaged with scPortrait, and made by the real assets under the
notebook's own study, so this is the one test module that uses the default study file. Each
query is written as in the notebook, with ``registry`` for its ``ln.Artifact.connect(...)``.
"""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from autophagy_assets.config.study import DEFAULT_STUDY
from autophagy_assets_tests.platform import Platform

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(store, tiny_study) -> Platform:
    from autophagy_assets.registry.ingest.ingest import ingest

    platform = Platform(DEFAULT_STUDY)
    assert len(ingest(tiny_study, platform.study).fields) == 4
    platform.sync()
    for sample in platform.partitions("sample"):
        platform.run("single_cell_images", "cell_features", partition=sample)
    for genotype in platform.partitions("genotype"):
        platform.run("raw_features", partition=genotype)
    return platform


@pytest.fixture(scope="module", params=["instance by name", "current instance"])
def registry(request, store, platform):
    """``ln.Artifact`` and ``ln.ULabel`` as the notebook gets them."""
    if request.param == "current instance":
        return SimpleNamespace(Artifact=store.Artifact, ULabel=store.ULabel)
    name = store.setup.settings.instance.slug
    return SimpleNamespace(Artifact=store.Artifact.connect(name), ULabel=store.ULabel.connect(name))


@pytest.fixture(scope="module")
def found(registry):
    """The notebook's three starting points: study, single-cell datasets, featurized tables."""
    study = registry.ULabel.get(name="autophagy imaging")
    sc_datasets = registry.Artifact.filter(ulabels=study, is_latest=True).filter(
        ulabels__name="scportrait single-cell images"
    )
    featurized_datasets = registry.Artifact.filter(ulabels=study, is_latest=True).filter(
        description="featurized single-cell images"
    )
    return SimpleNamespace(study=study, crops=sc_datasets, tables=featurized_datasets)


def test_single_cell_datasets_are_those_that_were_imaged(platform, found):
    manifests = [platform.table("single_cell_images", s) for s in platform.partitions("sample")]
    imaged = pd.concat(manifests)
    assert (imaged["status"] == "ok").all() and (imaged["n_cells"] > 0).all()
    assert {artifact.uid for artifact in found.crops} == set(imaged["dataset"])
    assert all(artifact.key.endswith("/single_cell_data.h5ad") for artifact in found.crops)


@pytest.mark.parametrize("genotype", ["WT", "EI24KO"])
@pytest.mark.parametrize("stimulation", ["untreated", "14h Torin-1"])
def test_crops_of_a_genotype_and_stimulation_are_read(platform, found, genotype, stimulation):
    import scportrait

    cells = found.crops.filter(ulabels__name=genotype).filter(ulabels__name=stimulation)
    data = scportrait.io.read_h5sc(cells[0].cache())
    expected = [
        row.n_cells
        for sample in platform.partitions("sample")
        for row in platform.table("single_cell_images", sample).itertuples()
        if (row.genotype, row.stimulation) == (genotype, stimulation)
    ]
    assert [data.n_obs] == expected
    images = data.obsm["single_cell_images"]
    assert images.shape == (data.n_obs, 5, 128, 128)
    assert list(data.uns["single_cell_images"]["channel_names"][2:]) == [
        "DAPI",
        "Alexa488",
        "mCherry",
    ]
    assert data.obs["scportrait_cell_id"].is_unique


@pytest.mark.parametrize("genotype", ["WT", "EI24KO"])
def test_featurized_table_of_a_genotype_is_loaded(platform, found, genotype):
    artifact = found.tables.filter(ulabels__name=genotype, is_latest=True).distinct().one()
    table = artifact.load()
    pd.testing.assert_frame_equal(table, platform.table("raw_features", genotype))
    assert list(table.columns[:3]) == ["dataset", "scportrait_cell_id", "class"]
    assert len([c for c in table.columns if "mCherry" in c]) == 18
    assert set(table["class"]) == {0, 1}
    assert set(table["dataset"]) <= {dataset.uid for dataset in found.crops}


def test_crops_of_cells_of_the_table_are_found_by_dataset(registry, found):
    import scportrait

    features = found.tables.filter(ulabels__name="WT", is_latest=True).distinct().one().load()
    for uid in features["dataset"].unique():
        selected = features[features["dataset"] == uid]
        dataset = scportrait.io.read_h5sc(registry.Artifact.get(uid).cache())
        ids = dataset.obs["scportrait_cell_id"].astype("int64")
        assert set(selected["scportrait_cell_id"]) == set(ids)


def test_spatialdata_of_a_cell_is_loaded_and_has_its_centre(registry, store, found):
    import scportrait

    features_wt = found.tables.filter(ulabels__name="WT", is_latest=True).distinct().one().load()
    cell = features_wt.sample(1, random_state=42)
    dataset = cell["dataset"].values[0]
    cell_id = cell["scportrait_cell_id"].values[0]
    key = registry.Artifact.get(dataset).key
    sdata = registry.Artifact.get(
        key=key.replace("single_cell_data.h5ad", "spatialdata.zarr")
    ).load()
    single_cell_images = scportrait.io.read_h5sc(store.Artifact.get(dataset).cache())
    x, y = sdata["centers_seg_all_nucleus"].compute().loc[cell_id, :]
    mask = sdata["seg_all_nucleus"]["scale0"]["image"].values
    assert mask[round(y), round(x)] == cell_id
    assert cell_id in single_cell_images.obs["scportrait_cell_id"].astype(int).to_numpy()
    cropped = scportrait.tl.sdata.pp.get_bounding_box_sdata(
        sdata, center_x=x, center_y=y, max_width=100
    )
    assert {"seg_all_nucleus", "seg_all_cytosol"} <= set(cropped.labels)


def test_raw_images_are_found_by_channel_clone_and_field(registry, found):
    images = registry.Artifact.filter(ulabels=found.study, suffix=".tif", is_latest=True)
    assert images.count() == 12
    chosen = images.filter(ulabels__name="mCherry").filter(ulabels__name="WT")
    chosen = chosen.filter(ulabels__name="14h Torin-1").filter(ulabels__name="FOV1")
    assert chosen.one().features.get_values()["channel"] == "mCherry"


def test_from_a_crop_one_comes_to_its_three_images(registry, found):
    dataset = found.crops.filter(ulabels__name="WT").filter(ulabels__name="untreated").one()
    images = dataset.run.input_artifacts.all()
    channels = {image.features.get_values()["channel"] for image in images}
    assert channels == {"DAPI", "Alexa488", "mCherry"}


def test_imaging_again_is_the_same_to_the_byte(platform):
    sample = platform.partitions("sample")[0]
    before = platform.latest("single_cell_images", sample)
    platform.run("single_cell_images", partition=sample)
    after = platform.latest("single_cell_images", sample)
    assert after.run_id != before.run_id
    assert after.version == before.version
    assert after.metadata["lamindb/uid"] == before.metadata["lamindb/uid"]
