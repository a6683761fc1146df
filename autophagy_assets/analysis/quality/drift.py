"""Drift: whether samples of one condition differ more than cells of a sample do.

Here: the comparison of samples, feature by feature. Not here: questions about single tables
(``quality``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import DATASET, feature_columns
from autophagy_assets.analysis.quality.finding import Finding, Numbers, counted
from autophagy_assets.config.sections import Checks

CONDITION, CLONE = "stimulation", "clone"
SIGNIFICANCE = 0.01
_IQR_OF_NORMAL = 1.349  # interquartile range of a normal distribution, in standard deviations


def differences(cells: pd.DataFrame, min_cells: int) -> pd.DataFrame:
    """How far the median of each feature in each sample is from the others of its condition.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells of a genotype with ``stimulation``, ``clone``, ``dataset``, ``fov`` and
        features.
    min_cells : int
        Samples with fewer cells are not compared.

    Returns
    -------
    pandas.DataFrame
        One row per sample and feature: ``stimulation``, ``sample``, ``n``, ``n_others``,
        ``feature`` and ``difference`` (in spreads, without a sign).

    Notes
    -----
    A sample is a clone, or a field of view where a condition has a single clone. The difference
    of two medians is divided by the spread of the cells within the two groups, the mean of both
    interquartile ranges over 1.349; where that is zero, by the standard deviation of all.
    """
    features = feature_columns(cells)
    parts = [
        pd.DataFrame(
            {
                "stimulation": condition,
                "sample": sample,
                "n": len(one),
                "n_others": len(others),
                "feature": features,
                "difference": _difference(one, others),
            }
        )
        for condition, sample, one, others in _samples(cells, features, min_cells)
    ]
    columns = ["stimulation", "sample", "n", "n_others", "feature", "difference"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def drift(cells: pd.DataFrame, name: str, checks: Checks) -> Finding:
    """Check whether samples of the same condition have the same features.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells of a genotype with ``stimulation``, ``clone``, ``dataset``, ``fov`` and
        features.
    name : str
        What the reader calls the table.
    checks : Checks
        The largest difference, and the fewest cells of a sample.

    Returns
    -------
    Finding
        It names the feature that differs most.

    Notes
    -----
    A difference beyond the threshold counts only if chance alone is not enough to explain it:
    a two-sample Kolmogorov-Smirnov test, its p corrected for the number of comparisons
    (Bonferroni), below 0.01. Cells of a sample are not independent of each other, so the test
    keeps small samples from raising an alarm and says nothing more.
    """
    table = differences(cells, checks.drift_min_cells)
    if table.empty:
        return Finding(
            True,
            f"{name} has no condition with two samples of {checks.drift_min_cells} or more cells, "
            "so none were compared.",
            {"samples compared": 0},
        )
    table = table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)
    beyond = table[table["difference"] > checks.drift]
    certain = beyond[_p_values(beyond, cells, checks) * len(table) < SIGNIFICANCE]
    worst = (certain if len(certain) else table).iloc[0]
    samples = len(table[["stimulation", "sample"]].drop_duplicates())
    observation = (
        f"{table['feature'].nunique()} features were compared between {samples} samples of {name} "
        f"within their condition; {worst['feature']} differs most, by {worst['difference']:.2f} "
        f"times the spread of the cells, in {worst['sample']}, {worst['stimulation']} (n = "
        f"{worst['n']} cells, against {worst['n_others']}), and up to {checks.drift:g} is taken "
        "as usual"
    )
    if len(certain):
        others = certain["feature"].nunique() - 1
        more = f"; {counted(others, 'other feature')} beyond it as well" if others else ""
        observation += (
            f"{more}: compare staining, exposure and focus of this sample with the others."
        )
    elif len(beyond):
        observation += "; with so few cells it may be chance."
    else:
        observation += "."
    numbers: Numbers = {
        "largest difference": float(worst["difference"]),
        "feature": str(worst["feature"]),
        "sample": f"{worst['sample']}, {worst['stimulation']}",
        "features beyond": int(certain["feature"].nunique()),
        "samples compared": samples,
        "cells": len(cells),
    }
    return Finding(not len(certain), observation, numbers)


def _samples(
    cells: pd.DataFrame, features: list[str], min_cells: int
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Values of each sample, and of the others of its condition."""
    values = cells[features].to_numpy(dtype=float)
    for condition, rows in cells.groupby(CONDITION, sort=True).indices.items():
        called = _called(cells.iloc[rows])
        sizes = called.value_counts()
        large = sorted(sizes.index[sizes >= min_cells])
        kept = rows[called.isin(large).to_numpy()]
        names = called[called.isin(large)].to_numpy()
        for sample in large if len(large) > 1 else []:
            yield (
                str(condition),
                str(sample),
                values[kept[names == sample]],
                values[kept[names != sample]],
            )


def _called(condition: pd.DataFrame) -> pd.Series:
    """Name of the sample of each cell of a condition."""
    several = condition[CLONE].nunique() > 1
    if several:
        return condition[CLONE]
    names = condition[DATASET].astype(str)
    many = condition.groupby(DATASET)["fov"].transform("nunique") > 1
    return "field " + names.where(~many, names + ", " + condition["fov"].astype(str))


def _difference(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    first, second = (np.quantile(x, [0.25, 0.5, 0.75], axis=0) for x in (one, others))
    apart = np.abs(first[1] - second[1])
    spread = (first[2] - first[0] + second[2] - second[0]) / 2 / _IQR_OF_NORMAL
    spread = np.where(spread > 0, spread, np.concatenate([one, others]).std(axis=0))
    return np.divide(apart, spread, out=np.zeros_like(apart), where=apart > 0)


def _p_values(beyond: pd.DataFrame, cells: pd.DataFrame, checks: Checks) -> np.ndarray:
    from scipy.stats import ks_2samp

    features = list(dict.fromkeys(beyond["feature"]))
    groups = {
        (condition, sample): (one, others)
        for condition, sample, one, others in _samples(cells, features, checks.drift_min_cells)
    }
    p = []
    for row in beyond.itertuples():
        column = features.index(row.feature)
        one, others = groups[row.stimulation, row.sample]
        # The exact distribution takes long, and the approximation is good from 20 cells on.
        p.append(ks_2samp(one[:, column], others[:, column], method="asymp").pvalue)
    return np.array(p, dtype=float)
