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
MASKED, WIDE = "pixels", "forest_on_surroundings"


def network(name: str, **parameters: Any) -> dict[str, Any]:
    entry = {"name": name, "feature_sets": ["crops"], "estimator": "cnn"}
    return entry | {"parameters": QUICK | parameters}


def forest(name: str) -> dict[str, Any]:
    """A forest on what a network sees of cells and of what surrounds them, and on features."""
    entry = {"name": name, "feature_sets": ["cnn", "scportrait"], "estimator": "random_forest"}
    return entry | {"parameters": {"n_estimators": 8}, "network": QUICK | {"masked": False}}


def rewritten(platform: Platform, networks: list[dict[str, Any]]) -> Platform:
    """The same platform after its study file was edited."""
    entries = yaml.safe_load(platform.file.read_text())
    kept = [model for model in entries["models"] if model["name"] == AS_PUBLISHED]
    platform.file.write_text(yaml.safe_dump(entries | {"models": [*kept, *networks]}))
    edited = Platform(platform.file)
    edited.instance = platform.instance
    return edited


@pytest.fixture(scope="module")
def made(store, tmp_path_factory) -> Iterator[tuple[Platform, Given]]:
    folder = tmp_path_factory.mktemp("network")
    file = study_file(folder, "study with networks", cross_validation={"folds": 2})
    platform = rewritten(Platform(file), [network(MASKED), forest(WIDE)])
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
        assert crops <= inputs(platform, asset, MASKED) & inputs(platform, asset, WIDE)
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
    said = {name: platform.latest("cell_map", name).metadata["caption"] for name in every}
    assert "128 values of a cell that go into its last layer" in said[MASKED]
    assert "128 values of a cell that go into its network's last layer, and " in said[WIDE]
    for name in (MASKED, WIDE):
        card = platform.table("shortcut_card", name).drop_duplicates("control")
        assert set(card["control"]) == {
            "nuisance alone", "background", "background in units", "swapped background",
            "permuted labels",
        }  # fmt: skip
    assert not platform.plan().ready


def test_a_training_that_diverges_says_so_and_leaves_what_there_was(made):
    platform, _ = made
    before = platform.artifact("cross_validation", MASKED).uid
    diverging = network(MASKED, learning_rate=1e30, epochs=2)
    edited = rewritten(platform, [diverging, forest(WIDE)])
    result = edited.run("cross_validation", partition=MASKED, check=False)
    assert not result.success
    assert "Training of model 'pixels' diverged" in edited.failure(result)
    assert edited.artifact("cross_validation", MASKED).uid == before
    rewritten(platform, [network(MASKED), forest(WIDE)])
    assert not platform.plan().ready
