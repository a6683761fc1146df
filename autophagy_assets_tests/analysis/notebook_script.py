"""What the reference notebook does with two feature tables, as a plain script.

Written to compare with: scikit-learn and pandas only, nothing of this project, names of
columns, classes and parameters spelled out. ``positional_scores`` keeps the notebook's fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import auc, confusion_matrix, roc_curve
from sklearn.model_selection import train_test_split

PARAMETERS: dict[str, Any] = {
    "random_state": 42,
    "n_estimators": 100,
    "max_depth": 10,
    "min_samples_split": 2,
    "min_samples_leaf": 1,
    "max_features": "sqrt",
    "criterion": "gini",
    "bootstrap": True,
}


def inputs_and_targets(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    marker = [name for name in table.columns if "mCherry" in name]
    kept = table.drop(columns=["dataset", "scportrait_cell_id", *marker])
    return kept.drop(columns="class"), kept["class"]


def run(control: pd.DataFrame, knockout: pd.DataFrame, n_cells: int = 9) -> dict[str, Any]:
    training, test = train_test_split(control, test_size=0.4, random_state=42)
    test = test.copy()
    x, y = inputs_and_targets(training)
    forest = RandomForestClassifier(**PARAMETERS).fit(x, y)

    x_test, y_test = inputs_and_targets(test)
    test["predicted_class"] = forest.predict(x_test)
    test["prob_class1"] = forest.predict_proba(x_test)[:, 1]
    fpr, tpr, _ = roc_curve(y_test, test["prob_class1"])

    x_ko, y_ko = inputs_and_targets(knockout)
    called = forest.predict(x_ko)
    return {
        "training": training,
        "test": test,
        "fpr": fpr,
        "tpr": tpr,
        "auc": auc(fpr, tpr),
        "test_matrix": confusion_matrix(y_test, test["predicted_class"]),
        "ko_predicted": called,
        "ko_scores": forest.predict_proba(x_ko)[:, 1],
        "ko_matrix": confusion_matrix(y_ko, called),
        "galleries": error_cells(test, n_cells),
        "context": control.sample(1, random_state=42),
    }


def error_cells(test: pd.DataFrame, n_cells: int) -> dict[str, pd.DataFrame]:
    is_positive, called_positive = test["class"] == 1, test["predicted_class"] == 1
    groups = {
        "TP": test[is_positive & called_positive],
        "TN": test[~is_positive & ~called_positive],
        "FN": test[is_positive & ~called_positive],
        "FP": test[~is_positive & called_positive],
    }
    ranked = {k: v.sort_values("prob_class1", ascending=False) for k, v in groups.items()}
    take = {"TP": "head", "TN": "tail", "FN": "tail", "FP": "head"}
    return {k: getattr(v, take[k])(n_cells) for k, v in ranked.items()}


def positional_scores(cells: pd.DataFrame, stored_ids: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Attach scores to images by position: the images come in file order, the scores do not."""
    parts = []
    for dataset in cells["dataset"].unique():
        selected = cells[cells["dataset"] == dataset]
        wanted = set(selected["scportrait_cell_id"])
        in_file = [i for i in stored_ids[dataset] if i in wanted]
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "scportrait_cell_id": np.array(in_file, dtype="int64"),
                    "score": selected["prob_class1"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
