"""Figures of models side by side, and of the calibration of their probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autophagy_assets.analysis.evidence.comparison import FOLD, POOLED, headline, pooled_rows
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.evidence.folds import SCHEMES, strictest
from autophagy_assets.analysis.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    new_figure,
    panel_title,
    styled,
)
from autophagy_assets.analysis.identity import CLASS, SCORE
from autophagy_assets.config.study import Study

_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, INK)
_BINS = np.linspace(0, 1, 11)


@styled
def comparison_picture(comparison: pd.DataFrame, primary: str, study: Study) -> Picture:
    """Draw all models in all schemes: every fold a dot, all folds together a diamond.

    Parameters
    ----------
    comparison : pandas.DataFrame
        As `compare` gives it.
    primary : str
        Name of the model that leads; it comes first. Where it has no numbers, another one leads.
    study : Study
        Names the control and the classes.

    Returns
    -------
    Picture
        Its table is `comparison`.
    """
    models = sorted(comparison[MODEL].unique(), key=lambda name: name != primary)
    known = not pooled_rows(comparison, primary).empty
    leading = primary if known else models[0]
    found = headline(comparison, leading)
    figure = new_figure(10, 4.6, w_pad=0.1)
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    figure.suptitle(
        f"How well {study.classes[0]} and {study.classes[1]} cells of {study.control} are told "
        f"apart (n = {found.n_cells} cells)",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    share = found_share(comparison, leading)
    for ax, measure, guess in ((left, "auc", 0.5), (right, "average_precision", share)):
        for number, model in enumerate(models):
            shift = (number - (len(models) - 1) / 2) * 0.7 / len(models)
            _draw_model(ax, comparison, model, measure, shift, _COLOURS[number % len(_COLOURS)])
        ax.axhline(guess, color=GREY, ls="--", lw=1)
        ax.text(
            len(SCHEMES) - 0.52, guess, " guessing", color=GREY, va="bottom", ha="right", fontsize=8
        )
        _label_schemes(ax, comparison, leading)
    left.set_ylabel("Area under the ROC curve (AUC)")
    right.set_ylabel("Average precision")
    panel_title(left, "AUC", "dot: what was left out in one fold; diamond: all folds together")
    panel_title(right, "Average precision", f"guessing: the share of {study.classes[1]} cells")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(3, len(models)), fontsize=8,
    )  # fmt: skip
    gaps = comparison.dropna(subset="leakage_gap").set_index(MODEL)["leakage_gap"]
    caption = (
        f"{found.sentence} Each model in each way of leaving cells out, from the weakest evidence "
        "(left) to the strongest; the leakage gap is the AUC on random cells minus that of the "
        f"strictest scheme{_list_gaps(gaps)}."
    )
    numbers = {f"leakage gap, {model}": float(gap) for model, gap in gaps.items()}
    of_primary = {"auc": found.auc, "brier": found.brier} if known else {}
    return Picture(figure, comparison, caption, of_primary | numbers)


def found_share(comparison: pd.DataFrame, model: str) -> float:
    """Share of cells that are of class 1, which is the average precision of guessing.

    Parameters
    ----------
    comparison : pandas.DataFrame
        As `compare` gives it.
    """
    row = pooled_rows(comparison, model).iloc[0]
    return float(row["n_positive"] / row["n_cells"])


@styled
def reliability_picture(cross_validation: pd.DataFrame, model: str, study: Study) -> Picture:
    """Draw the reliability diagram of a model, in the strictest scheme.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        As `cross_validate` gives it.
    study : Study
        Names the classes.

    Returns
    -------
    Picture
        Its table has a row by tenth of probability that holds cells: ``low``, ``high``,
        ``n_cells``, ``probability`` (mean) and ``share`` (of class 1).
    """
    rows = cross_validation[cross_validation[MODEL] == model]
    scheme = strictest(rows[SCHEME].unique())
    rows = rows[rows[SCHEME] == scheme]
    table = reliability(rows)
    brier = float(((rows[SCORE] - rows[CLASS]) ** 2).mean())
    base = float((rows[CLASS] == 1).mean())
    figure = new_figure(5.2, 5.6)
    top, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    figure.suptitle(
        f"Probabilities of model {model} (n = {len(rows)} cells)",
        x=0.01, ha="left", fontweight="bold", fontsize=11,
    )  # fmt: skip
    top.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="probability = share")
    top.plot(table["probability"], table["share"], "o-", color=BLUE, label="cells of a tenth")
    top.set(ylim=(-0.03, 1.03), ylabel=f"Share that was {study.classes[1]}")
    top.legend(loc="upper left", fontsize=8)
    panel_title(top, "Reliability", f"{scheme}; Brier score {brier:.3f} (0 is best)")
    middle = (table["low"] + table["high"]) / 2
    bars = below.bar(middle, table["n_cells"], width=0.09, color=SKY)
    below.bar_label(bars, fontsize=7, padding=1)
    below.margins(y=0.25)
    below.set(
        xlim=(-0.03, 1.03), xlabel=f"Probability of {study.classes[1]} that the model gives",
        ylabel="Cells",
    )  # fmt: skip
    caption = (
        f"Out-of-fold probabilities of model {model} ({scheme}, {len(rows)} cells) in tenths: "
        "where points lie on the dashed line, a probability of 0.8 means that 8 of 10 such cells "
        f"are {study.classes[1]}. Brier score {brier:.3f}; always saying the share of "
        f"{study.classes[1]} cells ({base:.2f}) would give {base * (1 - base):.3f}."
    )
    return Picture(figure, table, caption, {"brier": brier})


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of class 1 among cells of like probability.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``class`` and ``prob_class1``.

    Returns
    -------
    pandas.DataFrame
        A row by tenth of probability that holds cells: ``low``, ``high``, ``n_cells``,
        ``probability`` (mean) and ``share``.
    """
    tenth = np.clip(np.digitize(rows[SCORE], _BINS) - 1, 0, len(_BINS) - 2)
    grouped = rows.assign(tenth=tenth).groupby("tenth")
    table = grouped.agg(n_cells=(CLASS, "size"), probability=(SCORE, "mean"), share=(CLASS, "mean"))
    table.insert(0, "low", _BINS[table.index])
    table.insert(1, "high", _BINS[table.index + 1])
    return table.reset_index(drop=True)


