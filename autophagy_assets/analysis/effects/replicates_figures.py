"""Figure of a replicate plan: power by clones, what clones differ by, and what would help."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from autophagy_assets.analysis.effects.effect import CONFIDENCE
from autophagy_assets.analysis.effects.power import MOST_CLONES, welch_power
from autophagy_assets.analysis.effects.replicates import Pilot, pilot_of
from autophagy_assets.analysis.effects.replicates_words import (
    AS_NOW,
    AS_SEEN,
    AT_BOUND,
    HALF,
)
from autophagy_assets.analysis.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)

_FEWEST, _MOST = 8, 24  # clones an arm that the axis of the power shows
_TICKS = (2, 3, 5, 10, 20, 50, 100, 200)
_LINES = 0.06  # of the axis of shares: height of a line of text
ASSUMED = (
    "Assumed: new clones of both arms scatter alike, by a normal distribution, and as much as "
    "these; the arms have as many clones each; clones, fields and cells are as here but for their "
    f"number; an effect is seen where the {100 * CONFIDENCE:g} % interval over clones leaves out "
    "0. An effect that was looked at because it is large is smaller in truth, hence half of it."
)


@styled
def replicate_picture(table: pd.DataFrame, measure: str) -> Picture:
    """Draw a plan: power by clones, the components of variance, and clones needed by design.

    Parameters
    ----------
    table : pandas.DataFrame
        As `replicate_plan` gives it, of one measure or several.
    measure : str
        The one that is drawn.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    plan, pilot = table[table["measure"] == measure], pilot_of(table, measure)
    figure = new_figure(11.5, 4.6, w_pad=0.12)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.5, 0.55, 1.3])
    figure.suptitle(
        f"Clones that would show what {pilot.knockout} does to the {measure} (planned from "
        f"n = {pilot.n_control} clones of {pilot.control} and {pilot.n_knockout} of the knockout)",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    _draw_power(left, plan)
    _draw_components(middle, pilot)
    _draw_designs(right, plan)
    effects = plan.drop_duplicates("effect")
    keys = [
        Line2D([], [], color=_colour(called), marker="o", label=f"{called} ({true:+.2f})")
        for called, true in zip(effects["effect"], effects["true_difference"], strict=True)
    ]
    keys += [
        Line2D([], [], label=f"variance between clones {variance}", **_style(GREY, variance))
        for variance in (AS_SEEN, AT_BOUND)
    ]
    figure.legend(handles=keys, loc="outside lower left", ncols=len(keys), fontsize=8)
    sentence = str(plan["sentence"].iloc[0])
    caption = (
        f"{sentence} Left: chance that the effect is seen. Middle: the variance between the "
        "responses of clones of an arm, by what it comes from. Right: clones needed with other "
        f"numbers of cells and fields. {ASSUMED}"
    )
    now = plan[plan["design"] == AS_NOW].set_index(["effect", "variance_between_clones"])
    numbers = {
        f"clones for {called}, variance {variance}": float(needed)
        for (called, variance), needed in now["needed"].items()
    }
    return Picture(figure, table, caption, numbers)


def _colour(effect: str) -> str:
    return ORANGE if effect == HALF else BLUE


def _style(colour: str, variance: str) -> dict[str, Any]:
    """Style of a line: at the bound dashed, with rings in which a dot of what was seen fits."""
    if variance == AS_SEEN:
        return {"color": colour, "ls": "-", "marker": "o", "ms": 4}
    return {"color": colour, "ls": "--", "marker": "o", "ms": 8, "mfc": "none"}


def _draw_power(ax: Axes, plan: pd.DataFrame) -> None:
    now = plan[plan["design"] == AS_NOW]
    last = int(min(_MOST, max(_FEWEST, np.nanmax([*now["needed"], 0]) + 1)))
    clones = np.arange(2, last + 1)
    for row in now.itertuples():
        powers = [welch_power(row.true_difference, row.variance, n, n, CONFIDENCE) for n in clones]
        ax.plot(clones, powers, **_style(_colour(row.effect), row.variance_between_clones))
    wanted = float(plan["power"].iloc[0])
    ax.axhline(wanted, color=GREY, ls=":", lw=1)
    ax.text(last, wanted, f"{100 * wanted:g} %", color=GREY, fontsize=8, va="bottom", ha="right")
    ax.set(xlabel="Clones of each arm", ylabel="Power", ylim=(0, 1.03), xlim=(1.6, last + 0.4))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel_title(ax, "Chance to see the effect", "with as many fields and cells as now")


def _draw_components(ax: Axes, pilot: Pilot) -> None:
    components, start, end = pilot.components, 0.0, 0.0
    together = math.isnan(components.fields)  # fields cannot be told from clones
    parts = [("clones and fields" if together else "clones", components.clones, VERMILLION)]
    parts += [] if together else [("fields", components.fields, GREEN)]
    parts.append(("cells", components.cells, SKY))
    total = components.variance()
    for name, part, colour in parts:
        share = part / total
        ax.bar(0, share, bottom=start, color=colour, width=0.5)
        start += share
        middle = max(start - share / 2, end + _LINES / 2)
        ax.annotate(f"{name} {100 * share:.0f} %", (0.3, middle), va="center", fontsize=8)
        end = middle + _LINES / 2
    ax.set(xlim=(-0.35, 1.2), ylim=(0, 1.03), ylabel="Share of the variance of a response")
    ax.set_xticks([])
    ax.set_xlabel(f"sd {math.sqrt(total):.2f}")
    fields = "1 field" if components.n_fields == 1 else f"{components.n_fields:.3g} fields"
    panel_title(ax, "What clones differ by", f"{fields} of {components.n_cells:.3g} cells")


def _draw_designs(ax: Axes, plan: pd.DataFrame) -> None:
    names = list(dict.fromkeys(plan["design"]))
    effects = list(dict.fromkeys(plan["effect"]))
    for row in plan.itertuples():
        at = names.index(row.design) + 0.3 * (effects.index(row.effect) - (len(effects) - 1) / 2)
        beyond = math.isnan(row.needed)
        place = 2 * MOST_CLONES if beyond else row.needed
        style = _style(_colour(row.effect), row.variance_between_clones)
        ax.plot(place, at, **style | {"marker": ">" if beyond else "o"}, zorder=3)
        ax.annotate(
            f"> {MOST_CLONES}" if beyond else f"{row.needed:.0f}", (place, at),
            (0, 5), textcoords="offset points", ha="center", fontsize=7,
        )  # fmt: skip
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.set_xscale("log")
    largest = 2.2 * MOST_CLONES if plan["needed"].isna().any() else plan["needed"].max()
    few = largest <= 10
    ticks = [n for n in (range(2, 11) if few else _TICKS) if n <= largest]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="Clones that each arm needs", ylim=(len(names) - 0.4, -0.6))
    ax.set_xlim(1.6, 1.5 * largest)
    ax.grid(axis="x", color="#eeeeee")
    power = 100 * float(plan["power"].iloc[0])
    panel_title(ax, "What would help", f"clones for {power:g} % power")
