"""Negative controls as assets: from the fields of the control to the card of each model."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.analysis.evidence.altered_data import SWAPPED as SWAPPED_CONTROL
from autophagy_assets.analysis.evidence.background_features import PATCH, SWAPPED
from autophagy_assets.analysis.evidence.shortcuts import BACKGROUND
from autophagy_assets.analysis.identity import CLASS, IDENTITY, KIND
from autophagy_assets.analysis.imaging import featurization, segmentation
from autophagy_assets.compute import pool as compute
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.staleness.materializations import UID
from autophagy_assets_tests.analysis.synthetic import write_store
from autophagy_assets_tests.assets.fakes import (
    CELLS,
    fake_featurize,
    fake_process_field,
    one_by_one,
)
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import write_images

pytestmark = pytest.mark.slow

_numbers = itertools.count()
CONDITIONS = ("untreated", "14h Torin-1")
FIELDS = [("WT", clone, c, "FOV1") for clone in ("clone 1", "clone 2") for c in CONDITIONS]


def with_room(images, study, out):
    """A field in which there is room for a crop between the cells."""
    result = fake_process_field(images, study, out)
    shutil.rmtree(result.spatialdata)
    nuclei = {cell: (70 + 35 * n, 75) for n, cell in enumerate(result.cell_ids)}
    write_store(result.spatialdata, nuclei, (280, 280), study)
    return result


@pytest.fixture
def platform(store, tmp_path: Path, monkeypatch) -> Platform:
    monkeypatch.setattr(segmentation, "process_field", with_room)
    monkeypatch.setattr(featurization, "featurize", fake_featurize)
    monkeypatch.setattr(compute, "map_fields", one_by_one)
    platform = Platform(study_file(tmp_path, f"evidence {next(_numbers)}", models={}))
    write_images(tmp_path / "images", platform.study, FIELDS, seed=next(_numbers))
    ingest(tmp_path / "images", platform.study)
    platform.sync()
    return platform


def test_the_background_of_every_field_of_the_control_leads_to_the_shortcut_card(platform, store):
    samples = platform.partitions("sample")
    for sample in samples:
        platform.run("single_cell_images", "cell_features", "marker_features", partition=sample)
    platform.features()
    platform.run("background_features")
    table, cells = platform.table("background_features"), platform.table("clean_features", "WT")
    swapped = table[table[KIND] == SWAPPED].sort_values(IDENTITY)
    assert (
        swapped[[*IDENTITY, CLASS]].to_numpy().tolist()
        == cells.sort_values(IDENTITY)[[*IDENTITY, CLASS]].to_numpy().tolist()
    )
    assert (table[table[KIND] == PATCH].groupby("dataset").size() == CELLS).all()

    run = store.Artifact.get(uid=platform.latest("background_features").metadata[UID]).run
    manifests = pd.concat([platform.table("single_cell_images", sample) for sample in samples])
    inputs = {artifact.uid for artifact in run.input_artifacts.all()}
    assert inputs >= set(manifests["spatialdata"]) and len(manifests) == len(FIELDS)
    assert not inputs & set(manifests["dataset"]), "the crops are not read"

    for model in ("puncta", AS_PUBLISHED):
        platform.run("cross_validation", "shortcut_card", partition=model)
        card = platform.table("shortcut_card", model).set_index("control")
        measured = {
            c for c in (BACKGROUND, SWAPPED_CONTROL) if (card.loc[[c], "n_cells"] > 0).all()
        }
        assert measured == ({BACKGROUND, SWAPPED_CONTROL} if model == "puncta" else set())


def test_fields_without_room_give_an_empty_table_and_a_card_that_says_so(platform, tmp_path):
    given_study(platform.study, tmp_path, ("WT",))
    platform.features()
    platform.run("background_features")
    platform.run("cross_validation", "shortcut_card", partition="puncta")
    assert platform.table("background_features").empty
    card = platform.table("shortcut_card", "puncta").set_index("control")
    assert card.loc[BACKGROUND, "sentence"].startswith("There are no patches without a cell")
