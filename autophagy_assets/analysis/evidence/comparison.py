"""Models side by side: how well each tells the classes apart, in every scheme.

Here: the numbers and the headline. Not here: how they are drawn (``comparison_figures``), and
what else could tell the classes apart (``controls``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from autophagy_assets.analysis.evidence.cross_validation import FOLD, MODEL, RAW, SCHEME
from autophagy_assets.analysis.evidence.folds import CLONE, FIELD, RANDOM, SCHEMES, strictest
from autophagy_assets.analysis.identity import CLASS, SCORE
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.errors import InputError

POOLED = "pooled"
COLUMNS = [
    MODEL, SCHEME, FOLD, "n_cells", "n_positive", "auc", "average_precision", "brier",
    "leakage_gap", "note",
]  # fmt: skip
_ONE_CLASS = "One class only: no AUC."
HOW = {
    RANDOM: "on cells drawn at random",
    FIELD: "on fields of view that it had not seen",
    CLONE: "on clones that it had not seen",
}


@dataclass(frozen=True)
class Headline:
    """How well the primary model does, by the strictest scheme that the cells allow.

    Attributes
    ----------
    auc, average_precision, brier : float
        Of all out-of-fold scores; NaN where a class is absent.
    n_cells, n_folds : int
        Cells scored, and groups of cells left out in turn.
    leakage_gap : float
        AUC on cells drawn at random minus `auc`; NaN where only one scheme is possible.
    as_published : float or None
        AUC of the notebook's model on cells drawn at random; None where it is not there.
    refused : dict of str to str
        Why schemes are not possible.
    """

    model: str
    scheme: str
    auc: float
    average_precision: float
    brier: float
    n_cells: int
    n_folds: int
    leakage_gap: float
    as_published: float | None
    refused: dict[str, str]

    @property
    def sentence(self) -> str:
        """The numbers in words, beside those of "as published"."""
        unit = {RANDOM: "parts", FIELD: "groups of fields", CLONE: "clones"}[self.scheme]
        said = (
            f"Model {self.model} has an AUC of {self.auc:.2f} {HOW[self.scheme]} "
            f"({self.n_cells} cells, {self.n_folds} {unit} left out in turn)"
        )
        if self.as_published is None or (self.model, self.scheme) == (AS_PUBLISHED, RANDOM):
            return f"{said}."
        return (
            f"{said}; as published, on cells drawn at random, it would be {self.as_published:.2f}."
        )


def auc_of(classes: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve.

    Parameters
    ----------
    classes : array-like of int, shape (n_cells,)
        0 or 1.
    scores : array-like of float, shape (n_cells,)

    Returns
    -------
    float
        NaN where a class is absent.
    """
    if len(np.unique(np.asarray(classes))) < 2:
        return float("nan")
    return float(roc_auc_score(classes, scores))


def reference_of(of_model: pd.DataFrame, scheme: str) -> float:
    """AUC of a model in a scheme.

    Parameters
    ----------
    of_model : pandas.DataFrame
        Its rows of `cross_validate`.

    Returns
    -------
    float
        NaN if the model has no scores in that scheme.
    """
    rows = of_model[of_model[SCHEME] == scheme]
    return auc_of(rows[CLASS], rows[RAW])


