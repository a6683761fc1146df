"""A network is an entry of the study file: it goes where models go, and alone reads crops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.staleness.materializations import FINGERPRINT
from autophagy_assets_tests.platform import Given, Platform, given_study, study_file

pytestmark = pytest.mark.slow

QUICK = {"architecture": "small", "epochs": 1, "batch_size": 8}
MASKED, WIDE = "pixels", "surroundings"


def network(name: str, **parameters: Any) -> dict[str, Any]:
    entry = {"name": name, "feature_sets": ["crops"], "estimator": "cnn"}
    return entry | {"parameters": QUICK | parameters}


def rewritten(platform: Platform, networks: list[dict[str, Any]]) -> Platform:
    """The same platform after its study file was edited."""
    entries = yaml.safe_load(platform.file.read_text())
    kept = [model for model in entries["models"] if model["estimator"] != "cnn"]
    platform.file.write_text(yaml.safe_dump(entries | {"models": [*kept, *networks]}))
    edited = Platform(platform.file)
    edited.instance = platform.instance
    return edited


@pytest.fixture(scope="module")
def made(store, tmp_path_factory) -> Iterator[tuple[Platform, Given]]:
    folder = tmp_path_factory.mktemp("network")
    file = study_file(folder, "study with networks", cross_validation={"folds": 2})
    networks = [network(MASKED), network(WIDE, masked=False)]
    platform = rewritten(Platform(file), networks)
    given = given_study(platform.study, folder, side=32, cells=12)
    done = platform.refresh()
    assert done.complete, done.failed
    yield platform, given


def inputs(platform: Platform, asset: str, partition: str) -> set[str]:
    run = platform.artifact(asset, partition).run
    return {artifact.uid for artifact in run.input_artifacts.all()}


def of(given: Given, genotype: str) -> set[str]:
    return set(given.tables[genotype]["dataset"])


def test_crops_of_the_control_are_inputs_of_a_network_and_of_no_other_model(made):
    platform, given = made
    crops = of(given, "WT")
    for asset in ("cross_validation", "autophagy_classifier"):
        assert crops <= inputs(platform, asset, MASKED)
        assert crops.isdisjoint(inputs(platform, asset, AS_PUBLISHED))
    fields = platform.table("background_features")["dataset"].nunique()
    more = inputs(platform, "cross_validation", WIDE) - inputs(platform, "cross_validation", MASKED)
    assert len(more) == len(crops) >= fields  # the image of each field


def test_only_a_network_reads_the_entry_of_the_marker(made):
    platform, _ = made
    read = {
        name: platform.latest("cross_validation", name).metadata[FINGERPRINT]["study"]
        for name in (AS_PUBLISHED, MASKED)
    }
    assert "marker_channel" in read[MASKED] and "marker_channel" not in read[AS_PUBLISHED]


def test_a_network_stands_beside_the_others_wherever_models_do(made):
    platform, given = made
    every = {AS_PUBLISHED, MASKED, WIDE}
    for asset, partition in (("model_comparison", None), ("ko_predictions", "EI24KO")):
        assert set(platform.table(asset, partition)["model"]) == every
    assert of(given, "EI24KO") <= inputs(platform, "ko_predictions", "EI24KO")
    places = platform.table("cell_map", MASKED)
    assert set(places["dataset"]) == of(given, "EI24KO") | of(given, "WT")
    assert (
        "128 values of a cell that go into its last layer"
        in platform.latest("cell_map", MASKED).metadata["caption"]
    )
    card = platform.table("shortcut_card", MASKED).drop_duplicates("control")
    assert set(card["control"]) == {
        "nuisance alone", "background", "background in units", "swapped background",
        "permuted labels",
    }  # fmt: skip
    assert not platform.plan().ready


def test_a_training_that_diverges_says_so_and_leaves_what_there_was(made):
    platform, _ = made
    before = platform.artifact("cross_validation", MASKED).uid
    edited = rewritten(platform, [network(MASKED, learning_rate=1e30, epochs=2), network(WIDE)])
    result = edited.run("cross_validation", partition=MASKED, check=False)
    assert not result.success
    assert "Training of model 'pixels' diverged" in edited.failure(result)
    assert edited.artifact("cross_validation", MASKED).uid == before
    rewritten(platform, [network(MASKED), network(WIDE, masked=False)])
    assert not platform.plan().ready
