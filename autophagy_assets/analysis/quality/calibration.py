"""How far an AUC and the scores behind it can be trusted.

Here: the uncertainty of an AUC, the comparison with an earlier one, and calibration. Not here:
the AUC itself (``evaluation``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from autophagy_assets.analysis.classifier.predictions import POSITIVE
from autophagy_assets.analysis.identity import CLASS, SCORE
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.config.sections import Checks

AUC, ERROR = "auc", "standard error"


@dataclass(frozen=True)
class Accepted:
    """An earlier model that was accepted.

    Parameters
    ----------
    auc, error : float
        Its AUC and the standard error of it.
    when : str
        Date.
    """

    auc: float
    error: float
    when: str


def auc_error(true: np.ndarray, scores: np.ndarray) -> float:
    """Standard error of the area under a ROC curve.

    Parameters
    ----------
    true : numpy.ndarray of int, shape (n_cells,)
        Class numbers; class 1 is positive.
    scores : numpy.ndarray of float, shape (n_cells,)

    Returns
    -------
    float
        NaN where a class has fewer than two cells.

    Notes
    -----
    The estimate of [1]_, from midranks as in [2]_. It takes cells as independent of each other;
    those of one image are not, so it is rather too small.

    References
    ----------
    .. [1] DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    .. [2] Sun & Xu (2014), IEEE Signal Processing Letters 21, 1389-1393.

    Examples
    --------
    >>> round(auc_error(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 3)
    0.354
    """
    from scipy.stats import rankdata

    positive, negative = scores[true == POSITIVE], scores[true != POSITIVE]
    m, n = len(positive), len(negative)
    if min(m, n) < 2:
        return float("nan")
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    return float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))


def above_chance(auc: float, cells: int, checks: Checks) -> Finding:
    """Check whether a classifier has learned anything.

    Parameters
    ----------
    auc : float
        NaN where only one class occurs.
    cells : int
        Number of test cells.
    checks : Checks
        What the AUC has to be above.
    """
    observation = (
        f"The AUC on {cells} test cells is {auc:.3f}, and more than {checks.auc_above:g} is asked"
    )
    remedy = ": look at the error galleries; the stimulation may not have worked."
    passed = bool(auc > checks.auc_above)
    return Finding(passed, observation + ("." if passed else remedy), {AUC: auc, "cells": cells})


def not_below(
    predictions: pd.DataFrame, auc: float, last: Accepted | None, checks: Checks
) -> Finding:
    """Check whether an AUC is no lower than that of the last accepted model.

    Parameters
    ----------
    predictions : pandas.DataFrame
        ``class`` and ``prob_class1`` of the test cells.
    auc : float
        Of these predictions.
    last : Accepted or None
        None for the first model.
    checks : Checks
        How many standard errors are chance.

    Returns
    -------
    Finding
        Its numbers ``auc`` and ``standard error`` are what the next model is compared with.

    Notes
    -----
    The standard error of the difference is that of two independent AUCs. Test cells that both
    models share make the difference more certain than that, so the check rather stays silent.
    """
    error = auc_error(predictions[CLASS].to_numpy(), predictions[SCORE].to_numpy())
    observation = f"The AUC is {auc:.3f} ± {error:.3f} on {len(predictions)} test cells"
    numbers: dict[str, int | float | str] = {AUC: auc, ERROR: error, "cells": len(predictions)}
    if not np.isfinite(auc) or not np.isfinite(error):
        return Finding(
            False, f"{observation}: add fields of view until both classes have test cells.", numbers
        )
    if last is None:
        return Finding(
            True, f"{observation}; no earlier model was accepted to compare with.", numbers
        )
    allowed = checks.auc_standard_errors * float(np.hypot(error, last.error))
    drop = last.auc - auc
    observation += (
        f"; the last accepted model ({last.when}) had {last.auc:.3f} ± {last.error:.3f}, and a "
        f"drop of {allowed:.3f} ({checks.auc_standard_errors:g} standard errors) may be chance"
    )
    remedy = f", but it dropped by {drop:.3f}: find out which new images or settings did it."
    numbers |= {"change since the last accepted": -drop, "drop allowed": allowed}
    passed = bool(drop <= allowed)
    return Finding(passed, observation + ("." if passed else remedy), numbers)


def reliability(predictions: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Compare scores with how often they are right.

    Parameters
    ----------
    predictions : pandas.DataFrame
        ``class`` and ``prob_class1`` of cells.
    bins : int
        Number of bins of equal width from 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row per bin that has cells: ``score`` (mean), ``share`` of class 1, ``cells``.
    """
    from sklearn.calibration import calibration_curve

    true, scores = predictions[CLASS].to_numpy() == POSITIVE, predictions[SCORE].to_numpy()
    share, score = calibration_curve(true, scores, n_bins=bins)
    # Counted with the edges that calibration_curve takes; it leaves out empty bins as well.
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores))
    return pd.DataFrame({"score": score, "share": share, "cells": counts[counts > 0]})


def calibrated(predictions: pd.DataFrame, checks: Checks) -> Finding:
    """Check whether a score of 0.8 means that 80 of 100 such cells are of class 1.

    Parameters
    ----------
    predictions : pandas.DataFrame
        ``class`` and ``prob_class1`` of the test cells.
    checks : Checks
        Number of bins, and the largest calibration error.

    Notes
    -----
    The expected calibration error [1]_ is the distance between mean score and share of class 1,
    averaged over the cells. Few cells have one by chance even with perfect scores: its expected
    value, from the normal approximation of the share in each bin, is taken off.

    References
    ----------
    .. [1] Guo, Pleiss, Sun & Weinberger (2017), Proceedings of ICML 70, 1321-1330.
    """
    from sklearn.metrics import brier_score_loss

    true, scores = predictions[CLASS].to_numpy() == POSITIVE, predictions[SCORE].to_numpy()
    table = reliability(predictions, checks.calibration_bins)
    apart = (table["score"] - table["share"]).abs()
    error = float(np.average(apart, weights=table["cells"]))
    bins = np.searchsorted(np.linspace(0, 1, checks.calibration_bins + 1)[1:-1], scores)
    chance = float(
        np.sqrt(2 / np.pi)
        * np.sqrt(np.bincount(bins, weights=scores * (1 - scores))).sum()
        / len(scores)
    )
    most = checks.calibration_error
    observation = (
        f"The scores of {len(scores)} test cells are {error:.3f} off the share of class 1 on "
        f"average, of which chance explains {chance:.3f}; up to {most:g} beyond chance is taken "
        "as usual"
    )
    remedy = ": read a score as a rank and not as a probability."
    numbers: dict[str, int | float | str] = {
        "calibration error": error,
        "calibration error by chance": chance,
        "brier score": float(brier_score_loss(true, scores, labels=[False, True])),
        "cells": len(scores),
    }
    passed = error - chance <= most
    return Finding(passed, observation + ("." if passed else remedy), numbers, table.round(3))
