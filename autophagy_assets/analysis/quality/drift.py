"""Drift: whether samples of one condition differ more than cells of a sample do.

Here: the comparison of samples, feature by feature. Not here: questions about single tables
(``quality``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features.parts import Cells, whole
from autophagy_assets.analysis.identity import DATASET, feature_columns
from autophagy_assets.analysis.quality.finding import Finding, Numbers, counted
from autophagy_assets.config.sections import Checks

CONDITION, CLONE = "stimulation", "clone"
SIGNIFICANCE = 0.01
_IQR_OF_NORMAL = 1.349  # interquartile range of a normal distribution, in standard deviations


@dataclass(frozen=True)
class _Sample:
    """Cells of a sample among those of its condition.

    Attributes
    ----------
    rows : numpy.ndarray of int, shape (n,)
        Of the cells of the condition, in their table.
    numbers : numpy.ndarray of int, shape (n,)
        Of the sample of each of them; samples of a condition share both arrays.
    number : int
        Of this sample.
    """

    condition: str
    name: str
    rows: np.ndarray
    numbers: np.ndarray
    number: int

    def values(self, feature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of a feature in the sample, and in the others of its condition."""
        found, inside = feature[self.rows], self.numbers == self.number
        return found[inside], found[~inside]

    @property
    def size(self) -> int:
        """Number of its cells."""
        return int((self.numbers == self.number).sum())


def differences(cells: Cells, min_cells: int) -> pd.DataFrame:
    """Distance of the median of each feature in each sample from the others of its condition.

    Parameters
    ----------
    cells : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
        Cells of a genotype with ``stimulation``, ``clone``, ``dataset``, ``fov`` and
        features, of which one is in memory at a time.
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
    samples, features = _samples(cells, min_cells), feature_columns(cells)
    found = np.empty((len(samples), len(features)))
    for place, feature in enumerate(features if samples else []):
        values = whole(cells, [feature])[feature].to_numpy(dtype=float)
        found[:, place] = [_difference(*sample.values(values)) for sample in samples]
    parts = [
        pd.DataFrame(
            {
                "stimulation": sample.condition,
                "sample": sample.name,
                "n": sample.size,
                "n_others": len(sample.rows) - sample.size,
                "feature": features,
                "difference": apart,
            }
        )
        for sample, apart in zip(samples, found, strict=True)
    ]
    columns = ["stimulation", "sample", "n", "n_others", "feature", "difference"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def drift(cells: Cells, name: str, checks: Checks) -> Finding:
    """Check whether samples of the same condition have the same features.

    Parameters
    ----------
    cells : pandas.DataFrame or StoredCells, shape (n_cells, n_columns)
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


def _samples(cells: Cells, min_cells: int) -> list[_Sample]:
    """Samples that are compared, by condition and name."""
    labels, samples = whole(cells, [CONDITION, CLONE, DATASET, "fov"]), []
    for condition, rows in labels.groupby(CONDITION, sort=True).indices.items():
        called = _called(labels.iloc[rows])
        sizes = called.value_counts()
        large = sorted(sizes.index[sizes >= min_cells])
        numbers = pd.Index(large).get_indexer(called)
        rows, numbers = rows[numbers >= 0], numbers[numbers >= 0]
        for number, name in enumerate(large if len(large) > 1 else []):
            samples.append(_Sample(str(condition), str(name), rows, numbers, number))
    return samples


def _called(condition: pd.DataFrame) -> pd.Series:
    """Name of the sample of each cell of a condition."""
    several = condition[CLONE].nunique() > 1
    if several:
        return condition[CLONE]
    names = condition[DATASET].astype(str)
    many = condition.groupby(DATASET)["fov"].transform("nunique") > 1
    return "field " + names.where(~many, names + ", " + condition["fov"].astype(str))


def _difference(one: np.ndarray, others: np.ndarray) -> float:
    first, second = (np.quantile(x, [0.25, 0.5, 0.75]) for x in (one, others))
    apart = abs(first[1] - second[1])
    spread = (first[2] - first[0] + second[2] - second[0]) / 2 / _IQR_OF_NORMAL
    if not spread > 0:
        spread = np.concatenate([one, others]).std()
    return float(apart / spread) if apart > 0 else 0.0


def _p_values(beyond: pd.DataFrame, cells: Cells, checks: Checks) -> np.ndarray:
    from scipy.stats import ks_2samp

    samples = {(s.condition, s.name): s for s in _samples(cells, checks.drift_min_cells)}
    p = pd.Series(index=beyond.index, dtype=float)
    for feature, rows in beyond.groupby("feature", sort=False):
        values = whole(cells, [feature])[feature].to_numpy(dtype=float)
        for row in rows.itertuples():
            one, others = samples[row.stimulation, row.sample].values(values)
            # The exact distribution takes long, and the approximation is good from 20 cells on.
            p[row.Index] = ks_2samp(one, others, method="asymp").pvalue
    return p.to_numpy()
