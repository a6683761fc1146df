"""Annotated labels: what people say of cells, and the classes that a model learns from it.

Here: from answers to one outcome for each cell, and to training cells. Not here: how far people,
labels and models agree (``agreement``).
"""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.analysis.review.answers import (
    ANNOTATOR,
    ANSWER,
    ANSWERED_AT,
    BAD_CROP,
    UNSURE,
)
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError

AGREED, CONTRADICTION = "agreed", "contradiction"
OUTCOME, SAID = "outcome", "said_class"
FEWEST = 10  # annotated cells that a model of annotated labels asks for


def last_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """The last answer of each person about each cell.

    Parameters
    ----------
    answers : pandas.DataFrame, shape (n_answers, n_columns)
        Identity, ``annotator``, ``answer`` and ``answered_at`` (text of one format, or times).

    Returns
    -------
    pandas.DataFrame
        Rows of `answers`, ordered by identity and person. Who thought better of it is taken at
        their last word; of answers of one moment the later row.
    """
    ordered = answers.sort_values([*IDENTITY, ANNOTATOR, ANSWERED_AT], kind="stable")
    return ordered.drop_duplicates([*IDENTITY, ANNOTATOR], keep="last").reset_index(drop=True)


def resolved(answers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Combine the answers of all people about each cell.

    Parameters
    ----------
    answers : pandas.DataFrame, shape (n_answers, n_columns)
        Identity, ``annotator``, ``answer`` (name of a class, ``unsure`` or ``bad crop``) and
        ``answered_at``.
    study : Study
        Names the classes.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, 5)
        Identity, ``n_people``, ``outcome`` (``agreed``, ``bad crop``, ``unsure`` or
        ``contradiction``) and ``said_class`` (-1 unless agreed); ordered by identity.

    Raises
    ------
    InputError
        If an answer is none of those.

    Notes
    -----
    Who is unsure has no vote. Those who are not must all say the same, a class or that the crop is
    bad; else it is a contradiction. A majority of three is not asked for: where two people see
    different things in a picture, a third one does not make it a clear one.
    """
    numbers = {label: number for number, label in study.classes.items()}
    if strange := sorted(set(answers[ANSWER]) - {*numbers, UNSURE, BAD_CROP}):
        known = ", ".join(map(repr, [*numbers, UNSURE, BAD_CROP]))
        raise InputError(
            f"Annotations have the answer {strange[0]!r}, which this study does not know; it knows "
            f"{known}: correct the file and register it again."
        )
    rows = []
    for cell, said in last_answers(answers).groupby(IDENTITY, sort=True):
        votes = set(said[ANSWER]) - {UNSURE}
        vote = votes.pop() if len(votes) == 1 else ""
        if vote:
            outcome = BAD_CROP if vote == BAD_CROP else AGREED
        else:
            outcome = CONTRADICTION if votes else UNSURE
        rows.append((*cell, len(said), outcome, numbers.get(vote, NO_CLASS)))
    table = pd.DataFrame(rows, columns=[*IDENTITY, "n_people", OUTCOME, SAID])
    return table.astype({"n_people": "int64", SAID: "int64"})


def with_answers(cells: pd.DataFrame, answers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Replace classes of training cells by those that people agree on.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity and class; answers about other cells count for nothing.
    answers : pandas.DataFrame
        As `resolved` takes it.

    Returns
    -------
    pandas.DataFrame
        Rows of `cells` with their index. Where people agree the class is theirs; where the crop is
        bad the cell is left out.

    Notes
    -----
    Cells that nobody looked at, of which people are unsure or that they contradict each other about
    keep the class of their stimulation. That was set in the experiment, so it is the best that is
    known where the picture does not tell; to leave those cells out would leave out the ones that
    are hard to see, and train a model that has met clear cells only.
    """
    found = resolved(answers, study)
    known = cells[IDENTITY].merge(found, on=IDENTITY, how="left", validate="one_to_one")
    agreed = (known[OUTCOME] == AGREED).to_numpy()
    classes = cells[CLASS].to_numpy().copy()
    classes[agreed] = known[SAID][agreed]
    return cells.assign(**{CLASS: classes})[(known[OUTCOME] != BAD_CROP).to_numpy()]


def require_answers(cells: pd.DataFrame, answers: pd.DataFrame | None, model: Model) -> None:
    """Refuse annotated labels where too few cells are annotated.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        All cells of the control.
    answers : pandas.DataFrame or None
        As `resolved` takes it.

    Raises
    ------
    InputError
        If fewer than 10 of the cells have an answer.
    """
    there = 0
    if answers is not None and len(answers):
        there = len(cells[IDENTITY].merge(answers[IDENTITY].drop_duplicates(), on=IDENTITY))
    if there < FEWEST:
        what = f"are {there} of them" if there else "is none of them"
        raise InputError(
            f"Model {model.name!r} learns from annotated labels and asks for at least {FEWEST} "
            f"annotated cells of the control, and there {what}: look at cells on a review page and "
            "register the answers, or set labels: as_given."
        )
