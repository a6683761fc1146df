"""Galleries: figures of cells, with their captions.

Not here: which cells (``choice``), the pixels (``crops``) and the drawing (``panels``).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.galleries.choice import (
    OUTCOMES,
    choose_class_cells,
    choose_error_cells,
    in_group,
)
from autophagy_assets.analysis.galleries.crops import Paths
from autophagy_assets.analysis.galleries.panels import PANEL, Panel, draw_panels
from autophagy_assets.analysis.identity import MODEL, OUTCOME, SCORE
from autophagy_assets.config.study import Study


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
    classes = [study.classes[number] for number in sorted(study.classes)]
    panels = _panels(cells, [study.control], classes, study)
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
    """Draw control and knockouts, one row per genotype and one column per stimulation.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells of all genotypes with identity and metadata; shown with ``prob_class1`` if there.
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    study : Study
        Names control, stimulations and marker and says how many cells. Conditions without any cell
        have no column.
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
    found = {*study.classes.values(), *cells["stimulation"]}
    columns = [label for label in study.stimulations if label in found]
    panels = _panels(cells, [study.control, *shown], columns, study)
    all_shown = len(shown) == len(knockouts)
    more = "" if all_shown else f" Of {len(knockouts)} knockouts the first {len(shown)} are shown."
    caption = (
        f"{study.marker_name} in cells of each genotype, from left to right: "
        f"{', '.join(columns)}.{more} {_cells_text(cells, study)}"
    )
    return draw_panels(
        panels, paths, study, f"{study.marker_name} by genotype and stimulation", caption, pixel_um,
        across=len(columns),
    )  # fmt: skip


def _panels(
    cells: pd.DataFrame, genotypes: Sequence[str], stimulations: Sequence[str], study: Study
) -> list[Panel]:
    sizes = study.galleries
    return [
        Panel(
            name=f"{genotype}, {label}",
            title=f"{genotype}, {label}",
            cells=choose_class_cells(cells, genotype, label, sizes.class_cells, sizes.random_state),
            wanted=sizes.class_cells,
            available=int(in_group(cells, genotype, label).sum()),
        )
        for genotype in genotypes
        for label in stimulations
    ]


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
