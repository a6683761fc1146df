"""Words of a replicate plan: names of its rows, and the sentence that sums it up."""

from __future__ import annotations

import math

import pandas as pd

from autophagy_assets.analysis.effects.clone_statistics import clones_needed
from autophagy_assets.analysis.effects.components import UPPER
from autophagy_assets.analysis.effects.effect import ALPHA
from autophagy_assets.analysis.effects.power import MOST_CLONES

SEEN, HALF, NAMED = "the effect seen", "half of it", "the effect named"
AS_SEEN, AT_BOUND = "as seen", f"at the upper {100 * UPPER:g} % bound"
AS_NOW, MORE_CELLS, MORE_FIELDS, ALL_FIELDS = (
    "as now",
    "twice the cells",
    "twice the fields",
    "fields without end",
)


def plan_sentence(plan: pd.DataFrame) -> str:
    """Sum up a plan: clones needed, how certain that is, and whether fields or cells help.

    Parameters
    ----------
    plan : pandas.DataFrame
        Rows of one measure.
    """
    now = plan[plan["design"] == AS_NOW].set_index(["effect", "variance_between_clones"])
    needed = now["needed"]
    said = [
        f"{called} ({now['true_difference'][called, AS_SEEN]:+.2f}) needs "
        f"{_clones(needed[called, AS_SEEN])} an arm, {_clones(needed[called, AT_BOUND], '')} if "
        "clones scatter as much as can be believed"
        for called in dict.fromkeys(plan["effect"])
    ]
    first = plan.iloc[0]
    most = now.loc[(slice(None), AT_BOUND), :].iloc[-1]
    one_arm = _clones(most["needed_if_one_arm_scatters"], "")
    if one_arm != _clones(most["needed"], ""):
        said.append(f"were all of the scatter in one arm, the last number would be {one_arm}")
    fewest = clones_needed(ALPHA)
    if (needed < fewest).any():
        said.append(f"with fewer than {fewest} an arm no exact p can be below {ALPHA}")
    known = (
        f"The variance between clones is known from {first['degrees']:.0f} degrees of freedom"
        f" only: the upper {100 * UPPER:g} % bound is {_times(plan):.1f} times what was seen."
    )
    return (
        f"To be seen with {100 * first['power']:g} % power in the {first['measure']}, "
        f"{'; '.join(said)}. {known} {_what_helps(plan)}"
    )


def _what_helps(plan: pd.DataFrame) -> str:
    """Whether more cells or more fields could replace clones."""
    first, last = plan.iloc[0], plan["effect"].iloc[-1]
    together = math.isnan(first["fields"])
    parts = {"clones and fields" if together else "clones": first["clones"]}
    parts |= ({} if together else {"fields": first["fields"]}) | {"cells": first["cells"]}
    total = sum(parts.values())
    made_of = ", ".join(f"{100 * part / total:.0f} % {name}" for name, part in parts.items())
    rows = plan[(plan["effect"] == last) & (plan["variance_between_clones"] == AS_SEEN)]
    needed = rows.set_index("design")["needed"]
    said = [
        f"{design} would need {_clones(needed[design], '')} instead of {_clones(now, '')}"
        if needed[design] != (now := needed[AS_NOW]) and not math.isnan(needed[design])
        else f"{design} would not change that"
        for design in (MORE_CELLS, MORE_FIELDS)
        if design in needed
    ]
    of = f" ({last})" if last == HALF else ""
    unknown = (
        " With one field of each clone under a stimulation, fields cannot be told from clones: "
        "image more than one to know whether they help."
        if together
        else ""
    )
    return (
        f"What clones differ by, as estimated: {made_of}. For the same power{of}, "
        f"{', and '.join(said)}.{unknown}"
    )


def _times(plan: pd.DataFrame) -> float:
    now = plan[plan["design"] == AS_NOW].groupby("variance_between_clones")["variance"].first()
    return float(now[AT_BOUND] / now[AS_SEEN])


def _clones(needed: float, unit: str = " clones") -> str:
    return f"more than {MOST_CLONES}{unit}" if math.isnan(needed) else f"{needed:.0f}{unit}"
