"""Robustness: the effect of a knockout under every choice that could have been made otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from autophagy_assets.analysis.effects.effect import CONFIDENCE, Effect, effect_of
from autophagy_assets.analysis.effects.responses import (
    MEAN_PROBABILITY,
    POSITIVE_SHARE,
    measure,
    responses,
)
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.evidence.scoring import scored_as_stored
from autophagy_assets.analysis.evidence.threshold import threshold_at
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, SCORE
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

NO_MODEL = "no model"
MORE_PROBABLE = "the more probable class"
RATES = (0.01, 0.05, 0.1)
COLUMNS = [
    MODEL, SCHEME, "measure", "threshold", "difference", "low", "high", "n_control", "n_knockout",
]  # fmt: skip
_KEPT = [MODEL, SCHEME, *IDENTITY, CLASS, *METADATA, SCORE]


def scores_by_scheme(
    cross_validation: pd.DataFrame, predictions: pd.DataFrame, model: Model
) -> Iterator[pd.DataFrame]:
    """Scores of a knockout's cells beside those of the control, one scheme after the other.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Out-of-fold scores of the control, as `cross_validate` gives them.
    predictions : pandas.DataFrame
        Identity, class, metadata and ``prob_class1`` of the knockout's cells, by the stored model.

    Yields
    ------
    pandas.DataFrame
        ``model``, ``scheme``, identity, class, metadata, ``prob_class1``. The knockout's cells are
        in no fold, so they have the same score in each scheme.
    """
    schemes = cross_validation.loc[cross_validation[MODEL] == model.name, SCHEME].unique()
    for scheme in schemes:
        control = scored_as_stored(cross_validation, model, scheme)
        knockout = predictions.assign(**{MODEL: model.name, SCHEME: scheme})
        yield pd.concat([control[_KEPT], knockout[_KEPT]], ignore_index=True)


def specifications(
    scores: Iterable[pd.DataFrame],
    knockout: str,
    stimulation: str,
    study: Study,
    cells: pd.DataFrame | None = None,
    features: Mapping[str, str] | None = None,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Measure the effect of a knockout with every model, scheme, measure and threshold.

    Parameters
    ----------
    scores : iterable of pandas.DataFrame
        Tables of `scores_by_scheme` of all models; each has all cells of its models and schemes.
    cells : pandas.DataFrame, optional
        Identity, class, metadata and features of all cells.
    features : mapping of str to str, optional
        Columns of `cells` that say something without a model, such as the number of puncta on
        either scale, by what they are called; the more of it, the more of class 1.
    confidence : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        A row by model, scheme, measure and threshold, the smallest difference first: ``model``
        (or feature), ``scheme`` (or "no model"), ``measure``, ``threshold`` (how it was set),
        ``difference``, ``low``, ``high``, ``n_control``, ``n_knockout`` (clones).

    Raises
    ------
    InputError
        If an arm has no response, or a feature is not there.

    Notes
    -----
    All are shares or probabilities, so that they can be compared: the mean probability, and the
    share of positive cells where those are positive that are probably of class 1, or that are above
    what 1, 5 and 10 % of the control's untreated cells exceed. A feature by itself has only the
    last three. A threshold that no cell is above measures nothing and is left out.
    """
    rows = []
    grouped = (one for table in scores for one in table.groupby([MODEL, SCHEME], sort=False))
    for (model, scheme), scored in grouped:
        found = responses(measure(scored, 0.5), study)
        effect = effect_of(found, knockout, stimulation, MEAN_PROBABILITY, study, confidence)
        rows.append(_row(model, scheme, "none", effect))
        for how, threshold in _thresholds(scored, study, {MORE_PROBABLE: 0.5}):
            found = responses(measure(scored, threshold), study)
            effect = effect_of(found, knockout, stimulation, POSITIVE_SHARE, study, confidence)
            rows.append(_row(model, scheme, how, effect))
    for name, column in (features or {}).items():
        if cells is None or column not in cells.columns:
            raise InputError(f"There is no feature {column!r} of the cells; name another one.")
        valued = cells[[*IDENTITY, CLASS, *METADATA]].assign(**{SCORE: cells[column]})
        for how, threshold in _thresholds(valued, study, {}):
            found = responses(measure(valued, threshold), study)
            effect = effect_of(found, knockout, stimulation, POSITIVE_SHARE, study, confidence)
            rows.append(_row(name, NO_MODEL, how, effect))
    table = pd.DataFrame(rows, columns=COLUMNS)
    by = ["difference", MODEL, SCHEME, "measure", "threshold"]
    return table.sort_values(by, ignore_index=True)


def _thresholds(
    cells: pd.DataFrame, study: Study, fixed: dict[str, float]
) -> Iterator[tuple[str, float]]:
    untreated = (cells["genotype"] == study.control) & (cells["stimulation"] == study.classes[0])
    of_rates = {
        f"{100 * rate:g} % of untreated": threshold_at(cells.loc[untreated, SCORE], rate)
        for rate in RATES
    }
    for how, threshold in (fixed | of_rates).items():
        if threshold is not None and (cells[SCORE] > threshold).any():
            yield how, threshold


def _row(model: object, scheme: object, threshold: str, effect: Effect) -> dict[str, object]:
    row = {name: getattr(effect, name) for name in ("measure", "difference", "low", "high")}
    return row | {
        MODEL: model,
        SCHEME: scheme,
        "threshold": threshold,
        "n_control": len(effect.control_responses),
        "n_knockout": len(effect.knockout_responses),
    }


def robustness_sentence(table: pd.DataFrame, knockout: str, study: Study) -> str:
    """Sum up in how many ways of measuring the knockout responds less or more, and by how much.

    Parameters
    ----------
    table : pandas.DataFrame
        As `specifications` gives it.
    study : Study
        Names the control.

    Returns
    -------
    str
        If the sign is not the same everywhere, that is what it says.

    Raises
    ------
    InputError
        If the table is empty.
    """
    if table.empty:
        raise InputError(f"There is no way of measuring the effect of {knockout}.")
    n, differences = len(table), table["difference"].to_numpy()
    sides = {"less": differences[differences < 0], "more": differences[differences > 0]}
    clear = int(((table["low"] > 0) | (table["high"] < 0)).sum())
    intervals = (
        f"in {clear} of {n} the interval over clones leaves out 0"
        if table["low"].notna().any()
        else "there is no interval over clones"
    )
    for side, found in sides.items():
        if len(found) == n:
            size = np.abs(found)
            return (
                f"In {n} of {n} ways of measuring it {knockout} responds {side} than "
                f"{study.control}, by {size.min():.2f} to {size.max():.2f}; {intervals}."
            )
    said = [
        f"in {len(found)} of {n} it responds {side}, by up to {np.abs(found).max():.2f}"
        for side, found in sides.items()
        if len(found)
    ] or [f"in {n} of {n} there is no difference"]
    primary = table.loc[table[MODEL] == study.primary, "difference"]
    by_primary = (
        f" With model {study.primary} it responds less in {int((primary < 0).sum())} of "
        f"{len(primary)}."
    )
    return (
        f"Whether {knockout} responds less or more than {study.control} depends on how it is "
        f"measured: {', '.join(said)}; {intervals}.{by_primary if len(primary) else ''}"
    )
