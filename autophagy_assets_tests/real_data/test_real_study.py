"""The real images go in, one clone is imaged, and its cells and scores are what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.identity import IDENTITY
from autophagy_assets_tests.analysis import notebook_script
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.records import snapshot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images(real_data) -> pd.DataFrame:
    """The metadata file; the whole study has 48 images, a part of it fewer."""
    return pd.read_csv(real_data / "metadata_files.csv", dtype=str)


@pytest.fixture(scope="module")
def platform(store, real_data, images, tmp_path_factory) -> Platform:
    from autophagy_assets.registry.ingest.ingest import ingest

    trees = {"puncta": None, "as_published": {"n_estimators": 100}}
    platform = Platform(study_file(tmp_path_factory.mktemp("real"), "real study", models=trees))
    done = ingest(real_data, platform.study)
    assert done.excluded == {}
    assert (done.new_images, len(done.fields)) == (len(images), len(images) / 3)
    platform.sync()
    return platform


@pytest.fixture(scope="module")
def sample(platform) -> str:
    """An untreated sample of the control, imaged and featurized."""
    sample = next(s for s in platform.partitions("sample") if s.startswith("WT__"))
    return imaged(platform, next(s for s in clone_of(platform, sample) if "untreated" in s))


def clone_of(platform: Platform, sample: str) -> list[str]:
    """Samples of the same clone."""
    start = sample.rpartition("__")[0]
    return [one for one in platform.partitions("sample") if one.startswith(f"{start}__")]


def imaged(platform: Platform, sample: str) -> str:
    platform.run("single_cell_images", "cell_features", "marker_features", partition=sample)
    return sample


def test_samples_and_genotypes_become_partitions(platform):
    samples = platform.partitions("sample")
    assert len(samples) == 8
    assert {s.split("__")[0] for s in samples} == {"WT", "EI24KO"}
    assert {s.split("__")[2] for s in samples} == {"untreated", "14h-Torin-1"}
    assert platform.partitions("genotype") == ["EI24KO", "WT"]
    assert platform.partitions("knockout") == ["EI24KO"]


def test_same_images_twice_change_nothing(platform, real_data, images):
    from autophagy_assets.registry.ingest.ingest import ingest

    before = snapshot()
    done = ingest(real_data, platform.study)
    assert (done.new_images, done.unchanged_images) == (0, len(images))
    assert snapshot() == before
    assert platform.sync() == []


def test_every_image_keeps_its_bytes_and_all_columns_of_the_metadata(
    platform, real_data, images, store
):
    row = images.iloc[-1]
    found = store.Artifact.filter(ulabels__name=platform.study.name)
    for column in ("genotype", "stimulation", "cell_line_clone", "FOV", "channel"):
        found = found.filter(ulabels__name=row[column])
    image = found.filter(suffix=".tif").one()
    assert Path(image.path).read_bytes() == (real_data / row["image_path"]).read_bytes()
    values = image.features.get_values()
    assert {c: values[c] for c in images.columns if c != "image_path"} == row.drop(
        "image_path"
    ).to_dict()


def test_fields_of_a_sample_have_as_many_cells_as_was_measured(platform, sample):
    manifest = platform.table("single_cell_images", sample)
    assert len(manifest) >= 1 and set(manifest["status"]) == {"ok"}
    assert manifest["n_cells"].between(64, 155).all(), manifest["n_cells"].tolist()


def test_every_cell_is_featurized_once(platform, sample):
    manifest = platform.table("single_cell_images", sample)
    cells = platform.table("cell_features", sample)
    assert cells.groupby("dataset").size().to_dict() == dict(
        zip(manifest["dataset"], manifest["n_cells"], strict=True)
    )
    assert not cells.duplicated(["dataset", "scportrait_cell_id"]).any()
    features = cells.columns[3:]
    assert len(features) == 57
    assert np.isfinite(cells[features].to_numpy()).all()
    assert cells["nucleus_area"].between(200, 2000).all()
    assert (cells["cytosol_area"] >= cells["nucleus_area"]).mean() > 0.95
    assert set(cells["class"]) == {platform.study.class_of(manifest["stimulation"].iloc[0])}


def test_cells_lead_back_to_the_microscope_images(platform, sample, store):
    row = platform.table("single_cell_images", sample).iloc[0]
    run = store.Artifact.get(uid=row["dataset"]).run
    inputs = {a.uid: a.features.get_values()["channel"] for a in run.input_artifacts.all()}
    assert [inputs[uid] for uid in row["images"].split(";")] == list(platform.study.channels)


def test_as_published_is_a_plain_script_of_the_notebook_on_the_cells_of_a_real_clone(
    platform, sample
):
    (stimulated,) = set(clone_of(platform, sample)) - {sample}
    imaged(platform, stimulated)
    platform.run("raw_features", "clean_features", "model_features", partition="WT")
    platform.run("training_cells", "test_cells", "cross_validation")
    platform.run("autophagy_classifier", "test_predictions")
    table = platform.table("raw_features", "WT")
    script = notebook_script.run(table, table.head(1))
    stored, test = platform.table("test_predictions"), script["test"]
    assert len(stored) > 40
    assert stored[IDENTITY].to_numpy().tolist() == test[IDENTITY].to_numpy().tolist()
    np.testing.assert_allclose(stored["prob_class1"], test["prob_class1"], rtol=0, atol=1e-12)
    assert stored["predicted_class"].tolist() == test["predicted_class"].tolist()
