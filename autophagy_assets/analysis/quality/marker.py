"""Whether the marker of a sample can be measured: neither flat nor saturated in many cells."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.features.sets import CONTRAST, PREFIX, UNITS
from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.analysis.quality.finding import Finding, answer, counted

_FLAT, _SATURATED = f"{PREFIX}variation_{CONTRAST}", f"{PREFIX}saturated_{UNITS}"
_OF_A_CELL = 0.01  # of its pixels, beyond which its brightest puncta are taken as flattened
_MOST = 0.1  # of the cells


def marker_measurable(cells: pd.DataFrame, name: str) -> Finding:
    """Check in how many cells the marker is flat or saturated.

    Parameters
    ----------
    cells : pandas.DataFrame
        As ``marker_features`` gives them; without features in units of the image nothing is known
        of saturation.
    name : str
        What the reader calls the table.

    Notes
    -----
    What is flat has 0 in every feature, and looks like a cell without puncta. Pixels at the highest
    value of the image hide how bright they were, and two puncta may look like one.
    """
    if cells.empty:
        return Finding(True, f"{name} has no cells to look at.", {"cells": 0})
    flat = cells[_FLAT] == 0
    known = _SATURATED in cells
    saturated = cells[_SATURATED] > _OF_A_CELL if known else flat & False
    datasets = cells.loc[flat | saturated, DATASET].nunique()
    observation = (
        f"The marker is flat in {int(flat.sum())} of {counted(len(cells), 'cell')} of {name}, and "
        f"saturated in {int(saturated.sum())} (more than {_OF_A_CELL:.0%} of their pixels)"
    )
    if not known:
        observation = observation.split(", and ")[0] + "; whether it is saturated is not known"
    remedy = (
        f", in {counted(datasets, 'dataset')}; at most {_MOST:.0%} of the cells are taken as "
        "usual: look at the images, and at gain and exposure of the marker; a flat cell counts as "
        "one without puncta."
    )
    numbers = {"cells": len(cells), "flat": int(flat.sum()), "saturated": int(saturated.sum())}
    passed = flat.mean() <= _MOST and saturated.mean() <= _MOST
    return answer(bool(passed), observation, remedy, numbers)
