"""Agreement: how far labels and models agree with the people who looked at cells.

Here: numbers, in one table. Not here: what a model learns from answers (``annotated``), and how the
table is drawn (``agreement_figures``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import betabinom, binomtest
from sklearn.metrics import cohen_kappa_score

from autophagy_assets.analysis.identity import CLASS, IDENTITY, MODEL, PREDICTED
from autophagy_assets.analysis.labels.annotated import (
    AGREED,
    OUTCOME,
    SAID,
    last_answers,
    resolved,
)
from autophagy_assets.analysis.review.answers import ANNOTATOR, ANSWER, CHOSEN_BY
from autophagy_assets.analysis.review.choice import RANDOM
from autophagy_assets.config.study import Study

MEASURE, WHO, OF_CLASS, CLONE = "measure", "who", "class", "clone"
N, COUNT, VALUE, LOW, HIGH = "n_cells", "count", "value", "low", "high"
COLUMNS = [MEASURE, WHO, OF_CLASS, CLONE, N, COUNT, VALUE, LOW, HIGH]
AGREEMENT, KAPPA, NOISE, NEXT = "agreement", "kappa", "label noise", "next answers"
ALL, LABEL = "all", "label"
CONFIDENCE, AHEAD = 0.95, 50


def agreement_table(answers: pd.DataFrame, predictions: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Build the table of agreement between answers, labels and models.

    Parameters
    ----------
    answers : pandas.DataFrame, shape (n_answers, n_columns)
        Identity, ``annotator``, ``answer``, ``answered_at`` and ``chosen_by``.
    predictions : pandas.DataFrame
        Identity, ``class``, ``clone``, ``model`` and ``predicted_class`` of all cells that are
        labelled, by models that had not seen them; a row by model and cell.
    study : Study
        Names the classes.

    Returns
    -------
    pandas.DataFrame
        ``measure``, ``who``, ``class``, ``clone``, ``n_cells``, ``count``, ``value``, ``low`` and
        ``high``; rows of `agreement`, `kappas`, `label_noise` and `next_answers`.
    """
    cells = predictions.drop_duplicates(IDENTITY)
    rows = [
        *agreement(answers, predictions, study),
        *kappas(answers),
        *label_noise(answers, cells, study),
        *next_answers(answers, cells, study),
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({N: "int64", COUNT: "float64"})


def agreement(answers: pd.DataFrame, predictions: pd.DataFrame, study: Study) -> Iterator[dict]:
    """Share of cells for which a label or a model agrees with people.

    Parameters
    ----------
    answers, predictions, study
        As of `agreement_table`.

    Yields
    ------
    dict
        For the label and each model ("model" and its name): of all cells that people agree on, of
        each class as labelled, of each clone, and of each class in each clone; with a Wilson
        interval, which takes cells as independent. Groups without such cells are left out.
    """
    said = _agreed(answers, study)
    known = predictions.merge(said, on=IDENTITY)
    by_label = known.drop_duplicates(IDENTITY).assign(**{PREDICTED: lambda cells: cells[CLASS]})
    sources = {LABEL: by_label}
    sources |= {f"model {name}": rows for name, rows in known.groupby(MODEL, sort=False)}
    for who, rows in sources.items():
        agree = rows[PREDICTED] == rows[SAID]
        for number in (None, *study.classes):
            of_class = (rows[CLASS] == number) | (number is None)
            for clone in (None, *sorted(rows[CLONE].unique())):
                kept = agree[of_class & ((rows[CLONE] == clone) | (clone is None))]
                if len(kept):
                    label = ALL if number is None else study.classes[number]
                    place = {OF_CLASS: label, CLONE: clone or ALL}
                    yield _row(AGREEMENT, who, place, *_share(int(kept.sum()), len(kept)))


def kappas(answers: pd.DataFrame) -> Iterator[dict]:
    """Cohen's kappa between people, over the cells that both have answered.

    Parameters
    ----------
    answers : pandas.DataFrame
        As of `agreement_table`.

    Yields
    ------
    dict
        One by pair; ``count`` is the number of equal answers, "unsure" and "bad crop" among them.
        Of fewer than two cells, or where both gave one and the same answer throughout, kappa is
        not defined: NaN.
    """
    wide = last_answers(answers).pivot(index=IDENTITY, columns=ANNOTATOR, values=ANSWER)
    for one, other in combinations(sorted(wide.columns), 2):
        both = wide[[one, other]].dropna()
        if both.empty:
            continue
        kinds = set(both.to_numpy().ravel())
        defined = len(both) > 1 and len(kinds) > 1
        kappa = cohen_kappa_score(both[one], both[other]) if defined else np.nan
        same, who = int((both[one] == both[other]).sum()), f"{one} and {other}"
        yield _row(KAPPA, who, {}, len(both), same, float(kappa), np.nan, np.nan)


def label_noise(answers: pd.DataFrame, cells: pd.DataFrame, study: Study) -> Iterator[dict]:
    """Share of labels that are wrong, from cells that were drawn at random alone.

    Parameters
    ----------
    answers, study
        As of `agreement_table`.
    cells : pandas.DataFrame
        Identity and class as labelled.

    Yields
    ------
    dict
        Of all of them and of each class, with a Wilson interval; nothing where no cell was drawn
        at random.

    Notes
    -----
    Cells that were chosen because a model doubted them are wrong more often than others, so they
    say nothing of the whole. Cells of which people are unsure, contradict each other or find the
    crop bad are left out: what their label should be is not known.
    """
    # All that people said of them, on whatever page: the last word of each, and contradictions.
    random = answers.loc[answers[CHOSEN_BY] == RANDOM, IDENTITY].drop_duplicates()
    drawn = cells[[*IDENTITY, CLASS]].merge(random, on=IDENTITY)
    drawn = drawn.merge(_agreed(answers, study), on=IDENTITY)
    wrong = drawn[SAID] != drawn[CLASS]
    for number in (None, *study.classes):
        kept = wrong if number is None else wrong[drawn[CLASS] == number]
        if len(kept):
            label = ALL if number is None else study.classes[number]
            yield _row(NOISE, LABEL, {OF_CLASS: label}, *_share(int(kept.sum()), len(kept)))


def next_answers(
    answers: pd.DataFrame,
    cells: pd.DataFrame,
    study: Study,
    queue: Mapping[str, int] | None = None,
    ahead: int = AHEAD,
) -> Iterator[dict]:
    """How many labels the next answers can be expected to change.

    Parameters
    ----------
    answers, study
        As of `agreement_table`.
    cells : pandas.DataFrame
        Identity and class as labelled.
    queue : mapping of str to int, optional
        How many of the next cells are chosen by what; default in the shares in which they were
        chosen so far.
    ahead : int
        How many answers are looked ahead to, where there is no `queue`.

    Yields
    ------
    dict
        For each reason why a cell was chosen, and for all: ``n_cells`` answered so far, those that
        are not among `cells` as well; ``count`` of them whose label people changed; and as
        ``value`` the expected number of changes among the next ones, for all with an interval
        that holds it with 90 %.

    Notes
    -----
    The rate of each reason is that of its cells so far, with Jeffreys' prior (half a change in one
    cell more), and the interval is that of the sum of beta-binomial numbers. It takes for granted
    that the next cells are like the last ones. A queue that shows the most suspect cells first
    gets poorer as one goes on, so the truth is rather below. It says how many labels change, and
    not what that does to a model: which may be nothing.
    """
    seen = last_answers(answers).drop_duplicates(IDENTITY)[[*IDENTITY, CHOSEN_BY]]
    for known in (cells[[*IDENTITY, CLASS]], _agreed(answers, study)):
        seen = seen.merge(known, on=IDENTITY, how="left")
    changed = seen[[CLASS, SAID]].notna().all(axis=1) & (seen[SAID] != seen[CLASS])
    counts = changed.groupby(seen[CHOSEN_BY]).agg(["size", "sum"])
    if counts.empty:
        return
    following = dict(queue) if queue is not None else _in_shares(counts["size"], ahead)
    chances, total = np.ones(1), 0.0
    for reason, (answered, wrong) in counts.iterrows():
        n = following.get(str(reason), 0)
        a, b = wrong + 0.5, answered - wrong + 0.5
        chances = np.convolve(chances, betabinom.pmf(np.arange(n + 1), n, a, b))
        expected = float(n * a / (a + b))
        total += expected
        yield _row(NEXT, str(reason), {}, int(answered), int(wrong), expected, np.nan, np.nan)
    below = np.cumsum(chances)
    low, high = (float(np.searchsorted(below, limit - 1e-12)) for limit in (0.05, 0.95))
    yield _row(NEXT, ALL, {}, len(seen), int(changed.sum()), total, low, high)


def _agreed(answers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Identity and class of the cells that people agree on."""
    found = resolved(answers, study)
    return found.loc[found[OUTCOME] == AGREED, [*IDENTITY, SAID]]


def _share(count: int, n: int) -> tuple[int, int, float, float, float]:
    interval = binomtest(count, n).proportion_ci(CONFIDENCE, method="wilson")
    return n, count, count / n, float(interval.low), float(interval.high)


def _row(
    measure: str, who: str, place: Mapping[str, str], n: int, count: int, value: float,
    low: float, high: float,
) -> dict:  # fmt: skip
    numbers = {N: n, COUNT: count, VALUE: value, LOW: low, HIGH: high}
    return {MEASURE: measure, WHO: who, OF_CLASS: ALL, CLONE: ALL, **place, **numbers}


def _in_shares(counts: pd.Series, n: int) -> dict[str, int]:
    """Divide a number in the shares of some counts; the largest remainders are rounded up."""
    exact = counts / counts.sum() * n
    whole = np.floor(exact).astype(int)
    rest = (exact - whole).sort_values(ascending=False, kind="stable").index[: n - whole.sum()]
    whole[rest] += 1
    return {str(reason): int(number) for reason, number in whole.items()}
