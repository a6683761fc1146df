"""Checks of cells, their features and their scores.

Not here: what makes a table unusable (``contract``), differences between samples (``drift``)
and how far the scores can be trusted (``calibration``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.parts import Cells, parts, whole
from autophagy_assets.analysis.identity import CLASS, IDENTITY, SCORE, feature_columns
from autophagy_assets.analysis.quality.finding import Finding, Numbers, answer, first_of
from autophagy_assets.config.sections import Checks
from autophagy_assets.config.study import Study


def class_balance(table: Cells, name: str, study: Study) -> Finding:
    """Check whether no class is rare among the cells of a table.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.
    study : Study
        Names the classes and the smallest share.
    """
    found = whole(table, [CLASS])[CLASS]
    counts = {label: int((found == code).sum()) for code, label in study.classes.items()}
    cells = sum(counts.values())
    share = min(counts.values()) / max(cells, 1)
    smallest = study.checks.smallest_class
    observation = (
        f"Of {cells} cells of {name}{' of a class' if cells < len(table) else ''}, "
        f"{' and '.join(f'{n} are {label}' for label, n in counts.items())}; the rarer class has "
        f"{share:.0%}, and at least {smallest:.0%} is expected"
    )
    remedy = ": add fields of view of the rarer one, as few cells of it say little."
    numbers = {"share of the rarer class": share, **{f"cells, {k}": v for k, v in counts.items()}}
    return answer(share >= smallest, observation, remedy, numbers)


def intensities_differ(table: Cells, name: str, checks: Checks) -> Finding:
    """Check whether nucleus and cytosol were measured apart from each other.

    Parameters
    ----------
    table : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
        Features named ``<channel>_<statistic>_<region>``, regions ``nucleus`` and ``cytosol``.
    name : str
        What the reader calls the table.
    checks : Checks
        The largest share of cells that may be the same in both.

    Returns
    -------
    Finding
        It fails also where a single pair of features is the same in too many cells.

    Notes
    -----
    The whole cell is larger than its nucleus, so its mean intensity is another number; the same
    number in both means that both masks are one, or that a column was filled from the other.
    """
    pairs = [
        (column, other)
        for column in feature_columns(table)
        if column.endswith("_nucleus")
        and (other := f"{column.removesuffix('_nucleus')}_cytosol") in table.columns
    ]
    if not pairs or not len(table):
        return Finding(True, f"{name} has no intensities of both nucleus and cytosol to compare.")
    nuclei, cytosols = [a for a, _ in pairs], [b for _, b in pairs]
    n_same = np.zeros(len(pairs), dtype=int)
    for cells in parts(table, [*nuclei, *cytosols]):
        nucleus, cytosol = (cells[side].to_numpy(dtype=float) for side in (nuclei, cytosols))
        n_same += ((nucleus == cytosol) & (nucleus != 0)).sum(axis=0)
    same = n_same / len(table)
    worst = int(np.argmax(same))
    share, most = float(same[worst]), checks.same_intensity
    observation = (
        f"{len(pairs)} intensities were compared between nucleus and cytosol in {len(table)} cells "
        f"of {name}; {pairs[worst][0]} is the same in both most often, in {share:.1%} of the "
        f"cells, and up to {most:.1%} is taken as usual"
    )
    remedy = ": look at the outlines in spatial_context, both masks may be the same one."
    numbers: Numbers = {"share of cells with the same": share, "feature": pairs[worst][0]}
    return answer(share <= most, observation, remedy, {**numbers, "cells": len(table)})


def sides_apart(test: pd.DataFrame, training: pd.DataFrame) -> Finding:
    """Check that no test cell was used for training.

    Parameters
    ----------
    test, training : pandas.DataFrame
        Hold the identity of the cells.
    """
    shared = len(test[IDENTITY].merge(training[IDENTITY], on=IDENTITY))
    observation = (
        f"{shared} of {len(test)} test cells are also among the {len(training)} training cells"
    )
    remedy = ": make training_cells and test_cells again together, as the AUC is too good."
    numbers = {"cells on both sides": shared, "test cells": len(test)}
    return answer(not shared, observation, remedy, numbers | {"training cells": len(training)})


def scores_agree(drawn: pd.DataFrame, shown: str, predictions: pd.DataFrame) -> Finding:
    """Check whether the score under each picture is that cell's score in the table.

    Parameters
    ----------
    drawn : pandas.DataFrame
        Identity of each cell that is drawn, and its score as it is shown.
    shown : str
        Column of the score in `drawn`.
    predictions : pandas.DataFrame
        Identity and ``prob_class1``.

    Returns
    -------
    Finding
        A cell that is not in the table has a wrong score.
    """
    both = drawn[[*IDENTITY, shown]].merge(
        predictions[[*IDENTITY, SCORE]], on=IDENTITY, how="left", validate="many_to_one"
    )
    wrong = int((both[shown] != both[SCORE]).sum())
    observation = (
        f"{wrong} of {len(drawn)} pictures carry a score that is not their cell's in the table"
    )
    remedy = ": do not use the figure; make the gallery again."
    return answer(not wrong, observation, remedy, {"pictures": len(drawn), "wrong scores": wrong})


def features_match(table: Sequence[str], models: Mapping[str, Sequence[str]], name: str) -> Finding:
    """Check whether a table has the features of every model.

    Parameters
    ----------
    table : sequence of str
        Features of the table, in any order.
    models : mapping of str to sequence of str
        Features that each model was trained on.
    name : str
        What the reader calls the table.
    """
    present = set(table)
    lacking = {
        model: [feature for feature in features if feature not in present]
        for model, features in models.items()
    }
    trained = ", ".join(f"{model} on {len(features)}" for model, features in models.items())
    observation = f"{name} has {len(table)} features, and the models were trained: {trained}"
    wrong = [f"for {m} it lacks {first_of(names)}" for m, names in lacking.items() if names]
    remedy = f"; {' and '.join(wrong)}: make both again with the same study file."
    numbers = {"features": len(table), "lacking": sum(map(len, lacking.values()))}
    return answer(not wrong, observation, remedy, numbers)