def compare(cross_validations: pd.DataFrame, refused: Mapping[str, str]) -> pd.DataFrame:
    """Measure how well models tell the classes apart.

    Parameters
    ----------
    cross_validations : pandas.DataFrame
        Tables of `cross_validate`, one below the other.
    refused : mapping of str to str
        Sentence by scheme that is not possible, as `refusals` gives it.

    Returns
    -------
    pandas.DataFrame
        A row by model, scheme and fold, and one for all folds of a scheme (fold ``pooled``), which
        comes first; models in the order of `cross_validations`, schemes from weak to strict.
        ``n_cells``, ``n_positive`` (of class 1), ``auc`` and ``average_precision`` (of the
        scores), ``brier`` (of the probabilities). ``leakage_gap``: AUC on random cells minus that
        of the strictest scheme, in the pooled row of the latter, else NaN. ``note``: what there is
        to say, such as why a scheme has no numbers.

    Raises
    ------
    InputError
        If there are no scores.
    """
    if cross_validations.empty:
        raise InputError("There are no cross-validated scores to compare; check the models.")
    rows = []
    for model, of_model in cross_validations.groupby(MODEL, sort=False):
        schemes = [scheme for scheme in SCHEMES if (of_model[SCHEME] == scheme).any()]
        pooled: dict[str, float] = {}
        for scheme in SCHEMES:
            cells = of_model[of_model[SCHEME] == scheme]
            if scheme in schemes:
                pooled[scheme] = auc_of(cells[CLASS], cells[RAW])
                rows.append(_measured(cells, POOLED))
                if scheme == strictest(schemes) and RANDOM in pooled and scheme != RANDOM:
                    rows[-1]["leakage_gap"] = pooled[RANDOM] - pooled[scheme]
                rows += [_measured(part, str(f)) for f, part in cells.groupby(FOLD, sort=False)]
            elif scheme in refused:
                rows.append(_refused(str(model), scheme, refused[scheme]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _measured(cells: pd.DataFrame, fold: str) -> dict[str, object]:
    classes, positive = cells[CLASS].to_numpy(), int((cells[CLASS] == 1).sum())
    both = 0 < positive < len(cells)
    return {
        MODEL: cells[MODEL].iloc[0],
        SCHEME: cells[SCHEME].iloc[0],
        FOLD: fold,
        "n_cells": len(cells),
        "n_positive": positive,
        "auc": auc_of(classes, cells[RAW]),
        "average_precision": average_precision_score(classes, cells[RAW]) if both else np.nan,
        "brier": brier_score_loss(classes, cells[SCORE], pos_label=1),
        "leakage_gap": np.nan,
        "note": "" if both else _ONE_CLASS,
    }


def _refused(model: str, scheme: str, sentence: str) -> dict[str, object]:
    names = ("auc", "average_precision", "brier", "leakage_gap")
    counts = {"n_cells": 0, "n_positive": 0}
    given = {MODEL: model, SCHEME: scheme, FOLD: POOLED, "note": sentence}
    return given | counts | dict.fromkeys(names, np.nan)


def pooled_rows(comparison: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rows of a model over all folds, one by scheme that is possible.

    Parameters
    ----------
    comparison : pandas.DataFrame
        As `compare` gives it.

    Returns
    -------
    pandas.DataFrame
        Index: the scheme.
    """
    kept = (comparison[MODEL] == model) & (comparison[FOLD] == POOLED) & (comparison["n_cells"] > 0)
    return comparison[kept].set_index(SCHEME)


def headline(comparison: pd.DataFrame, primary: str) -> Headline:
    """Say how well the primary model does, by the strictest scheme.

    Parameters
    ----------
    comparison : pandas.DataFrame
        As `compare` gives it.
    primary : str
        Name of the model.

    Raises
    ------
    InputError
        If the comparison lacks the model.
    """
    pooled = pooled_rows(comparison, primary)
    if pooled.empty:
        raise InputError(f"The comparison has no numbers of model {primary!r}; make it again.")
    scheme = strictest(pooled.index)
    row = pooled.loc[scheme]
    of_model = comparison[(comparison[MODEL] == primary) & (comparison[FOLD] != POOLED)]
    published = pooled_rows(comparison, AS_PUBLISHED)["auc"].get(RANDOM)
    refused = comparison[(comparison[MODEL] == primary) & (comparison["n_cells"] == 0)]
    return Headline(
        model=primary,
        scheme=scheme,
        auc=float(row["auc"]),
        average_precision=float(row["average_precision"]),
        brier=float(row["brier"]),
        n_cells=int(row["n_cells"]),
        n_folds=int((of_model[SCHEME] == scheme).sum()),
        leakage_gap=float(row["leakage_gap"]),
        as_published=None if published is None else float(published),
        refused=dict(zip(refused[SCHEME], refused["note"], strict=True)),
    )
