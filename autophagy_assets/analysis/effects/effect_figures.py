"""Figure of what a knockout does: fields, clones, and the difference with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autophagy_assets.analysis.effects.effect import Effect
from autophagy_assets.analysis.effects.responses import CLONE, FIELD, responses, without_response
from autophagy_assets.analysis.figures import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.config.study import Study

_MARKERS = "os^DvPX*"
_WIDTH = 10.5  # inches
_GAP = 2.6  # between the untreated cells of two genotypes; 1 is between the stimulations


@styled
def effect_picture(measured: pd.DataFrame, effect: Effect, study: Study) -> Picture:
    """Draw the response of every clone of control and knockout, and their difference.

    Parameters
    ----------
    measured : pandas.DataFrame
        As `responses.measure` gives it, of both genotypes.
    effect : Effect
        Of them.
    study : Study
        Says which stimulation is none.

    Returns
    -------
    Picture
        Its table holds the rows of `measured` that are drawn.
    """
    sides = [study.classes[0], effect.stimulation]
    table = measured[
        (measured["measure"] == effect.measure)
        & measured["stimulation"].isin(sides)
        & measured["genotype"].isin([effect.control, effect.knockout])
    ].reset_index(drop=True)
    figure = new_figure(_WIDTH, 4.6, w_pad=0.12)
    left, middle, right = figure.subplots(1, 3, width_ratios=[2, 1, 0.75])
    cells = int(table.loc[table["level"] == CLONE, "n_cells"].sum())
    figure.suptitle(
        f"Response of the {effect.measure} to {effect.stimulation}: {effect.knockout} against "
        f"{effect.control} (n = {len(effect.control_responses)} and "
        f"{len(effect.knockout_responses)} clones)",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    markers = _markers(table)
    _draw_clones(left, table, effect, sides, markers)
    _draw_responses(middle, responses(table, study), effect, markers)
    _draw_difference(right, effect)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower left", ncols=_columns(labels), fontsize=8,
    )  # fmt: skip
    caption = (
        f"{effect.sentence} Left: each small dot a field of view, each large one a clone, lines "
        f"from untreated to stimulated ({cells} cells). Middle: the response of each clone, that "
        "is stimulated minus untreated; bar: mean. Right: mean response of the knockout's clones "
        f"minus that of the control's{_interval_words(effect)}."
    )
    caption = " ".join([caption, *without_response(table, study)])
    numbers = {
        "difference": effect.difference, "low": effect.low, "high": effect.high,
        "clones, control": float(len(effect.control_responses)),
        "clones, knockout": float(len(effect.knockout_responses)),
    }  # fmt: skip
    known = {name: value for name, value in numbers.items() if not np.isnan(value)}
    return Picture(figure, table, caption, known)


def _columns(labels: list[str]) -> int:
    """Columns of a legend that fits below the figure; a column of a letter takes 0.075 inches."""
    return max(1, min(len(labels), int(_WIDTH / (0.6 + 0.075 * max(map(len, labels))))))


def _arms(effect: Effect) -> list[tuple[str, tuple[float, ...], str]]:
    return [
        (effect.control, effect.control_responses, BLUE),
        (effect.knockout, effect.knockout_responses, VERMILLION),
    ]


def _markers(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Marker of each clone by genotype and name: the same in all panels."""
    found = {}
    for genotype, rows in table.groupby("genotype"):
        for number, clone in enumerate(sorted(rows["clone"].unique())):
            found[str(genotype), str(clone)] = _MARKERS[number % len(_MARKERS)]
    return found


