"""Folds of a cross-validation: which cells are left out together.

Here: the three schemes, from the weakest evidence to the strongest, and why one may not be
possible. Not here: what is fitted on them (``cross_validation``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from autophagy_assets.analysis.evidence.field_groups import CLONE as CLONE_COLUMN
from autophagy_assets.analysis.evidence.field_groups import GROUP, field_groups, natural
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, field_numbers
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

RANDOM, FIELD, CLONE = "random cells", "leave a clone's field out", "leave a clone out"
SCHEMES = (RANDOM, FIELD, CLONE)


class Fold(NamedTuple):
    """Cells that are left out together, and the ones a model is fitted on.

    Attributes
    ----------
    left_out : str
        What is left out, for people.
    train, test : numpy.ndarray of int
        Positions in the table, in the order of the cells' identities.
    """

    left_out: str
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class PossibleFolds:
    """Folds of every scheme that the cells allow, and why the other schemes are not possible.

    Attributes
    ----------
    folds : dict of str to list of Fold
        By scheme, in order of strictness.
    refused : dict of str to str
        A sentence by scheme.
    """

    folds: dict[str, list[Fold]]
    refused: dict[str, str]


def possible_folds(cells: pd.DataFrame, study: Study) -> PossibleFolds:
    """Divide cells into folds by every scheme that they allow.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells of the control: identity, class and metadata.
    """
    found, refused = {}, {}
    for scheme in SCHEMES:
        try:
            found[scheme] = folds(cells, scheme, study)
        except InputError as error:
            refused[scheme] = str(error)
    return PossibleFolds(found, refused)


def folds(cells: pd.DataFrame, scheme: str, study: Study) -> list[Fold]:
    """Divide cells into folds; each cell is left out once.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Cells of the control: identity, class and metadata; rows in any order.
    scheme : str
        One of ``SCHEMES``.
    study : Study
        Number of random folds, random state, names of the classes.

    Returns
    -------
    list of Fold
        The same whatever the order of the rows.

    Raises
    ------
    InputError
        If groups or classes are too few; says which.

    Notes
    -----
    A group is never on both sides. Cells are divided at random in fewer folds than the study says
    where the rarer class has fewer cells. With ``FIELD`` a group is what `field_groups` puts
    together: the fields of one label of a clone, under both stimulations, because a single image
    holds one class. All images of a clone are a group with ``CLONE``.
    """
    order = np.lexsort([cells[CELL_ID].to_numpy(), cells[DATASET].to_numpy(dtype=str)])
    classes = cells[CLASS].to_numpy()[order]
    _require_classes(classes, scheme, study)
    if scheme == RANDOM:
        groups, names = _random_groups(classes, study)
    else:
        groups, names = _groups(cells.iloc[order], scheme)
    for number, name in enumerate(names):
        _require_classes(classes[groups != number], scheme, study, f" when {name} is left out")
    if not any(len(set(classes[groups == number])) == 2 for number in range(len(names))):
        raise InputError(
            f"{_begin(scheme)} needs a group that holds both classes, and none of {len(names)} "
            "does: image both stimulations of a clone."
        )
    return [
        Fold(name, order[groups != number], order[groups == number])
        for number, name in enumerate(names)
    ]


def strictest(schemes: Iterable[str]) -> str:
    """Return the strictest of some schemes.

    Parameters
    ----------
    schemes : iterable of str
        At least one of ``SCHEMES``.
    """
    return max(schemes, key=SCHEMES.index)


def _random_groups(classes: np.ndarray, study: Study) -> tuple[np.ndarray, list[str]]:
    settings = study.cross_validation
    rarer = int(np.bincount(classes.astype(int), minlength=2).min())
    if rarer < 2:
        raise InputError(
            f"{_begin(RANDOM)} needs two cells of each class, and the rarer one has {rarer}: add "
            "fields of view of it."
        )
    # What could be trained and tested as published can be cross-validated, if in fewer folds.
    n_folds = min(settings.folds, rarer)
    drawn = StratifiedKFold(n_folds, shuffle=True, random_state=settings.random_state)
    groups = np.empty(len(classes), dtype=int)
    for number, (_, test) in enumerate(drawn.split(classes, classes)):
        groups[test] = number
    return groups, [f"part {number + 1} of {n_folds}" for number in range(n_folds)]


def _groups(cells: pd.DataFrame, scheme: str) -> tuple[np.ndarray, list[str]]:
    """Number of the group of each cell, and what each group is called."""
    fields = field_groups(cells)
    clones = fields[CLONE_COLUMN].nunique()
    labels = fields[CLONE_COLUMN].astype(str)
    if scheme == FIELD:
        labels += ", " + fields[GROUP]
    names = sorted(labels.unique(), key=natural)
    if len(names) < 2:
        what = "clones" if scheme == CLONE else "fields of view of a stimulation"
        raise InputError(
            f"{_begin(scheme)} needs two {what} of the control, and there is one ({names[0]}): "
            "with it alone it is not known how the model does on another."
        )
    if scheme == FIELD and len(names) == clones:
        raise InputError(
            f"{_begin(scheme)} needs more than one field of view in a clone, and each of {clones} "
            "has one: leaving it out is leaving the clone out."
        )
    number = labels.map({name: place for place, name in enumerate(names)}).to_numpy()
    return number[field_numbers(cells)], names


def _require_classes(classes: np.ndarray, scheme: str, study: Study, when: str = "") -> None:
    absent = [label for number, label in study.classes.items() if number not in classes]
    if absent:
        raise InputError(
            f"{_begin(scheme)} needs cells of both classes to learn from, and there is none of "
            f"{' and '.join(absent)}{when}: add fields of view of it."
        )


def _begin(scheme: str) -> str:
    return {RANDOM: "Dividing cells at random", FIELD: "Leaving a clone's field out"}.get(
        scheme, "Leaving a clone out"
    )
