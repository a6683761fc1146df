"""One simulated field of view: its images and what is truly in them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autophagy_assets.simulation import cells as cell
from autophagy_assets.simulation import colonies, optics, stains
from autophagy_assets.simulation.shapes import Shapes, draw_shapes
from autophagy_assets.simulation.treatments import Condition

TRUTH_COLUMNS = [
    "field", "cell", "x", "y", "nucleus_area", "cell_area", "n_puncta",
    "genotype", "clone", "stimulation", "fov",
    "autophagic", "spontaneous", "mitotic", "dying", "touches_border",
]  # fmt: skip
PUNCTA_COLUMNS = ["field", "cell", "x", "y", "photons"]


def simulate_field(
    condition: Condition,
    *,
    seed: int,
    size: int,
    n_cells: int,
    effect: float,
    knockout: float = 1.0,
    staining: float = 0.0,
) -> tuple[dict[str, np.ndarray], pd.DataFrame, pd.DataFrame]:
    """Simulate one field of view.

    Parameters
    ----------
    condition : Condition
        What is imaged.
    seed : int
        Seed of the study. A field depends on it and on its own name only.
    size : int
        Side in px.
    n_cells : int
        Cells in an untreated field, on average over clones and fields.
    effect, knockout, staining : float
        Strength of the treatment, of the knockout and of a difference in staining, see
        ``simulate``.

    Returns
    -------
    images : dict of str to numpy.ndarray
        Channel -> uint16 image of shape (size, size).
    truth : pandas.DataFrame
        One row per cell whose nucleus centre is in the field, columns ``TRUTH_COLUMNS``.
    puncta : pandas.DataFrame
        One row per punctum of the marker in the field, columns ``PUNCTA_COLUMNS``.
    """
    genotype, number, _, _ = condition.seed
    clone = cell.Clone.draw(np.random.default_rng([seed, genotype, number]))
    rng = np.random.default_rng([seed, *condition.seed])
    effect *= condition.part
    slowed = cell.SLOWED_GROWTH * min(effect, 1.0) * condition.is_stimulated
    wanted = n_cells * clone.density * (1 - slowed) * np.exp(rng.normal(0, 0.12))
    centres = colonies.place(rng, size, max(round(wanted), 1))
    drawn = cell.draw(rng, centres, condition, clone, effect, knockout)
    shapes = draw_shapes(rng, drawn, size)
    light = {
        "DAPI": stains.dna(rng, drawn, shapes),
        "Alexa488": stains.membrane(rng, drawn, shapes),
    }
    light["mCherry"], puncta = stains.marker(rng, drawn, shapes)
    raised = {"mCherry": 1 + staining * condition.is_stimulated}
    focus = rng.uniform(1.0, 1.12)
    images = {
        channel: optics.stretch(
            optics.expose(
                rng,
                photons * np.exp(rng.normal(0, 0.15)),
                background=rng.uniform(10, 16) * raised.get(channel, 1),
                haze=rng.uniform(0.02, 0.05),
                focus=focus,
            )
        )
        for channel, photons in light.items()
    }
    return images, _truth(condition, drawn, shapes), _puncta(condition, drawn, puncta, size)


def _truth(condition: Condition, drawn: pd.DataFrame, shapes: Shapes) -> pd.DataFrame:
    """Ground truth of the cells whose nucleus centre lies in the field."""
    n, size = len(drawn), len(shapes.cells)
    edge = np.zeros((size, size), bool)
    edge[[0, -1], :] = edge[:, [0, -1]] = True
    table = drawn.assign(
        field=condition.field,
        nucleus_area=np.bincount(shapes.nuclei.ravel(), minlength=n + 1)[1:],
        cell_area=np.bincount(shapes.cells.ravel(), minlength=n + 1)[1:],
        genotype=condition.genotype,
        clone=condition.line,
        stimulation=condition.stimulation,
        fov=f"FOV{condition.fov}",
        touches_border=np.isin(np.arange(1, n + 1), shapes.cells[edge]),
    )
    table = table[_centre_in_field(table, size)].reset_index(drop=True)
    table["cell"] = np.arange(1, len(table) + 1)
    return table[TRUTH_COLUMNS].round({"x": 2, "y": 2})


def _puncta(
    condition: Condition, drawn: pd.DataFrame, puncta: pd.DataFrame, size: int
) -> pd.DataFrame:
    """Where puncta truly are, with the number of their cell; 0 for a cell that is not listed."""
    inside = _centre_in_field(drawn, size)
    numbers = np.where(inside, inside.cumsum(), 0)
    table = puncta.assign(field=condition.field, cell=numbers[puncta["label"] - 1])
    return table[PUNCTA_COLUMNS].round({"photons": 1})


def _centre_in_field(cells: pd.DataFrame, size: int) -> pd.Series:
    return cells[["x", "y"]].ge(0).all(axis=1) & cells[["x", "y"]].lt(size).all(axis=1)
