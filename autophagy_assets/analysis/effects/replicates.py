"""Replicate plan: how many clones would show an effect, and whether fields or cells would help."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from autophagy_assets.analysis.effects.components import Components
from autophagy_assets.analysis.effects.effect import CONFIDENCE, Effect
from autophagy_assets.analysis.effects.power import clones_for, welch_power
from autophagy_assets.analysis.effects.replicates_words import (
    ALL_FIELDS,
    AS_NOW,
    AS_SEEN,
    AT_BOUND,
    HALF,
    MORE_CELLS,
    MORE_FIELDS,
    NAMED,
    SEEN,
    plan_sentence,
)
from autophagy_assets.errors import InputError

POWER = 0.8
# By what fields of a clone, and cells of a field, are multiplied.
DESIGNS = {
    AS_NOW: (1.0, 1.0),
    MORE_CELLS: (1.0, 2.0),
    MORE_FIELDS: (2.0, 1.0),
    ALL_FIELDS: (math.inf, 1.0),
}
_KNOWN = ("knockout", "control", "stimulation", "measure", "n_knockout", "n_control", "difference")


@dataclass(frozen=True)
class Pilot:
    """What the next study is planned from: effect and variance components of this one.

    Attributes
    ----------
    n_knockout, n_control : int
        Clones.
    difference : float
        The effect of the knockout, as ``Effect`` has it.
    components : Components
        Of the variance between clones.
    """

    knockout: str
    control: str
    stimulation: str
    measure: str
    n_knockout: int
    n_control: int
    difference: float
    components: Components


def replicate_plan(
    pilot: Pilot, power: float = POWER, difference: float | None = None
) -> pd.DataFrame:
    """Plan the clones of another study like this one.

    Parameters
    ----------
    power : float
        Chance that the interval of `knockout_effect` leaves out 0, between 0 and 1.
    difference : float, optional
        True effect to plan for; default that of the pilot, and half of it.

    Returns
    -------
    pandas.DataFrame
        A row by effect, variance (as seen, or at the upper bound of 80 % confidence) and design
        (as now, or with more cells or fields, the latter if it is known what fields add):
        ``needed``, the clones of each arm (NaN where 200 are too few), if both arms scatter
        alike, and ``needed_if_one_arm_scatters``, if one of them has all the variance;
        ``power_now`` of this study's clones, ``variance`` between the responses of clones, what
        the pilot knows (as `pilot_of` reads it), and the ``sentence``.

    Raises
    ------
    InputError
        If there is no effect, or no variance at all.
    """
    effects = _effects(pilot, difference)
    if not pilot.components.variance():
        raise InputError(
            f"The clones, fields and cells of {pilot.control} and {pilot.knockout} respond exactly "
            f"alike in their {pilot.measure}, so nothing says how much other clones would scatter."
        )
    known = {name: getattr(pilot, name) for name in _KNOWN} | asdict(pilot.components)
    rows = []
    for called, true in effects.items():
        for seen, components in _variances(pilot.components).items():
            for design, times in _designs(components).items():
                variance = components.variance(*times)
                rows.append(
                    {
                        "effect": called,
                        "true_difference": true,
                        "variance_between_clones": seen,
                        "design": design,
                        "variance": variance,
                        "needed": clones_for(true, variance, power, CONFIDENCE) or math.nan,
                        "needed_if_one_arm_scatters": clones_for(
                            true, variance, power, CONFIDENCE, share_of_first=1.0
                        )
                        or math.nan,
                        "power": power,
                        "power_now": _power_now(pilot, true, variance),
                    }
                )
    counts = {"needed": float, "needed_if_one_arm_scatters": float}
    table = pd.DataFrame(rows).astype(counts).assign(**known)
    return table.assign(sentence=plan_sentence(table))


def _effects(pilot: Pilot, difference: float | None) -> dict[str, float]:
    if difference is not None:
        if not difference:
            raise InputError("An effect of 0 cannot be shown by any number of clones; name one.")
        return {NAMED: difference}
    if not pilot.difference:
        raise InputError(
            f"{pilot.knockout} responds in its {pilot.measure} exactly as {pilot.control} does, so "
            "there is no effect to plan for; name the smallest one that would matter."
        )
    return {SEEN: pilot.difference, HALF: pilot.difference / 2}


def _designs(components: Components) -> dict[str, tuple[float, float]]:
    """Designs that something is known of: not those with other fields, where each clone has one."""
    known = (AS_NOW, MORE_CELLS) if math.isnan(components.fields) else tuple(DESIGNS)
    return {name: DESIGNS[name] for name in known}


def _variances(components: Components) -> dict[str, Components]:
    return {AS_SEEN: components, AT_BOUND: components.at_upper_bound()}


def _power_now(pilot: Pilot, difference: float, variance: float) -> float:
    if not variance:
        return math.nan
    return welch_power(difference, variance, pilot.n_knockout, pilot.n_control, CONFIDENCE)


def pilot_from(effect: Effect, components: Components) -> Pilot:
    """Build a pilot from an effect and the components of its variance."""
    return Pilot(
        effect.knockout,
        effect.control,
        effect.stimulation,
        effect.measure,
        len(effect.knockout_responses),
        len(effect.control_responses),
        effect.difference,
        components,
    )


def pilot_of(table: pd.DataFrame, measure: str) -> Pilot:
    """Read the pilot back from the table of a plan.

    Parameters
    ----------
    table : pandas.DataFrame
        As `replicate_plan` gives it, of one measure or several.
    measure : str
        Which one.

    Raises
    ------
    InputError
        If the plan has no such measure.
    """
    rows = table[table["measure"] == measure]
    if rows.empty:
        known = ", ".join(map(repr, table["measure"].unique()))
        raise InputError(f"There is no plan for the measure {measure!r}, only for {known}.")
    row: dict[str, Any] = rows.iloc[0].to_dict()
    components = Components(**{name: row[name] for name in Components.__dataclass_fields__})
    return Pilot(**{name: row[name] for name in _KNOWN}, components=components)
