"""Specification curve: the effect in every way of measuring it, and which choices made it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.effects.robustness import NO_MODEL, robustness_sentence
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.evidence.field_groups import natural
from autophagy_assets.analysis.evidence.folds import SCHEMES
from autophagy_assets.analysis.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.config.study import Study

_WIDEST = 2.0  # the most that two responses in shares can differ by


@styled
def robustness_picture(
    table: pd.DataFrame, knockout: str, stimulation: str, study: Study
) -> Picture:
    """Draw the effect of a knockout in every way of measuring it, sorted.

    Parameters
    ----------
    table : pandas.DataFrame
        As `specifications` gives it.
    study : Study
        Names the control and the primary model, whose results are orange.

    Returns
    -------
    Picture
        Its table is `table`.
    """
    sentence = robustness_sentence(table, knockout, study)
    choices = _choices(table, study)
    number = sum(len(values) for _, values in choices) + len(choices)
    figure = new_figure(max(7.5, 3.4 + 0.17 * len(table)), 3.4 + 0.2 * number)
    top, below = figure.subplots(2, 1, height_ratios=[2.6, 0.2 * number], sharex=True)
    figure.suptitle(
        f"{knockout} against {study.control}: response to {stimulation} in {len(table)} ways of "
        "measuring it",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    primary = (table[MODEL] == study.primary).to_numpy()
    _draw_effects(top, table, primary)
    _draw_choices(below, table, choices, primary)
    clones = f"{table['n_control'].iloc[0]} and {table['n_knockout'].iloc[0]} clones"
    panel_title(
        top, f"Response of {knockout} minus response of {study.control}",
        f"point: difference ({clones}); bar: interval over clones; orange: model {study.primary}",
    )  # fmt: skip
    caption = (
        f"{sentence} Above, each point is the difference of the responses in one way of measuring "
        "it, sorted, with its interval over clones (cut where it leaves the axis). Below, dots "
        "say which choices were made."
    )
    numbers = {
        "ways": float(len(table)),
        "smallest difference": float(table["difference"].min()),
        "largest difference": float(table["difference"].max()),
    }
    return Picture(figure, table, caption, numbers)


def _choices(table: pd.DataFrame, study: Study) -> list[tuple[str, list[str]]]:
    """Columns with their values, in the order in which they are drawn."""
    models = sorted(table[MODEL].unique(), key=lambda name: (name != study.primary, name))
    schemes = [name for name in (*SCHEMES, NO_MODEL) if (table[SCHEME] == name).any()]
    rest = {column: list(table[column].unique()) for column in ("measure", "threshold")}
    return [
        (MODEL, models),
        (SCHEME, schemes),
        ("measure", sorted(rest["measure"])),
        ("threshold", sorted(rest["threshold"], key=natural)),
    ]


def _draw_effects(ax: Axes, table: pd.DataFrame, primary: np.ndarray) -> None:
    at = np.arange(len(table))
    for kept, colour in ((~primary, BLUE), (primary, ORANGE)):
        rows = table[kept]
        ax.vlines(at[kept], rows["low"], rows["high"], color=colour, alpha=0.45, lw=2)
        ax.plot(at[kept], rows["difference"], "o", color=colour, ms=5)
    ax.axhline(0, color=GREY, ls="--", lw=1)
    ends = table[["difference", "low", "high"]].to_numpy()
    low, high = np.nanmin([np.nanmin(ends), -0.1]), np.nanmax([np.nanmax(ends), 0.1])
    ax.set_ylim(max(low, -_WIDEST / 2) - 0.05, min(high, _WIDEST / 2) + 0.05)
    ax.set(ylabel="Difference of responses", xlim=(-0.8, len(table) - 0.2))
    ax.tick_params(axis="x", length=0)


def _draw_choices(
    ax: Axes, table: pd.DataFrame, choices: list[tuple[str, list[str]]], primary: np.ndarray
) -> None:
    ticks, labels, chosen, y = list[int](), list[str](), list[np.ndarray](), 0
    for column, values in choices:
        ax.text(
            0, y, column, transform=ax.get_yaxis_transform(), fontweight="bold", fontsize=8,
            va="center", ha="left", color=INK,
        )  # fmt: skip
        for value in values:
            y += 1
            chosen.append((table[column] == value).to_numpy())
            ticks.append(y)
            labels.append(value)
        y += 1
    # All points at once: each call of its own takes longer than what it draws.
    at, rows = np.meshgrid(np.arange(len(table)), ticks)
    ax.scatter(at, rows, s=8, color="#dddddd", marker="|", lw=0.8)
    shown = np.array(chosen)
    colours = np.broadcast_to(np.where(primary, ORANGE, BLUE), shown.shape)
    ax.scatter(at[shown], rows[shown], s=14, color=colours[shown])
    ax.set_yticks(ticks, labels, fontsize=8)
    ax.tick_params(length=0)
    ax.set_ylim(y - 0.4, -0.8)
    ax.set_xticks([])
    ax.set_xlabel("Ways of measuring, sorted by the difference")
    ax.spines[:].set_visible(False)
