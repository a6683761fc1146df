"""Scores that the gallery of all cells shows, read back from the page."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pandas as pd

from autophagy_assets.analysis.galleries.cell_gallery import DECIMALS
from autophagy_assets.analysis.galleries.panels import SHOWN_SCORE
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY, MODEL, SCORE
from autophagy_assets.analysis.quality.finding import Finding, answer

_BEGIN, _END = '<script type="application/json" id="data">', "</script>"
# A score is rounded twice on its way to the page.
_WITHIN = 0.51 * 10**-DECIMALS


def shown_scores(html: str) -> pd.DataFrame:
    """Read the scores of a page.

    Parameters
    ----------
    html : str
        As `cell_gallery` makes it.

    Returns
    -------
    pandas.DataFrame, shape (n_scores, 4)
        Identity of the cell, ``model`` and the score as it is shown; cells that a model has not
        scored are left out.
    """
    start = html.index(_BEGIN) + len(_BEGIN)
    data = json.loads(html[start : html.index(_END, start)])
    names = [field["dataset"] for field in data["fields"]]
    cells = pd.DataFrame(
        {DATASET: [names[place] for place in data["field"]], CELL_ID: data["cells"][CELL_ID]}
    )
    tables = [
        cells.assign(**{MODEL: model, SHOWN_SCORE: pd.Series(scores["score"], dtype=float)})
        for model, scores in zip(data["models"], data["scores"], strict=True)
    ]
    if not tables:
        return cells.assign(**{MODEL: "", SHOWN_SCORE: 0.0}).head(0)
    return pd.concat(tables, ignore_index=True).dropna(subset=[SHOWN_SCORE])


def shown_scores_agree(shown: pd.DataFrame, predictions: Iterable[pd.DataFrame]) -> Finding:
    """Check whether the score under each picture is that cell's score by that model.

    Parameters
    ----------
    shown : pandas.DataFrame
        As `shown_scores` gives it.
    predictions : iterable of pandas.DataFrame
        Identity, ``model`` and ``prob_class1`` of the cells that models have scored; those that
        are not shown may be left out.

    Returns
    -------
    Finding
        A cell that a model has not scored has a wrong score.
    """
    by = [*IDENTITY, MODEL]
    tables = [table[[*by, SCORE]] for table in predictions if len(table)]
    known = pd.concat(tables, ignore_index=True) if tables else shown[by].assign(**{SCORE: 0.0})[:0]
    both = shown.merge(known, on=by, how="left", validate="one_to_one")
    apart = (both[SHOWN_SCORE] - both[SCORE]).abs()
    wrong = int((~(apart <= _WITHIN)).sum())
    observation = (
        f"{wrong} of {len(shown)} scores on the page are not those of their cell and model in the "
        f"tables (compared to {DECIMALS} decimals)"
    )
    remedy = ": do not use the page; make it again."
    return answer(not wrong, observation, remedy, {"scores": len(shown), "wrong scores": wrong})