def _draw_model(
    ax: Axes, comparison: pd.DataFrame, model: str, measure: str, shift: float, colour: str
) -> None:
    pooled = pooled_rows(comparison, model)
    schemes = [scheme for scheme in SCHEMES if scheme in pooled.index]
    at = [SCHEMES.index(scheme) + shift for scheme in schemes]
    gap = pooled["leakage_gap"].dropna()
    said = f"{model} (leakage gap {gap.iloc[0]:+.2f})" if len(gap) else model
    ax.plot(at, pooled.loc[schemes, measure], "D-", color=colour, ms=7, mec="white", label=said)
    for x, value in zip(at, pooled.loc[schemes, measure], strict=True):
        ax.annotate(
            f"{value:.2f}", (x, value), (6, 6), textcoords="offset points", va="bottom",
            fontsize=8, color=colour,
        )  # fmt: skip
    folds = comparison[(comparison[MODEL] == model) & (comparison[FOLD] != POOLED)]
    beside = {scheme: number + shift - 0.07 for number, scheme in enumerate(SCHEMES)}
    ax.plot(
        folds[SCHEME].map(beside), folds[measure], "o",
        color=colour, ms=4, alpha=0.55, mec="none", zorder=1,
    )  # fmt: skip


def _label_schemes(ax: Axes, comparison: pd.DataFrame, model: str) -> None:
    of_model = comparison[comparison[MODEL] == model]
    labels = []
    for scheme in SCHEMES:
        folds = int(((of_model[SCHEME] == scheme) & (of_model[FOLD] != POOLED)).sum())
        labels.append(f"{_wrapped(scheme)}\n({f'{folds} folds' if folds else 'not possible'})")
    ax.set_xticks(range(len(SCHEMES)), labels)
    ax.set_xlim(-0.5, len(SCHEMES) - 0.5)
    ax.tick_params(axis="x", length=0)
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.35), max(high, 1.06))


def _wrapped(scheme: str) -> str:
    return (
        scheme.replace("leave a clone's ", "leave a clone's\n")
        .replace("leave a clone ", "leave a\nclone ")
        .replace("random ", "random\n")
    )


def _list_gaps(gaps: pd.Series) -> str:
    if gaps.empty:
        return ", which cannot be told where only one is possible"
    return ": " + ", ".join(f"{gap:+.2f} ({model})" for model, gap in gaps.items())
