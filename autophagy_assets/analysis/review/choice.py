"""Which cells a person is asked to look at: four parts, each balanced over clones and fields.

Not here: the page that shows them (``page``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import RAW, SCHEME
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    FIELD_OF_VIEW,
    IDENTITY,
    METADATA,
    MODEL,
    SCORE,
    of_classes,
)
from autophagy_assets.analysis.review.answers import CHOSEN_BY
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

RANDOM, LABEL = "random", "suspected label"
DISAGREEMENT, UNCERTAINTY = "disagreement of models", "uncertainty"
# In the order in which they choose; the last one also has what the others leave.
PARTS = (RANDOM, LABEL, DISAGREEMENT, UNCERTAINTY)
MARGIN = "above threshold"


def candidates(
    cross_validations: Mapping[str, pd.DataFrame],
    knockouts: Iterable[pd.DataFrame],
    study: Study,
) -> pd.DataFrame:
    """Cells that can be reviewed, with the score of each model.

    Parameters
    ----------
    cross_validations : mapping of str to pandas.DataFrame
        Out-of-fold scores of the control, by model. Those of the strictest scheme are taken.
    knockouts : iterable of pandas.DataFrame
        Predictions of all models for the cells of a knockout each.

    Returns
    -------
    pandas.DataFrame, shape (n_cells * n_models, 9)
        Identity, class, metadata, model and ``above threshold``: how much higher the probability
        of class 1 is than the model's threshold. Cells whose stimulation is no class are left out.
    """
    columns = [*IDENTITY, CLASS, *METADATA, MODEL]
    tables, thresholds = [], {}
    for name, table in cross_validations.items():
        scoring = scoring_of(table, study.model(name))
        rows = table[(table[MODEL] == name) & (table[SCHEME] == scoring.scheme)]
        # As the stored model would score them: only that can be held against its threshold.
        tables.append(rows[columns].assign(**{SCORE: scoring.probabilities(rows[RAW])}))
        thresholds[name] = scoring.positive_above
    tables += [t[t[MODEL].isin(thresholds)][[*columns, SCORE]] for t in knockouts]
    if not tables:
        return pd.DataFrame(columns=[*columns, MARGIN])
    cells = of_classes(pd.concat(tables, ignore_index=True))
    margin = cells[SCORE] - cells[MODEL].map(thresholds).astype(float)
    return cells.assign(**{MARGIN: margin}).drop(columns=SCORE).reset_index(drop=True)


def choose(scored: pd.DataFrame, n: int, seed: int, study: Study) -> pd.DataFrame:
    """Choose the cells of a review page.

    Parameters
    ----------
    scored : pandas.DataFrame
        As `candidates` gives it.
    n : int
        How many; fewer where there are fewer.
    seed : int
        Of the draws and of the order.
    study : Study
        Names the control, whose labels can be suspected, and the primary model.

    Returns
    -------
    pandas.DataFrame, shape (n, 8)
        Identity, class, metadata and ``chosen_by``, each cell once, in the order of the page.

    Raises
    ------
    InputError
        If there is no cell.

    Notes
    -----
    A quarter each is drawn at random, first and from all cells: every cell is as likely to be
    drawn, so what people answer about them holds for all. Then come control cells that the primary
    model calls the other class, the most distinct first; cells about which two models differ most;
    and cells whose score is nearest to the threshold. Where there are too few of one kind, those
    of the last one stand in.
    """
    cells = _by_cell(scored, study)
    if cells.empty:
        raise InputError("There is no cell to choose from: run 'autophagy refresh' first.")
    random, n = np.random.default_rng(seed), min(n, len(cells))
    cells = cells.assign(tie=random.permutation(len(cells)), **{CHOSEN_BY: ""})
    left = n
    for number, part in enumerate(PARTS):
        wanted = -(-left // (len(PARTS) - number))
        free = cells[cells[CHOSEN_BY] == ""]
        if part == RANDOM:
            taken = _drawn(free, wanted, random)
        else:
            taken = _balanced(free[free[part].notna()], part, wanted)
        cells.loc[taken, CHOSEN_BY] = part
        left -= len(taken)
    chosen = cells[cells[CHOSEN_BY] != ""]
    if left:  # the last part lacks scores of the primary model
        raise InputError(f"{left} cells have no score of {study.primary}; run 'autophagy refresh'.")
    order = random.permutation(len(chosen))
    return chosen.iloc[order][[*IDENTITY, CLASS, *METADATA, CHOSEN_BY]].reset_index(drop=True)


def _by_cell(scored: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A row for each cell, with how much each part wants it: the smaller, the more."""
    cells = scored.drop_duplicates(IDENTITY)[[*IDENTITY, CLASS, *METADATA]]
    cells = cells.sort_values([DATASET, CELL_ID], ignore_index=True)
    margins = scored.groupby([*IDENTITY, MODEL])[MARGIN].first().unstack(MODEL)
    margins = margins.reindex(pd.MultiIndex.from_frame(cells[IDENTITY]))
    nothing = np.full(len(cells), np.nan)
    primary = margins[study.primary].to_numpy() if study.primary in margins else nothing
    # Called class 1, or class 0, against the class that is given.
    wrong = np.where(cells[CLASS] == 1, primary, -primary)
    suspected = (cells["genotype"] == study.control).to_numpy() & (wrong < 0)
    differ = nothing
    if len(margins.columns) > 1:
        spread = margins.max(axis=1) - margins.min(axis=1)
        contrary = (margins.max(axis=1) > 0) & (margins.min(axis=1) <= 0)
        differ = np.where(contrary, -spread, np.nan)
    return cells.assign(
        **{
            LABEL: np.where(suspected, wrong, np.nan),
            DISAGREEMENT: differ,
            UNCERTAINTY: np.abs(primary),
            "field": cells.groupby(FIELD_OF_VIEW, sort=False).ngroup(),
            "line": cells.groupby(["genotype", "clone"], sort=False).ngroup(),
        }
    )


def _drawn(cells: pd.DataFrame, n: int, random: np.random.Generator) -> pd.Index:
    """Every k-th cell, clone by clone and field by field: each is as likely to be drawn."""
    fields = cells.groupby(["genotype", "clone", "stimulation", "fov", DATASET]).ngroup()
    ordered = cells[["tie"]].assign(field=fields).sort_values(["field", "tie"])
    step = len(ordered) / max(n, 1)
    places = (random.uniform(0, step) + step * np.arange(n)).astype(int)
    return ordered.index[np.minimum(places, len(ordered) - 1)]


def _balanced(cells: pd.DataFrame, part: str, n: int) -> pd.Index:
    """The most wanted cells of each clone in turn, and within a clone of each field in turn."""
    # Only numbers are sorted: with all columns that would take ten times as long.
    ordered = cells[[part, "tie", "field", "line"]].sort_values([part, "tie"])
    ordered["turn"] = ordered.groupby("field").cumcount()
    ordered = ordered.sort_values(["turn", part, "tie"])
    ordered["round"] = ordered.groupby("line").cumcount()
    return ordered.sort_values(["round", part, "tie"]).index[:n]
