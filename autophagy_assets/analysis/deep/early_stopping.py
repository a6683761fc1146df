"""Early stopping: which training cells are set aside to decide when training ends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.field_groups import CLONE, GENOTYPE, GROUP, field_groups
from autophagy_assets.analysis.identity import field_numbers

SHARE = 0.1  # of the cells of each class, where cells are drawn at random
MOST = 1 / 3  # of the training cells that a field of view may have to be spared


def set_aside(cells: pd.DataFrame, classes: np.ndarray, random_state: int) -> np.ndarray:
    """Choose training cells that a network does not learn from.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity and metadata of the cells of the training part, and of no others: what is chosen
        follows from them alone, so no cell of a test part is among them.
    classes : numpy.ndarray of int, shape (n_cells,)
        0 or 1.
    random_state : int
        Of the draw.

    Returns
    -------
    numpy.ndarray of bool, shape (n_cells,)
        Holds both classes, or nothing where a class has a single cell.

    Notes
    -----
    A field of view of a clone under both stimulations (see ``field_groups``) that holds at most a
    third of the cells, one of them drawn at random. Cells of one image look alike, so those of an
    image from which others are learned would go on getting better when the network has begun to
    learn the images by heart. Where no field can be spared, as in a study with one or two fields in
    the training part, that is what remains: a tenth of the cells of each class, drawn at random,
    and training that goes on for longer than it should.
    """
    random = np.random.default_rng(random_state)
    fields = field_groups(cells)
    named = fields[[GENOTYPE, CLONE, GROUP]].astype(str).agg("\n".join, axis=1)
    group = named.to_numpy()[field_numbers(cells)]
    possible = []
    for name in sorted(set(group)):
        there = group == name
        both = len(set(classes[there])) == 2 and len(set(classes[~there])) == 2
        if both and there.mean() <= MOST:
            possible.append(there)
    if possible:
        return possible[random.integers(len(possible))]
    chosen = np.zeros(len(cells), dtype=bool)
    of_class = [np.flatnonzero(classes == number) for number in (0, 1)]
    if min(map(len, of_class)) < 2:
        return chosen
    for places in of_class:
        number = max(1, round(SHARE * len(places)))
        chosen[random.choice(places, number, replace=False)] = True
    return chosen
