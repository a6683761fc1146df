"""Label audit: evidence against the label of each cell.

Here: the evidence, and how it is spread over clones and fields. Nothing is dropped. Not here: how
it is drawn (``audit_figures``), and models that do without suspects (``training``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import FOLD, MODEL, RAW, SCHEME
from autophagy_assets.analysis.evidence.folds import strictest
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, SCORE
from autophagy_assets.analysis.labels.confident import label_quality, suspected
from autophagy_assets.errors import InputError

QUALITY, SUSPECTED, AGAINST = "label_quality", "suspected", "puncta_against"
FEW, MANY = "few for its label", "many for its label"
LEVEL, BY_CLONE, BY_FIELD = "level", "clone", "field"
COLUMNS = [
    MODEL, SCHEME, FOLD, *IDENTITY, CLASS, *METADATA, RAW, SCORE, QUALITY, SUSPECTED, AGAINST,
]  # fmt: skip


def audit(cross_validation: pd.DataFrame) -> pd.DataFrame:
    """Compare the label of each cell with its score from a model that had not seen it.

    Parameters
    ----------
    cross_validation : pandas.DataFrame
        Of one model, as `cross_validate` gives it.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 15)
        A row by cell, of the strictest scheme that the cells allow: columns of `cross_validation`,
        and ``label_quality`` (score of the class that the cell is labelled with), ``suspected``
        (see `confident.suspected`) and ``puncta_against``: "few for its label" of a cell of class 1
        with no more puncta than half of class 0 has, "many for its label" of one of class 0 with
        as many as half of class 1; else empty. Number of puncta where that is known.

    Raises
    ------
    InputError
        If there are no scores, or all are of one class.
    """
    if cross_validation.empty:
        raise InputError("There are no cross-validated scores to audit labels by; make them first.")
    scheme = strictest(cross_validation[SCHEME].unique())
    rows = cross_validation[cross_validation[SCHEME] == scheme].reset_index(drop=True)
    puncta = [PUNCTA] if PUNCTA in rows.columns else []
    rows[QUALITY] = label_quality(rows[CLASS], rows[RAW])
    rows[SUSPECTED] = suspected(rows[CLASS], rows[RAW], rows[FOLD])
    rows[AGAINST] = _against(rows[CLASS], rows[PUNCTA]) if puncta else ""
    return rows[[*COLUMNS, *puncta]]


def _against(classes: pd.Series, puncta: pd.Series) -> np.ndarray:
    """Mark cells whose number of puncta is rather that of the other class."""
    stimulated = (classes == 1).to_numpy()
    usual_0, usual_1 = puncta[~stimulated].median(), puncta[stimulated].median()
    if not usual_0 < usual_1:  # the number of puncta says nothing of the class
        return np.full(len(classes), "")
    few = stimulated & (puncta <= usual_0).to_numpy()
    many = ~stimulated & (puncta >= usual_1).to_numpy()
    return np.select([few, many], [FEW, MANY], "")


def most_suspect(audited: pd.DataFrame, number: int, n: int) -> pd.DataFrame:
    """Cells of a class whose label is suspect, the most suspect one first.

    Parameters
    ----------
    audited : pandas.DataFrame
        As `audit` gives it.
    number : int
        Class that the cells are labelled with.
    n : int
        At most so many.

    Returns
    -------
    pandas.DataFrame
        Rows of `audited`.
    """
    suspects = audited[audited[SUSPECTED] & (audited[CLASS] == number)]
    return suspects.sort_values([QUALITY, *IDENTITY], kind="stable").head(n).reset_index(drop=True)


def shares(audited: pd.DataFrame) -> pd.DataFrame:
    """Share of suspect labels in each clone and in each field of view, by class.

    Parameters
    ----------
    audited : pandas.DataFrame
        As `audit` gives it.

    Returns
    -------
    pandas.DataFrame
        ``level`` ("clone", whose ``fov`` is empty, or "field"), ``class``, ``stimulation``,
        ``clone``, ``fov``, ``n_cells``, ``n_suspected``, ``share``, and ``n_puncta_against``: how
        many of the suspects have puncta that speak against the label too.
    """
    keys = [CLASS, "stimulation", "clone"]
    parts = []
    for level, by in ((BY_CLONE, keys), (BY_FIELD, [*keys, "fov"])):
        counted = audited.assign(both=audited[SUSPECTED] & (audited[AGAINST] != "")).groupby(
            by, as_index=False, observed=True
        )
        parts.append(
            counted.agg(
                n_cells=(SUSPECTED, "size"),
                n_suspected=(SUSPECTED, "sum"),
                n_puncta_against=("both", "sum"),
            ).assign(**{LEVEL: level})
        )
    table = pd.concat(parts, ignore_index=True)
    table["fov"] = table["fov"].fillna("")
    table["share"] = table["n_suspected"] / table["n_cells"]
    columns = [LEVEL, *keys, "fov", "n_cells", "n_suspected", "share", "n_puncta_against"]
    return table[columns]
