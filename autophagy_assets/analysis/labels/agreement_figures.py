"""Figure of agreement: labels and models beside the people who looked at cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.effects.not_measured import sentence_picture
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
from autophagy_assets.analysis.labels.agreement import (
    AGREEMENT,
    AHEAD,
    ALL,
    CLONE,
    COUNT,
    HIGH,
    KAPPA,
    LABEL,
    LOW,
    MEASURE,
    NEXT,
    NOISE,
    OF_CLASS,
    VALUE,
    WHO,
    N,
)
from autophagy_assets.config.study import Study

_MOST = 8  # models that are drawn
_NOBODY = (
    "Nobody has answered yet: 'autophagy review' writes a page of cells to look at, and 'autophagy "
    "annotate' registers the answers."
)
_NO_MODEL = (
    "No model could be made, and which control cells have a label, and of which clone they are, is "
    "taken from the cross-validation of a model: 'autophagy status' says what is in the way."
)


@styled
def agreement_picture(table: pd.DataFrame | None, study: Study) -> Picture:
    """Draw the share of cells for which the label and each model agree with people.

    Parameters
    ----------
    table : pandas.DataFrame or None
        As ``agreement_table`` gives it; without rows where nobody has answered, and None where
        there is no model.
    study : Study
        Names control and classes.

    Returns
    -------
    Picture
        Its table is `table`, or holds a sentence where nobody has answered or there is no model.
    """
    title = f"Labels and models of {study.control} cells beside what people say"
    if table is None:
        return sentence_picture(title, _NO_MODEL)
    if table.empty:
        return sentence_picture(title, _NOBODY)
    shares = table[table[MEASURE] == AGREEMENT]
    who = list(dict.fromkeys(shares[WHO]))[: _MOST + 1]
    figure = new_figure(10.5, 1.7 + 0.45 * max(1, len(who)), w_pad=0.1)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=13)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, number, colour in zip(axes, (1, 0), (VERMILLION, BLUE), strict=True):
        of_class = shares[shares[OF_CLASS] == study.classes[number]]
        panel_title(
            ax, f"Labelled {study.classes[number]}",
            "large dot: all, with 95 % interval; small dots: clones",
        )  # fmt: skip
        _draw_shares(ax, of_class, who, colour)
    axes[0].set_yticks(range(len(who)), who)
    axes[0].set_ylim(max(1, len(who)) - 0.5, -0.5)
    return Picture(figure, table, caption(table, study), _numbers(table))


def _draw_shares(ax: Axes, shares: pd.DataFrame, who: list[str], colour: str) -> None:
    for row in shares[shares[WHO].isin(who)].itertuples():
        y, value = who.index(getattr(row, WHO)), getattr(row, VALUE)
        if getattr(row, CLONE) != ALL:
            ax.plot(value, y + 0.2, "o", color=colour, ms=4, alpha=0.6, mec="white", clip_on=False)
            continue
        ax.plot([getattr(row, LOW), getattr(row, HIGH)], [y, y], color=colour, lw=2, alpha=0.4)
        ax.plot(value, y, "o", color=colour, ms=8, mec="white", clip_on=False)
        ax.annotate(
            f"{getattr(row, COUNT):.0f} of {getattr(row, N)}", (value, y), (0, 7),
            textcoords="offset points", ha="center", fontsize=8, color=INK,
        )  # fmt: skip
    if shares.empty:
        ax.text(0.5, 0.5, "no cell that people agree on", transform=ax.transAxes, ha="center",
                color=GREY)  # fmt: skip
    ax.set(xlim=(0, 1), xlabel="Share of cells of which it says what people say")
    ax.tick_params(axis="y", length=0)


def caption(table: pd.DataFrame, study: Study) -> str:
    """Describe the table in words.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``agreement_table`` gives it, with rows.
    study : Study
        Names the control.
    """
    everywhere = table[(table[OF_CLASS] == ALL) & (table[CLONE] == ALL)]
    by_measure = {name: rows for name, rows in everywhere.groupby(MEASURE, sort=False)}
    said = [_agreed(by_measure.get(AGREEMENT), study), _noise(by_measure.get(NOISE))]
    for row in by_measure.get(KAPPA, everywhere.head(0)).itertuples():
        defined = "is not defined" if np.isnan(getattr(row, VALUE)) else f"is {row.value:.2f}"
        n = getattr(row, N)
        said.append(f"Cohen's kappa of {getattr(row, WHO)} {defined} ({n} cells that both saw).")
    ahead = by_measure[NEXT].query(f"{WHO} == {ALL!r}").iloc[0]
    said.append(
        f"Of {ahead[N]} cells that were answered the label of {ahead[COUNT]:.0f} was changed; of "
        f"the next {AHEAD}, chosen as so far, {ahead[VALUE]:.0f} can be expected to change a label "
        f"({ahead[LOW]:.0f} to {ahead[HIGH]:.0f}, with 90 %), and fewer as the most suspect come "
        "first. Models are tested on cells that they, and people's answers to them, had no part in."
    )
    return " ".join(filter(None, said))


def _agreed(rows: pd.DataFrame | None, study: Study) -> str:
    if rows is None:
        return f"There is no {study.control} cell that people agree on."
    label = rows[rows[WHO] == LABEL].iloc[0]
    models = [
        f" and of {row.value:.0%} the call of {getattr(row, WHO)}"
        for row in rows[rows[WHO] != LABEL].itertuples()
    ]
    return (
        f"People agree on {label[N]} {study.control} cells: of {label[VALUE]:.0%} the label is "
        f"what they say{''.join(models)}."
    )


def _noise(rows: pd.DataFrame | None) -> str:
    if rows is None:
        return "No cell was drawn at random, so how many labels are wrong is not known."
    row = rows.iloc[0]
    return (
        f"Of {row[N]} of them that were drawn at random the label of {row[COUNT]:.0f} is another, "
        f"{row[VALUE]:.0%} (95 % interval {row[LOW]:.0%} to {row[HIGH]:.0%})."
    )


def _numbers(table: pd.DataFrame) -> dict[str, float]:
    everywhere = table[(table[OF_CLASS] == ALL) & (table[CLONE] == ALL)]
    return {
        f"{getattr(row, MEASURE)}, {getattr(row, WHO)}": float(getattr(row, VALUE))
        for row in everywhere.itertuples()
        if not np.isnan(getattr(row, VALUE))
    }
