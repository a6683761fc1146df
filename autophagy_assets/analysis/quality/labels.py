"""Whether the labels of a whole field of view may be wrong."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.evidence.comparison import auc_of
from autophagy_assets.analysis.evidence.cross_validation import RAW
from autophagy_assets.analysis.evidence.shortcuts import BETTER
from autophagy_assets.analysis.identity import CLASS
from autophagy_assets.analysis.labels.audit import BY_FIELD, LEVEL, shares
from autophagy_assets.analysis.quality.finding import Finding, answer, first_of

_MOST = 0.5  # of the cells of a field under one stimulation


def no_field_suspect(audited: pd.DataFrame, name: str) -> Finding:
    """Check whether most labels of a field of view are suspect.

    Parameters
    ----------
    audited : pandas.DataFrame
        As ``audit`` gives it.
    name : str
        What the reader calls the table.

    Notes
    -----
    A label is that of an image. Single cells are suspect for many reasons; where most of an image
    are, its label may be that of another one. What a model says that tells the classes hardly apart
    is no reason to doubt an image, so nothing fails by it.
    """
    table = shares(audited)
    fields = table[table[LEVEL] == BY_FIELD].sort_values("share", ascending=False, kind="stable")
    over = fields[fields["share"] > _MOST]
    named = [f"{row.clone}, {row.stimulation}, {row.fov}" for row in over.itertuples()]
    auc = auc_of(audited[CLASS], audited[RAW])
    observation = (
        f"In {len(over)} of {len(fields)} fields of view of {name} the labels of more than half of "
        f"the cells are suspect; the largest share is {fields['share'].max():.0%}"
    )
    if auc < BETTER:
        observation += f", by a model that hardly tells the classes apart (AUC {auc:.2f})"
    remedy = (
        f" ({first_of(named)}): look at their images, and whether their stimulation was entered as "
        "it was."
    )
    largest = float(fields["share"].max())
    numbers = {"fields suspect": len(over), "largest share": largest, "AUC": auc}
    return answer(not len(over) or auc < BETTER, observation, remedy, numbers)
