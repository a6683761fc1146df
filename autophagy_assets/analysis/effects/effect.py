"""Effect of a knockout: its response minus that of the control, with the clone as the unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autophagy_assets.analysis.effects.clone_statistics import (
    clones_needed,
    exact_p,
    smallest_p,
    welch_interval,
)
from autophagy_assets.analysis.effects.responses import CLONE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

CONFIDENCE, ALPHA = 0.95, 0.05
# Of the control's response: where the interval reaches no further, clones that are apart by less
# than that are not made much of.
NOTABLE = 0.5


@dataclass(frozen=True)
class Effect:
    """Difference between the responses of a knockout and of the control to a stimulation.

    Attributes
    ----------
    knockout_responses, control_responses : tuple of float
        One by clone, in the order of their names.
    difference : float
        Mean response of the knockout's clones minus that of the control's; below 0, the knockout
        responds less.
    low, high : float
        Interval of Welch's t on clones; NaN where an arm has one clone, or no arm has any spread.
    confidence : float
        Of the interval.
    p : float
        Two-sided, exact, by exchanging clones between the arms; NaN where there are too many ways.
    """

    knockout: str
    control: str
    stimulation: str
    measure: str
    knockout_responses: tuple[float, ...]
    control_responses: tuple[float, ...]
    difference: float
    low: float
    high: float
    confidence: float
    p: float

    @property
    def smallest_p(self) -> float:
        """Smallest exact p that this number of clones can give."""
        return smallest_p(len(self.knockout_responses), len(self.control_responses))

    @property
    def is_seen(self) -> bool:
        """Whether the interval leaves out 0; False where there is none."""
        return bool(self.low > 0 or self.high < 0)

    @property
    def largest_share(self) -> float:
        """Largest effect in the interval, as a share of the control's mean response.

        Infinite where the control does not respond, NaN where there is no interval.
        """
        largest, response = max(abs(self.low), abs(self.high)), abs(np.mean(self.control_responses))
        return float(largest / response) if response else math.inf

    @property
    def without_interval(self) -> str:
        """Why there is no interval; empty if there is one."""
        if not math.isnan(self.low):
            return ""
        if min(len(self.knockout_responses), len(self.control_responses)) < 2:
            return (
                "with one clone in an arm there is no interval: another clone may respond otherwise"
            )
        return "there is no interval, as the clones of each arm respond alike"

    @property
    def sentence(self) -> str:
        """The effect in words: size, certainty, and what the number of clones allows."""
        return f"{self._what()} {self._how_sure()} {self._allowed()}"

    def _what(self) -> str:
        def arm(genotype: str, found: tuple[float, ...]) -> str:
            each = ", ".join(f"{value:+.2f}" for value in found)
            said = f"{genotype} by {np.mean(found):+.2f}"
            return (
                f"{said} ({_clones(len(found))}: {each})" if len(found) > 1 else f"{said} (1 clone)"
            )

        return (
            f"{self.stimulation} changes the {self.measure} of "
            f"{arm(self.control, self.control_responses)} and of "
            f"{arm(self.knockout, self.knockout_responses)}."
        )

    def _how_sure(self) -> str:
        more = "more" if self.difference > 0 else "less"
        by = f"{abs(self.difference):.2f}"
        if math.isnan(self.low):
            if not self.difference:
                return f"No effect of the knockout is seen; {self.without_interval}."
            return f"The knockout responds {more} by {by}; {self.without_interval}."
        interval = f"{100 * self.confidence:g} % interval {self.low:+.2f} to {self.high:+.2f}"
        if self.is_seen:
            return f"The knockout responds {more} by {by} ({interval}, over clones)."
        if self.smallest_p > ALPHA and self._apart() and self.largest_share > NOTABLE:
            return (
                f"In these clones the knockout responds {more} by {by}, each of its clones {more} "
                f"than each of the control, but the {interval} has 0 in it: with so few clones "
                "that may be chance."
            )
        said = (
            f"No effect of the knockout is seen: the difference is {self.difference:+.2f} "
            f"({interval}, over clones, with 0 in it"
        )
        if self.largest_share <= NOTABLE:
            said += f"; at most {100 * self.largest_share:.0f} % of the control's response"
        return f"{said})."

    def _apart(self) -> bool:
        """Whether all clones of one arm respond more than all of the other one."""
        first, second = self.knockout_responses, self.control_responses
        return min(first) > max(second) or max(first) < min(second)

    def _allowed(self) -> str:
        n1, n2 = len(self.control_responses), len(self.knockout_responses)
        clones = f"{_clones(n1)} an arm" if n1 == n2 else f"{n1} and {_clones(n2)}"
        said = f"With {clones} the smallest two-sided exact p is {_p(self.smallest_p)}"
        if self.smallest_p <= ALPHA:
            return f"{said}; here it is {_p(self.p)}." if not math.isnan(self.p) else f"{said}."
        enough = clones_needed(ALPHA)
        return f"{said}; {enough} an arm would allow {_p(smallest_p(enough, enough))}."


def effect_of(
    responses: pd.DataFrame,
    knockout: str,
    stimulation: str,
    measure: str,
    study: Study,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Difference of two differences: response of a knockout minus response of the control.

    Parameters
    ----------
    responses : pandas.DataFrame
        As `responses.responses` gives it.
    knockout, stimulation, measure : str
        As they are called there.
    study : Study
        Names the control.
    confidence : float
        Of the interval, between 0 and 1.

    Raises
    ------
    InputError
        If no clone of the control or of the knockout has such a response.

    Notes
    -----
    A clone is one number, however many cells it has. Clones of an arm may scatter more than those
    of the other: Welch's interval, with the degrees of freedom of Satterthwaite.
    """
    kept = responses[
        (responses["level"] == CLONE)
        & (responses["stimulation"] == stimulation)
        & (responses["measure"] == measure)
    ].sort_values("clone")
    arms = {}
    for genotype in (study.control, knockout):
        arms[genotype] = kept.loc[kept["genotype"] == genotype, "value"].to_numpy(dtype=float)
        if not len(arms[genotype]):
            raise InputError(
                f"No clone of {genotype} has a response of its {measure} to {stimulation}: it "
                f"needs cells of {stimulation} and of {study.classes[0]}."
            )
    low, high = welch_interval(arms[knockout], arms[study.control], confidence)
    return Effect(
        knockout,
        study.control,
        stimulation,
        measure,
        tuple(arms[knockout].tolist()),
        tuple(arms[study.control].tolist()),
        float(arms[knockout].mean() - arms[study.control].mean()),
        low,
        high,
        confidence,
        exact_p(arms[knockout], arms[study.control]),
    )