def _draw_clones(
    ax: Axes,
    table: pd.DataFrame,
    effect: Effect,
    sides: list[str],
    markers: dict[tuple[str, str], str],
) -> None:
    for number, (genotype, _, colour) in enumerate(_arms(effect)):
        of_arm = table[table["genotype"] == genotype]
        for clone in sorted(of_arm["clone"].unique()):
            marker = markers[genotype, clone]
            rows = of_arm[of_arm["clone"] == clone]
            clones = rows[rows["level"] == CLONE].set_index("stimulation")["value"].reindex(sides)
            at = np.array([0, 1]) + _GAP * number
            ax.plot(at, clones, "-", color=colour, lw=1.5, alpha=0.8)
            ax.plot(
                at, clones, marker, color=colour, ms=10, mec="white", label=f"{genotype} {clone}",
            )  # fmt: skip
            for side, stimulation in enumerate(sides):
                of_side = (rows["level"] == FIELD) & (rows["stimulation"] == stimulation)
                fields = rows.loc[of_side, "value"]
                outside = at[side] + (-0.2 if side == 0 else 0.2) * np.ones(len(fields))
                ax.plot(outside, fields, marker, color=colour, ms=4, alpha=0.6, mec="none")
    ax.set_xticks([0, 1, _GAP, _GAP + 1], sides * 2)
    for number, (genotype, _, colour) in enumerate(_arms(effect)):
        ax.text(
            0.5 + _GAP * number, -0.13, genotype, transform=ax.get_xaxis_transform(), ha="center",
            va="top", color=colour, fontweight="bold",
        )  # fmt: skip
    ax.set(xlim=(-0.6, _GAP + 1.6), ylabel=effect.measure.capitalize())
    if effect.measure.endswith(("share", "probability")):
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, -0.03), max(high, 1.03))
    panel_title(ax, "Every clone", "large: clone; small: its fields of view")


def _draw_responses(
    ax: Axes, found: pd.DataFrame, effect: Effect, markers: dict[tuple[str, str], str]
) -> None:
    clones = found[found["level"] == CLONE].sort_values("clone")
    for number, (genotype, values, colour) in enumerate(_arms(effect)):
        of_arm = clones[clones["genotype"] == genotype]
        for place, row in enumerate(of_arm.itertuples()):
            at = number + 0.12 * (place - (len(of_arm) - 1) / 2)
            marker = markers[genotype, row.clone]
            ax.plot(at, row.value, marker, color=colour, ms=9, mec="white")
        mean = float(np.mean(values))
        ax.plot([number - 0.3, number + 0.3], [mean, mean], color=colour, lw=2, zorder=1)
        ax.annotate(f"{mean:+.2f}", (number + 0.32, mean), va="center", color=colour, fontsize=8)
    ax.axhline(0, color=GREY, ls="--", lw=1)
    ax.set_xticks([0, 1], [effect.control, effect.knockout])
    ax.set(xlim=(-0.6, 1.75), ylabel="Stimulated minus untreated")
    panel_title(ax, "Response", "of each clone; bar: mean")


def _draw_difference(ax: Axes, effect: Effect) -> None:
    ax.axhline(0, color=GREY, ls="--", lw=1)
    ax.text(0.98, 0, "no effect ", color=GREY, fontsize=8, va="bottom", ha="right",
            transform=ax.get_yaxis_transform())  # fmt: skip
    ax.plot(0, effect.difference, "o", color=INK, ms=9)
    if np.isnan(effect.low):
        few = min(len(effect.knockout_responses), len(effect.control_responses)) < 2
        about = "no interval: " + ("one clone in an arm" if few else "clones respond alike")
    else:
        ax.plot([0, 0], [effect.low, effect.high], color=INK, lw=2)
        about = f"{100 * effect.confidence:g} % interval over clones"
    ax.annotate(f"{effect.difference:+.2f}", (0, effect.difference), (9, 0),
                textcoords="offset points", va="center")  # fmt: skip
    ax.set_xticks([0], [f"{effect.knockout} minus\n{effect.control}"])
    ax.set(xlim=(-0.6, 1), ylabel="Difference of responses")
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.margins(y=0.15)
    panel_title(ax, "Difference", about)


def _interval_words(effect: Effect) -> str:
    if np.isnan(effect.low):
        return ", without an interval"
    return f", with the {100 * effect.confidence:g} % interval over clones"
