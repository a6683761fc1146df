"""The same numbers and the same cells as a plain script of the notebook's steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, split_cells, train
from autophagy_assets.analysis.classifier.evaluation import auc_of, confusion_of, evaluate, roc_of
from autophagy_assets.analysis.features.cleaning import clean
from autophagy_assets.analysis.galleries.choice import choose_context_cell, choose_error_cells
from autophagy_assets.analysis.galleries.galleries import (
    OUTCOMES,
    error_gallery,
)
from autophagy_assets.analysis.galleries.panels import PANEL
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY, SCORE
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis import notebook_script
from autophagy_assets_tests.analysis.synthetic import (
    codes,
    decoded,
    described,
    raw_features,
    write_crops,
)

TABLES = {
    "two fields per class": {"seed": 1},
    "many fields": {"seed": 2, "datasets": 12, "cells": 30},
    "many equal scores": {"seed": 3, "levels": 3, "datasets": 8, "cells": 60},
    "fewer cells than a gallery wants": {"seed": 4, "datasets": 2, "cells": 20},
}
STUDY = Study.load()


@pytest.fixture(scope="module", params=TABLES.values(), ids=TABLES.keys())
def both(request):
    """What the script gives, what this project gives, from the same two tables."""
    control = raw_features(study=STUDY, genotype="WT", **request.param)
    knockout = raw_features(study=STUDY, genotype="KO", **request.param)
    script = notebook_script.run(control, knockout)
    wt = clean(control, described(control, STUDY, "WT"), STUDY)
    ko = clean(knockout, described(knockout, STUDY, "KO"), STUDY)
    training, test = split_cells(wt, STUDY.split)
    model = train(training, STUDY.model("as_published"), "v1")
    ours = {
        "clean": wt,
        "training": training,
        "test": predict(model, test),
        "ko": predict(model, ko),
    }
    return script, ours


def same_cells(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        left[IDENTITY].reset_index(drop=True).astype({CELL_ID: "int64"}),
        right[IDENTITY].reset_index(drop=True).astype({CELL_ID: "int64"}),
    )


def test_split_has_the_same_cells_in_the_same_order(both):
    script, ours = both
    same_cells(script["training"], ours["training"])
    same_cells(script["test"], ours["test"])


def test_test_predictions_are_equal(both):
    script, ours = both
    np.testing.assert_array_equal(
        script["test"]["predicted_class"], ours["test"]["predicted_class"]
    )
    np.testing.assert_allclose(script["test"][SCORE], ours["test"][SCORE], rtol=0, atol=1e-12)


def test_knockout_predictions_are_equal(both):
    script, ours = both
    np.testing.assert_array_equal(script["ko_predicted"], ours["ko"]["predicted_class"])
    np.testing.assert_allclose(script["ko_scores"], ours["ko"][SCORE], rtol=0, atol=1e-12)


def test_metrics_are_equal(both):
    script, ours = both
    table = evaluate(ours["test"])
    assert auc_of(table) == pytest.approx(script["auc"], abs=1e-12)
    np.testing.assert_allclose(roc_of(table)["fpr"], script["fpr"], atol=1e-12)
    np.testing.assert_allclose(roc_of(table)["tpr"], script["tpr"], atol=1e-12)
    np.testing.assert_array_equal(confusion_of(table), script["test_matrix"])
    np.testing.assert_array_equal(confusion_of(evaluate(ours["ko"])), script["ko_matrix"])
    share = script["test_matrix"] / script["test_matrix"].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(confusion_of(table, normalise=True), share, atol=1e-12)


def test_error_galleries_show_the_same_cells(both):
    script, ours = both
    chosen = choose_error_cells(ours["test"], 9)
    assert set(chosen[PANEL]) <= set(OUTCOMES)
    for outcome in OUTCOMES:
        cells = script["galleries"][outcome]
        same_cells(cells, chosen[chosen[PANEL] == outcome])


def test_the_cell_shown_in_its_field_is_the_same(both):
    script, ours = both
    same_cells(script["context"], choose_context_cell(ours["clean"], 42))


def test_tied_scores_are_part_of_the_comparison():
    control = raw_features(study=STUDY, genotype="WT", **TABLES["many equal scores"])
    script = notebook_script.run(control, control)
    low = script["test"][script["test"][SCORE].duplicated(keep=False)]
    assert len(low) > 20


def scores_match(shown: pd.DataFrame, predictions: pd.DataFrame) -> bool:
    """Whether every shown cell carries the score that the prediction table has for it."""
    table = predictions.set_index(IDENTITY)[SCORE]
    own = table.loc[pd.MultiIndex.from_frame(shown[IDENTITY])].to_numpy()
    return bool(np.array_equal(own, shown["score"].to_numpy()))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    control = raw_features(5, STUDY, "WT", cells=40, datasets=6)
    wt = clean(control, described(control, STUDY, "WT"), STUDY)
    training, test = split_cells(wt, STUDY.split)
    predictions = predict(train(training, STUDY.model("as_published"), "v1"), test)
    paths = write_crops([wt], tmp_path_factory.mktemp("crops"), STUDY)
    return predictions, paths, error_gallery(predictions, paths, STUDY)


def test_scores_follow_identity_although_ids_repeat_across_datasets(gallery):
    predictions, _, picture = gallery
    ids = predictions.groupby(CELL_ID)[DATASET].nunique()
    assert (ids > 1).any(), "ids must repeat across datasets for this test to say anything"
    assert len(picture.table) == 36
    assert scores_match(picture.table, predictions)


def test_the_notebooks_positional_scores_fail_the_same_check(gallery):
    predictions, paths, _ = gallery
    stored = {d: sorted(predictions.loc[predictions[DATASET] == d, CELL_ID]) for d in paths}
    chosen = choose_error_cells(predictions, 9)
    for outcome in OUTCOMES:
        cells = chosen[chosen[PANEL] == outcome]
        shown = notebook_script.positional_scores(cells, stored)
        assert set(shown[CELL_ID]) == set(cells[CELL_ID])  # the right cells ...
        assert not scores_match(shown, predictions)  # ... under others' scores


def test_each_drawn_crop_stands_under_its_own_score(gallery):
    predictions, paths, picture = gallery
    dataset_of, marker = codes(paths), 2 + STUDY.channels.index(STUDY.marker_channel)
    table = predictions.set_index(IDENTITY)[SCORE]
    drawn = 0
    for ax in picture.figure.axes:
        crops = [image.get_array() for image in ax.images]
        labels = [t.get_text() for t in ax.texts if t.get_text()[:2] in ("0.", "1.")]
        assert len(crops) == len(labels)
        for crop, label in zip(crops, labels, strict=True):
            code, cell, channel = decoded(crop)
            assert channel == marker
            assert label == f"{table.loc[(dataset_of[code], cell)]:.2f}"
            drawn += 1
    assert drawn == 36