def effects_table(
    responses: pd.DataFrame, knockout: str, study: Study, confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Effects of a knockout under every stimulation and in every measure.

    Parameters
    ----------
    responses : pandas.DataFrame
        As `responses.responses` gives it.

    Returns
    -------
    pandas.DataFrame
        A row by stimulation and measure that both arms have: ``knockout``, ``control``,
        ``stimulation``, ``measure``, ``n_knockout`` and ``n_control`` (clones), ``difference``,
        ``low``, ``high``, ``confidence``, ``p``, ``smallest_p`` and ``sentence``.
    """
    clones = responses[responses["level"] == CLONE]
    arms = [
        set(map(tuple, rows[["stimulation", "measure"]].to_numpy()))
        for name in (study.control, knockout)
        for rows in [clones[clones["genotype"] == name]]
    ]
    found = [
        effect_of(responses, knockout, stimulation, measure, study, confidence)
        for stimulation, measure in sorted(arms[0] & arms[1])
    ]
    names = (
        "knockout", "control", "stimulation", "measure", "difference", "low", "high", "confidence",
        "p", "smallest_p", "sentence",
    )  # fmt: skip
    table = pd.DataFrame([{n: getattr(e, n) for n in names} for e in found], columns=list(names))
    table.insert(4, "n_knockout", [len(effect.knockout_responses) for effect in found])
    table.insert(5, "n_control", [len(effect.control_responses) for effect in found])
    return table


def _clones(n: int) -> str:
    return f"{n} clone" if n == 1 else f"{n} clones"


def _p(value: float) -> str:
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"
