"""What the three stains show of a field's cells, as expected photons per pixel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import ndimage as ndi

from autophagy_assets.simulation.shapes import Shapes, smooth_noise


def dna(rng: np.random.Generator, cells: pd.DataFrame, shapes: Shapes) -> np.ndarray:
    """DAPI: textured nuclei with dark nucleoli, and a faint haze over the cell body.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : pandas.DataFrame
        Cells of the field.
    shapes : Shapes
        Where they are.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
    """
    size = len(shapes.nuclei)
    brightness, chromatin = (_paint(cells[c], shapes.nuclei) for c in ("dna", "chromatin"))
    texture = 0.1 * smooth_noise(rng, size, 1.5) + 0.12 * smooth_noise(rng, size, 4)
    nucleoli = np.clip(smooth_noise(rng, size, 2.2) - 1.1, 0, 1)
    nuclei = brightness * np.clip(1 + chromatin * (texture - 0.3 * nucleoli), 0.2, 2)
    # A nucleus is thinner at its rim.
    nuclei *= 0.55 + 0.45 * ndi.gaussian_filter((shapes.nuclei > 0).astype(np.float32), 1.5)
    halo = _paint(cells["halo"], shapes.cells) * _thickness(shapes)
    return nuclei + halo * (1 + 0.2 * smooth_noise(rng, size, 6))


def membrane(rng: np.random.Generator, cells: pd.DataFrame, shapes: Shapes) -> np.ndarray:
    """LckLip-mNeon: an even sheet over each cell, bright folded contacts, a fine rim, vesicles.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : pandas.DataFrame
        Cells of the field.
    shapes : Shapes
        Where they are.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
    """
    size = len(shapes.cells)
    # Brightness differs more between colonies than between neighbours.
    sheet = _paint(cells["membrane"], shapes.cells) * np.exp(0.2 * smooth_noise(rng, size, 90))
    # Contacts are folded: here a thin line, there a web some micrometres wide.
    width = 0.9 + 3.2 * np.clip(smooth_noise(rng, size, 7), 0, 2) ** 1.5
    height = np.clip(0.8 + 0.5 * smooth_noise(rng, size, 9), 0.1, 2.5)
    folds = height * np.exp(-((shapes.contact_px / width) ** 2))
    folds *= _paint(cells["contact"], shapes.cells)
    rim = 0.35 * np.exp(-shapes.edge_px / 2.0) * np.clip(1 + smooth_noise(rng, size, 8), 0, 2.5)
    grain = 1 + 0.05 * smooth_noise(rng, size, 1.2) + 0.07 * smooth_noise(rng, size, 10)
    count = rng.poisson(9 * cells["vesicles"])
    spots, _ = _spots(rng, cells, shapes, count, nuclear=1.0, reach_px=9.0, sigma=1.3)
    sheet *= 1 - 0.5 * shapes.vacuoles
    light = sheet * (grain + folds + rim) + 0.5 * sheet * spots
    return light + _fibres(rng, shapes) * (sheet.max() if len(cells) else 0)


def marker(
    rng: np.random.Generator, cells: pd.DataFrame, shapes: Shapes
) -> tuple[np.ndarray, pd.DataFrame]:
    """LC3B-mCherry: diffuse in nucleus and cytosol, with ``n_puncta`` bright puncta.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : pandas.DataFrame
        Cells of the field.
    shapes : Shapes
        Where they are.

    Returns
    -------
    light : numpy.ndarray of shape (size, size), float32
    puncta : pandas.DataFrame
        One row per punctum: ``label`` (row of the cell in `cells`, from 1), ``x`` and ``y`` in
        px, and ``photons`` at its peak, before the optics.
    """
    size = len(shapes.cells)
    body = _paint(cells["marker"], shapes.cells)
    inside = ndi.gaussian_filter((shapes.nuclei > 0).astype(np.float32), 1.5)
    grain = 1 + 0.08 * smooth_noise(rng, size, 1.5) + 0.15 * smooth_noise(rng, size, 6)
    diffuse = body * _thickness(shapes) * grain * (1 + 0.55 * inside)
    # Most autophagosomes are below the resolution; where they cluster they look larger.
    large = rng.binomial(cells["n_puncta"], 0.15)
    small, some = _spots(rng, cells, shapes, cells["n_puncta"] - large, 0.25, 22.0, 0.5)
    bright, others = _spots(rng, cells, shapes, large, 0.25, 16.0, 1.1)
    puncta = [
        some.assign(photons=900 * some["height"]),
        others.assign(photons=700 * others["height"]),
    ]
    placed = pd.concat(puncta, ignore_index=True).drop(columns="height")
    return diffuse + 900 * small + 700 * bright, placed


def _paint(values: pd.Series, labels: np.ndarray) -> np.ndarray:
    """Give every pixel its cell's value, 0 where there is no cell."""
    return np.concatenate([[0], values.to_numpy()]).astype(np.float32)[labels]


def _thickness(shapes: Shapes) -> np.ndarray:
    """Relative thickness of the cell body: flat at the edge of a colony and over vacuoles."""
    flat = 1 - 0.75 * np.exp(-shapes.edge_px / 7)
    return flat * (1 - 0.8 * shapes.vacuoles) * (shapes.cells > 0)


def _spots(
    rng: np.random.Generator,
    cells: pd.DataFrame,
    shapes: Shapes,
    count: np.ndarray | pd.Series,
    nuclear: float,
    reach_px: float,
    sigma: float,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Spots of about unit height around the nuclei, ``count`` of them in each cell, and a list."""
    light = np.zeros(shapes.cells.shape, np.float32)
    placed = [pd.DataFrame({"label": [], "x": [], "y": [], "height": []}, dtype=float)]
    boxes = ndi.find_objects(shapes.cells, max_label=len(cells))
    for label, (box, wanted) in enumerate(zip(boxes, count, strict=True), start=1):
        if box is None or wanted == 0:
            continue
        rows, columns = np.nonzero(shapes.cells[box] == label)
        rows, columns = rows + box[0].start, columns + box[1].start
        cell = cells.iloc[label - 1]
        away = np.hypot(columns - cell["x"], rows - cell["y"]) - cell["nucleus_radius"]
        weight = np.exp(-np.maximum(away, 0) / reach_px)
        weight[shapes.nuclei[rows, columns] > 0] *= nuclear
        chosen = rng.choice(len(rows), int(wanted), p=weight / weight.sum())
        height = rng.lognormal(-0.15, 0.55, int(wanted))
        np.add.at(light, (rows[chosen], columns[chosen]), height)
        spots = {"label": label, "x": columns[chosen], "y": rows[chosen], "height": height}
        placed.append(pd.DataFrame(spots))
    found = pd.concat(placed, ignore_index=True).astype({"label": int, "x": int, "y": int})
    return ndi.gaussian_filter(light, sigma) * (2 * np.pi * sigma**2), found


def _fibres(rng: np.random.Generator, shapes: Shapes) -> np.ndarray:
    """Specks of membrane that moving cells leave behind, and a little debris."""
    light = np.zeros(shapes.cells.shape, np.float32)
    empty = np.argwhere(shapes.cells == 0)
    if len(empty) == 0:
        return light
    for start in empty[rng.integers(len(empty), size=rng.poisson(len(light) / 200))]:
        trail = start + np.cumsum(rng.normal(0, 5, (rng.integers(1, 25), 2)), axis=0)
        rows, columns = np.clip(trail, 0, len(light) - 1).astype(int).T
        light[rows, columns] = rng.uniform(0.2, 1.5, len(rows))
    return light * (shapes.cells == 0)
