"""Which pixel belongs to which cell: nuclei, cell bodies and the contacts between them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage as ndi

WARP_PX = ((14.0, 3.5), (5.0, 1.0))  # scale and sd of the irregularities of a border
GAP_PX = 20.0  # gaps in a colony narrower than about twice this are covered by cells
LONGEST = 1.9  # longest protrusion, in radii of its cell
REACH = 3.0  # a cell is drawn up to this many of its radii from its nucleus: room for closed gaps

Cell = dict[Hashable, Any]  # one row of the cells


@dataclass(frozen=True)
class Shapes:
    """Pixel maps of a field, all of shape (size, size); label i + 1 is row i of the cells.

    Attributes
    ----------
    nuclei, cells : numpy.ndarray of int32
        Labels, 0 is background.
    contact_px : numpy.ndarray of float32
        Distance in px from the border between two cells; large where a cell has no neighbour.
    edge_px : numpy.ndarray of float32
        Distance in px from the edge of the colony, 0 outside.
    vacuoles : numpy.ndarray of float32
        0-1, how much of the cell body a vacuole takes up.
    """

    nuclei: np.ndarray
    cells: np.ndarray
    contact_px: np.ndarray
    edge_px: np.ndarray
    vacuoles: np.ndarray


def smooth_noise(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """Smooth random field with mean 0 and sd 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Side in px.
    scale : float
        Length in px over which values stay alike.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
    """
    # Drawn on a coarse grid and interpolated: the same to the eye and many times faster.
    step = max(int(scale / 2), 1)
    coarse = rng.standard_normal((size // step + 2,) * 2, dtype=np.float32)
    coarse = ndi.gaussian_filter(coarse, scale / step)
    coarse = (coarse - coarse.mean()) / coarse.std()
    return coarse[:size, :size] if step == 1 else enlarge(coarse, step, size)


def enlarge(coarse: np.ndarray, step: int, size: int) -> np.ndarray:
    """Interpolate an image linearly.

    Parameters
    ----------
    coarse : numpy.ndarray of shape (m, m)
        Values at every ``step``-th pixel, m > size / step.
    step : int
        Pixels between two values.
    size : int
        Side of the result in px.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
    """
    # Ten times faster than scipy.ndimage.zoom, which would take a third of the whole time.
    left, part = np.divmod(np.arange(size), step)
    right = np.minimum(left + 1, len(coarse) - 1)
    part = (part / step).astype(np.float32)
    rows = coarse[left] + (coarse[right] - coarse[left]) * part[:, None]
    return rows[:, left] + (rows[:, right] - rows[:, left]) * part


def draw_shapes(rng: np.random.Generator, cells: pd.DataFrame, size: int) -> Shapes:
    """Draw nuclei and cell bodies.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : pandas.DataFrame
        Cells of the field, as ``cells.draw`` gives them.
    size : int
        Side of the field in px.

    Notes
    -----
    A pixel belongs to the cell whose nucleus is nearest in units of that cell's radius, which
    varies with direction (protrusions) and on a warped grid (irregular borders). The colony is
    the union of the cells with narrow gaps closed, which leaves concave edges between corners.
    """
    warp = [_warp(rng, size), _warp(rng, size)]
    nearest = np.full((size, size), np.inf, np.float32)
    second = nearest.copy()
    labels = np.zeros((size, size), np.int32)
    nuclei = np.zeros((size, size), np.int32)
    for label, cell in enumerate(cells.to_dict("records"), start=1):
        window, dx, dy = _window(cell["x"], cell["y"], REACH * cell["cell_radius"], size)
        if dx.size == 0:
            continue
        distance = _body(rng, cell, dx + warp[0][window], dy + warp[1][window])
        near, next_near = nearest[window], second[window]
        np.minimum(next_near, np.maximum(near, distance), out=next_near)
        labels[window][distance < near] = label
        np.minimum(near, distance, out=near)
        window, dx, dy = _window(cell["x"], cell["y"], 2.2 * cell["nucleus_radius"], size)
        if dx.size:
            nuclei[window][_nucleus(rng, cell, dx, dy) & (nuclei[window] == 0)] = label
    colony = _close_gaps(nearest < 1) | (nuclei > 0)
    labels[~colony] = 0
    labels[nuclei > 0] = nuclei[nuclei > 0]
    radius = float(cells["cell_radius"].mean()) if len(cells) else 1.0
    vacuoles = np.clip(2 * smooth_noise(rng, size, 3) - 4.4, 0, 1) * (nuclei == 0)
    # The difference of distances grows twice as fast as the distance from the border.
    contact = (second - np.minimum(nearest, 99)) * radius / 2
    return Shapes(nuclei, labels, np.minimum(contact, 1e3), _depth(colony), vacuoles)


def _window(
    x: float, y: float, reach: float, size: int
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Part of the field around a point, and the offsets of its pixels from that point."""
    top, left = (int(np.clip(v - reach, 0, size)) for v in (y, x))
    bottom, right = (int(np.clip(v + reach + 1, 0, size)) for v in (y, x))
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    return (slice(top, bottom), slice(left, right)), columns - x, rows - y


def _warp(rng: np.random.Generator, size: int) -> np.ndarray:
    """Displacement of the grid in px along one axis."""
    (wide, wide_sd), (fine, fine_sd) = WARP_PX
    return wide_sd * smooth_noise(rng, size, wide) + fine_sd * smooth_noise(rng, size, fine)


def _depth(mask: np.ndarray) -> np.ndarray:
    """Distance in px of each pixel from the outside of a mask."""
    return np.asarray(ndi.distance_transform_edt(mask), dtype=np.float32)


def _body(rng: np.random.Generator, cell: Cell, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Distance from the nucleus in units of the cell's radius in that direction."""
    angle = np.arctan2(dy, dx)
    radius = np.ones_like(angle)
    for direction in rng.uniform(-np.pi, np.pi, rng.integers(2, 5)):
        height, sharpness = cell["protrusion"] * rng.uniform(0.5, 1.5), rng.uniform(5, 30)
        radius += height * np.exp(sharpness * (np.cos(angle - direction) - 1))
    return (np.hypot(dx, dy) / (cell["cell_radius"] * np.minimum(radius, LONGEST))).astype(
        np.float32
    )


def _nucleus(rng: np.random.Generator, cell: Cell, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Mask of a nucleus: an ellipse with a few dents."""
    cos, sin = np.cos(cell["nucleus_angle"]), np.sin(cell["nucleus_angle"])
    stretch = np.sqrt(cell["nucleus_elongation"])
    along, across = (dx * cos + dy * sin) / stretch, (dy * cos - dx * sin) * stretch
    angle = np.arctan2(across, along)
    dents = 1 + sum(
        rng.normal(0, 0.07 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
        for order in (2, 3, 4)
    )
    return np.hypot(along, across) < cell["nucleus_radius"] * dents


def _close_gaps(mask: np.ndarray) -> np.ndarray:
    """Morphological closing with a disc, at half resolution because it is the slow step."""
    half = np.pad(mask[::2, ::2], int(GAP_PX), mode="edge")
    wide = _depth(~half) <= GAP_PX / 2 if half.any() else half
    closed = _depth(wide) > GAP_PX / 2
    closed = closed[int(GAP_PX) : -int(GAP_PX), int(GAP_PX) : -int(GAP_PX)]
    smooth = ndi.gaussian_filter(np.kron(closed, np.ones((2, 2), np.float32)), 1.0)
    size = len(mask)
    return (smooth[:size, :size] > 0.5) | mask
