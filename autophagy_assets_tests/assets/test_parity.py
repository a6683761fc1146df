"""The stored tables and figures hold what a plain script of the notebook's steps computes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.evaluation import auc_of, confusion_of, of_model, roc_of
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    IDENTITY,
    MODEL,
    PREDICTED,
    SCORE,
)
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets_tests.analysis import notebook_script


@pytest.fixture(scope="module")
def script(finished):
    """The same two tables, read from LaminDB as the notebook reads them."""
    platform, given = finished
    tables = {genotype: platform.table("raw_features", genotype) for genotype in given.tables}
    for genotype, table in given.tables.items():
        pd.testing.assert_frame_equal(tables[genotype], table)
    return notebook_script.run(tables["WT"], tables["EI24KO"])


def same_cells(left: pd.DataFrame, right: pd.DataFrame) -> None:
    assert left[IDENTITY].to_numpy().tolist() == right[IDENTITY].to_numpy().tolist()


def equal(left, right) -> None:
    np.testing.assert_allclose(np.asarray(left), np.asarray(right), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("asset", "part"), [("training_cells", "training"), ("test_cells", "test")]
)
def test_split(finished, script, asset, part):
    stored = finished[0].table(asset)
    same_cells(stored, script[part])
    features = [c for c in stored.columns if c in script[part].columns and c != DATASET]
    equal(stored[features], script[part][features])


def test_predictions_of_test_cells(finished, script):
    stored = finished[0].table("test_predictions")
    same_cells(stored, script["test"])
    assert stored[PREDICTED].tolist() == script["test"][PREDICTED].tolist()
    equal(stored[SCORE], script["test"][SCORE])


def test_outcomes_of_test_cells(finished, script):
    stored = finished[0].table("test_predictions")
    for outcome, (true, called) in {"TP": (1, 1), "TN": (0, 0), "FP": (0, 1), "FN": (1, 0)}.items():
        test = script["test"]
        cells = test[(test[CLASS] == true) & (test[PREDICTED] == called)]
        same_cells(stored[stored["outcome"] == outcome], cells)


def test_metrics(finished, script):
    table = finished[0].table("classifier_evaluation")
    assert auc_of(table) == pytest.approx(script["auc"], abs=1e-12)
    equal(roc_of(table)["fpr"], script["fpr"])
    equal(roc_of(table)["tpr"], script["tpr"])
    equal(confusion_of(table), script["test_matrix"])
    share = script["test_matrix"] / script["test_matrix"].sum(axis=1)[:, np.newaxis]
    equal(confusion_of(table, normalise=True), share)


def test_knockout(finished, script):
    platform, given = finished
    stored = platform.table("ko_predictions", "EI24KO")
    stored = stored[stored[MODEL] == AS_PUBLISHED]
    same_cells(stored, given.tables["EI24KO"])
    assert stored[PREDICTED].tolist() == script["ko_predicted"].tolist()
    equal(stored[SCORE], script["ko_scores"])
    evaluation = of_model(platform.table("ko_evaluation", "EI24KO"), AS_PUBLISHED)
    equal(confusion_of(evaluation), script["ko_matrix"])


def test_cells_of_the_error_galleries(finished, script):
    stored = finished[0].table("error_galleries")
    for outcome, cells in script["galleries"].items():
        panel = stored[stored["panel"] == outcome]
        assert len(panel) == min(9, len(cells)) > 0
        same_cells(panel.sort_values(["row", "column"]), cells)
        equal(panel.sort_values(["row", "column"])["score"], cells[SCORE])


def test_cell_in_its_field(finished, script):
    stored = finished[0].table("spatial_context")
    same_cells(stored.drop_duplicates(IDENTITY), script["context"])


def scores_match(shown: pd.DataFrame, predictions: pd.DataFrame) -> bool:
    table = predictions.set_index(IDENTITY)[SCORE]
    own = table.loc[pd.MultiIndex.from_frame(shown[IDENTITY])].to_numpy()
    return bool(np.array_equal(own, shown["score"].to_numpy()))


def test_scores_under_the_pictures_are_those_of_the_table_by_identity(finished):
    platform, _ = finished
    predictions, shown = platform.table("test_predictions"), platform.table("error_galleries")
    repeated = predictions.groupby(CELL_ID)[DATASET].nunique()
    assert (repeated[shown[CELL_ID].unique()] > 1).any(), "ids must repeat for this to say anything"
    assert scores_match(shown, predictions)


def test_the_notebooks_way_by_position_would_be_noticed(finished):
    platform, _ = finished
    predictions = platform.table("test_predictions")
    shown = platform.table("error_galleries").rename(columns={"score": SCORE})
    stored_ids = {
        dataset: sorted(cells[CELL_ID]) for dataset, cells in predictions.groupby(DATASET)
    }
    parts = [
        notebook_script.positional_scores(cells, stored_ids)
        for _, cells in shown.groupby("panel", sort=False)
    ]
    assert not scores_match(pd.concat(parts), predictions)


def test_parameters_recorded_are_those_of_the_script(finished):
    run = finished[0].artifact("autophagy_classifier").run
    assert run.params["models.as_published"]["parameters"] == notebook_script.PARAMETERS
    split = finished[0].artifact("test_cells").run.params["split"]
    assert split == {"test_size": 0.4, "random_state": 42}
