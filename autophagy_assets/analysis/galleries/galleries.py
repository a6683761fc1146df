"""Galleries: which cells are shown, and the figures that show them.

Here: choosing cells by outcome or by class, and what a gallery says. Not here: the pixels
(``crops``) and the drawing (``panels``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.galleries.crops import Paths
from autophagy_assets.analysis.galleries.panels import PANEL, Panel, draw_panels
from autophagy_assets.analysis.identity import DATASET, MODEL, OUTCOME, SCORE
from autophagy_assets.config.study import Study

_TITLES = ("True positives", "True negatives", "False negatives", "False positives")
OUTCOMES = dict(zip(("TP", "TN", "FN", "FP"), _TITLES, strict=True))
_HIGHEST = {"TP", "FP"}


def choose_error_cells(predictions: pd.DataFrame, n: int) -> pd.DataFrame:
    """Choose the most distinct cells of each outcome.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Predictions of test cells.
    n : int
        Cells per outcome.

    Returns
    -------
    pandas.DataFrame
        Rows of `predictions` with the outcome also as ``panel``, in the order TP, TN, FN, FP:
        for TP and FP the `n` highest scores, for TN and FN the `n` lowest, each from high to
        low; fewer where there are fewer.

    Notes
    -----
    Equal scores are ordered by pandas' default sort, as in the reference notebook, so the
    same table gives the same cells here and there.
    """
    chosen = []
    for outcome in OUTCOMES:
        cells = predictions[predictions[OUTCOME] == outcome]
        ordered = cells.sort_values(SCORE, ascending=False)
        chosen.append(ordered.head(n) if outcome in _HIGHEST else ordered.tail(n))
    table = pd.concat(chosen)
    return table.assign(**{PANEL: table[OUTCOME]}).reset_index(drop=True)


def choose_class_cells(
    cells: pd.DataFrame, genotype: str, stimulation: str, n: int, random_state: int
) -> pd.DataFrame:
    """Choose cells of the first dataset of a genotype and a stimulation.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells with identity and metadata.
    genotype, stimulation : str
        Which cells.
    n : int
        How many.
    random_state : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        At most `n` rows of `cells`, in their order; empty where there are none.

    Notes
    -----
    The first dataset is the one of the first clone and field of view by name. The reference
    notebook shows cells of one dataset drawn at random without a seed; this draws with one,
    so a gallery does not change when it is made again. Ids follow the place in the field, so
    the first `n` cells would be those of one corner.
    """
    group = cells[_in_group(cells, genotype, stimulation)]
    if group.empty:
        return group.reset_index(drop=True)
    first = group.sort_values(["clone", "fov", DATASET], kind="stable")[DATASET].iloc[0]
    candidates = group[(group[DATASET] == first).to_numpy()].reset_index(drop=True)
    drawn = candidates.sample(min(n, len(candidates)), random_state=random_state)
    return drawn.sort_index().reset_index(drop=True)


def error_gallery(
    predictions: pd.DataFrame, paths: Paths, study: Study, pixel_um: float | None = None
) -> Picture:
    """Draw true and false positives and negatives, each cell under its own score.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Predictions of test cells.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names classes and marker and says how many cells.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    Picture
        Its table has one row per crop.
    """
    cells = f"{study.control} cells not seen by {', '.join(predictions[MODEL].unique())}"
    negative, positive, n = study.classes[0], study.classes[1], study.galleries.error_cells
    descriptions = {
        "TP": f"{positive}, called {positive}",
        "TN": f"{negative}, called {negative}",
        "FN": f"{positive}, called {negative}",
        "FP": f"{negative}, called {positive}",
    }
    chosen = choose_error_cells(predictions, n)
    panels = [
        Panel(
            name=outcome,
            title=title,
            about=descriptions[outcome],
            cells=chosen[chosen[PANEL] == outcome],
            wanted=n,
            available=int((predictions[OUTCOME] == outcome).sum()),
        )
        for outcome, title in OUTCOMES.items()
    ]
    caption = (
        f"{study.marker_name} in {cells}, which it got right and wrong. The number above a crop is "
        f"the cell's own score, its probability of being {positive}; shown are the highest scores "
        f"of those called positive and the lowest of those called negative. {_brightness(study)}"
    )
    return draw_panels(
        panels, paths, study, f"{study.marker_name} in {cells}, by outcome", caption, pixel_um
    )


def class_gallery(
    cells: pd.DataFrame, paths: Paths, study: Study, pixel_um: float | None = None
) -> Picture:
    """Draw cells of the control, one grid per class.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells of the control with identity and metadata; shown with ``prob_class1`` if there.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names classes and marker and says how many cells.
    pixel_um : float or None
        Size of a pixel in um.

    Returns
    -------
    Picture
        Its table has one row per crop.
    """
    panels = _class_panels(cells, [study.control], study)
    caption = (
        f"{study.marker_name} in {study.control} cells of the two classes that the classifier is "
        f"trained to separate. {_cells_text(cells, study)}"
    )
    return draw_panels(
        panels, paths, study, f"{study.marker_name} in {study.control} cells", caption, pixel_um
    )


def wt_ko_gallery(
    cells: pd.DataFrame,
    paths: Paths,
    study: Study,
    pixel_um: float | None = None,
    most_knockouts: int = 6,
) -> Picture:
    """Draw control and knockouts, one row per genotype and one column per class.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells of all genotypes with identity and metadata; shown with ``prob_class1`` if there.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names control, classes and marker and says how many cells.
    pixel_um : float or None
        Size of a pixel in um.
    most_knockouts : int
        At most so many knockouts are drawn, the first by name; the caption says so.

    Returns
    -------
    Picture
        Its table has one row per crop.
    """
    knockouts = sorted(set(cells["genotype"]) - {study.control})
    shown = knockouts[:most_knockouts]
    panels = _class_panels(cells, [study.control, *shown], study)
    all_shown = len(shown) == len(knockouts)
    more = "" if all_shown else f" Of {len(knockouts)} knockouts the first {len(shown)} are shown."
    caption = (
        f"{study.marker_name} in cells of each genotype, {study.classes[0]} on the left and "
        f"{study.classes[1]} on the right.{more} {_cells_text(cells, study)}"
    )
    return draw_panels(
        panels, paths, study, f"{study.marker_name} by genotype and stimulation", caption, pixel_um
    )


def _class_panels(cells: pd.DataFrame, genotypes: Sequence[str], study: Study) -> list[Panel]:
    sizes = study.galleries
    return [
        Panel(
            name=f"{genotype}, {label}",
            title=f"{genotype}, {label}",
            cells=choose_class_cells(cells, genotype, label, sizes.class_cells, sizes.random_state),
            wanted=sizes.class_cells,
            available=int(_in_group(cells, genotype, label).sum()),
        )
        for genotype in genotypes
        for _, label in sorted(study.classes.items())
    ]


def _in_group(cells: pd.DataFrame, genotype: str, stimulation: str) -> np.ndarray:
    chosen = (cells["genotype"] == genotype) & (cells["stimulation"] == stimulation)
    return chosen.to_numpy()


def _cells_text(cells: pd.DataFrame, study: Study) -> str:
    """How cells were drawn, and their scores where there are any."""
    seed = study.galleries.random_state
    drawn = f"Cells are drawn at random (seed {seed}) from the first field of view of each group."
    if SCORE not in cells.columns:
        return f"{drawn} {_brightness(study)}"
    score = f"the cell's own score, its predicted probability of being {study.classes[1]}."
    return f"{drawn} The number above a crop is {score} {_brightness(study)}"


def _brightness(study: Study) -> str:
    return (
        f"{study.marker_name} is scaled between the darkest and brightest pixels of each cell, so "
        "brightness shows where the marker is, not how much of it there is."
    )
