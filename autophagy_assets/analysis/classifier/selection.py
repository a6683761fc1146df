"""Random selection of the control's cells that models learn from, where there are very many.

Not here: the split into training and test cells (``classification``) and the folds of the
cross-validation (``evidence.folds``), which divide the selected cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.study import NO_CLASS

CLONE = "clone"
NEEDED = [DATASET, CELL_ID, CLASS, CLONE]


def select_cells(cells: pd.DataFrame, most: int, random_state: int) -> np.ndarray:
    """Select cells at random, by clone and class.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class and clone; those whose stimulation is no class are never selected.
    most : int
        How many, at most.
    random_state : int
        Seed. The same cells give the same draw in whatever order they stand.

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
        All cells of a class, where there are at most `most`. Else `most` of them: of each clone and
        class one at least (where `most` allows), and all others in proportion to what there is, so
        that classes and clones keep their shares.

    Examples
    --------
    >>> cells = pd.DataFrame({"dataset": "d", "scportrait_cell_id": range(90)})
    >>> cells = cells.assign(**{"class": [0] * 60 + [1] * 30, "clone": "1"})
    >>> chosen = select_cells(cells, most=30, random_state=42)
    >>> cells[chosen]["class"].value_counts().to_dict()
    {0: 20, 1: 10}
    """
    allowed = (cells[CLASS] != NO_CLASS).to_numpy()
    if allowed.sum() <= most:
        return allowed
    return select_in_proportion(cells, [CLONE, CLASS], most, random_state, allowed)


def select_in_proportion(
    cells: pd.DataFrame, by: list[str], most: int, random_state: int, allowed: np.ndarray
) -> np.ndarray:
    """Select cells at random, from each group in proportion to its size.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, and what groups them.
    by : list of str
        Columns that cells of a group have in common.
    most : int
        How many; fewer than are allowed.
    random_state : int
        Seed. The same cells give the same draw in whatever order they stand.
    allowed : numpy.ndarray of bool, shape (n_cells,)
        Which cells may be selected.

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
        Of each group one at least, where `most` allows.
    """
    groups = [pd.factorize(cells[column], sort=True)[0] for column in by]
    dataset, _ = pd.factorize(cells[DATASET], sort=True)
    # By identity within a group: where a cell stands in the table has no say.
    order = np.lexsort((cells[CELL_ID].to_numpy(), dataset, *reversed(groups)))
    order = order[allowed[order]]
    stratum = np.stack([group[order] for group in groups])
    begins = np.flatnonzero(np.any(np.diff(stratum, axis=1, prepend=-2), axis=0))
    sizes = np.diff(begins, append=len(order))
    random, chosen = np.random.default_rng(random_state), np.zeros(len(cells), dtype=bool)
    for begin, size, share in zip(begins, sizes, shares(sizes, most), strict=True):
        chosen[order[begin + random.choice(size, share, replace=False)]] = True
    return chosen


def shares(sizes: np.ndarray, most: int) -> np.ndarray:
    """Divide a number of selected cells between groups.

    Parameters
    ----------
    sizes : numpy.ndarray of int, shape (n_groups,)
        Of the groups, at least 1 each.
    most : int
        Selected cells; fewer than there are in all groups.

    Returns
    -------
    numpy.ndarray of int, shape (n_groups,)
        One for each group, and the rest in proportion to the other members, the largest remainders
        being rounded up; of fewer cells than groups, one for each of the largest groups.
    """
    if most < len(sizes):
        return np.isin(np.arange(len(sizes)), np.argsort(-sizes, kind="stable")[:most]).astype(int)
    others, rest = sizes - 1, most - len(sizes)
    exact = others * (rest / max(1, int(others.sum())))
    whole = np.floor(exact).astype(int)
    up = np.argsort(whole - exact, kind="stable")[: rest - int(whole.sum())]
    whole[up] += 1
    return whole + 1
