"""Every version of a model is found by its AUC, also where two versions predict the same."""

from __future__ import annotations

import pytest

from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

PREDICTIONS = "test_predictions"
MODEL = ("autophagy_classifier", PREDICTIONS, "classifier_evaluation")


def aucs(store, platform: Platform) -> dict[str, float]:
    """AUC of every model that the query of docs/lineage.md finds, earlier versions among them."""
    models = store.Artifact.filter(kind="model").filter(auc__gt=0, study=platform.study.name)
    return {model.uid: model.features.get_values()["auc"] for model in models}


def test_two_versions_with_equal_predictions_both_carry_the_auc(store, platform_of, tmp_path):
    name = "two versions of a model"
    platform = platform_of(name, models={"puncta": None, "as_published": {"max_depth": 20}})
    given_study(platform.study, tmp_path, ("WT",))
    platform.features()
    platform.run("training_cells", "test_cells")
    platform.run("cross_validation", *MODEL)
    model, predictions = platform.artifact("autophagy_classifier"), platform.artifact(PREDICTIONS)
    deeper = Platform(
        study_file(tmp_path, name, models={"puncta": None, "as_published": {"max_depth": 30}})
    )
    deeper.instance = platform.instance
    deeper.run("cross_validation", *MODEL)
    assert deeper.artifact("autophagy_classifier").uid != model.uid
    assert deeper.artifact(PREDICTIONS).uid == predictions.uid  # no tree is that deep
    auc = deeper.latest("classifier_evaluation").metadata["auc"]
    assert aucs(store, platform) == {
        model.uid: auc,
        deeper.artifact("autophagy_classifier").uid: auc,
    }
