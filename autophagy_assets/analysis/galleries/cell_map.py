"""A map of cells: those that look alike to a model lie near each other.

Here: where each cell lies, and which ones are shown. Not here: the representation of cells by a
model (``classifier.representation``) and the figure (``cell_map_figures``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from autophagy_assets.analysis.classifier.selection import select_in_proportion
from autophagy_assets.analysis.identity import SCORE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

ACROSS, UP = "component_1", "component_2"
SHOWN = "shown"
MOST_CELLS = 200_000
_GRID = 8  # places for crops along each side of the map
_DIGITS = 6


def on_map(cells: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Cells of the map: all of them, or a random selection of very many.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity and metadata.
    study : Study
        Has the seed of the galleries, which is looked up only if not all cells are on the map.

    Returns
    -------
    pandas.DataFrame
        In their order; of more than 200,000 cells so many, of each genotype, clone and stimulation
        in proportion to the cells that there are.
    """
    if len(cells) <= MOST_CELLS:
        return cells
    allowed, seed = np.ones(len(cells), dtype=bool), study.galleries.random_state
    by = ["genotype", "clone", "stimulation"]
    return cells[select_in_proportion(cells, by, MOST_CELLS, seed, allowed)]


def cell_map(cells: pd.DataFrame, seen: np.ndarray) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Place cells by the first two principal components of their representation.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``prob_class1``.
    seen : numpy.ndarray of float, shape (n_cells, n_dimensions)
        What the model sees of each; every dimension is scaled to unit variance. Cells that all look
        the same lie in one place.

    Returns
    -------
    table : pandas.DataFrame, shape (n_cells, n_columns + 3)
        `cells` with ``component_1`` and ``component_2``, of which the first grows with the score,
        and ``shown``: whether the cell is one of those whose crop is drawn.
    shares : (float, float)
        Of the variance in each component.

    Raises
    ------
    InputError
        If there are no cells.

    Notes
    -----
    Principal components, computed exactly, and not UMAP: they have no seed and no parameter, a cell
    keeps its place when others are coloured, distances mean the same everywhere in the map, and how
    much the map leaves out is a number. UMAP makes clusters out of noise as well, and distances
    between them say nothing.
    """
    if cells.empty:
        raise InputError("There are no cells to draw a map of; check the feature tables.")
    spread = seen.std(axis=0)
    # What is constant but for the last digits has no direction.
    told = spread > 1e-9 * np.abs(seen).max(axis=0)
    places, shares = np.zeros((len(cells), 2)), [0.0, 0.0]
    if told.any():
        scaled = (seen[:, told] - seen[:, told].mean(axis=0)) / spread[told]
        found = PCA(n_components=min(2, *scaled.shape), svd_solver="full")
        components = found.fit_transform(scaled)
        places[:, : components.shape[1]] = components
        shares[: components.shape[1]] = map(float, found.explained_variance_ratio_)
    # The sign of a component means nothing: it follows from the cells and not from the library.
    against = _covariance(places[:, 0], cells[SCORE].to_numpy()) < 0
    places[:, 0] *= -1 if against else 1
    places[:, 1] *= -1 if (places[:, 1] ** 3).sum() < 0 else 1
    # Last digits depend on how many threads the library has, and the same cells give the same map.
    places = places.round(_DIGITS)
    table = cells.reset_index(drop=True).assign(**{ACROSS: places[:, 0], UP: places[:, 1]})
    first, second = (round(share, _DIGITS) for share in shares)
    return table.assign(**{SHOWN: _shown(places)}), (first, second)


def _covariance(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one - one.mean()) * (other - other.mean())).sum())


def _shown(places: np.ndarray) -> np.ndarray:
    """The cell nearest to the middle of each square of a grid, where the square has cells."""
    low, high = places.min(axis=0), places.max(axis=0)
    scaled = (places - low) / np.where(high > low, high - low, 1) * _GRID
    square = np.minimum(scaled.astype(int), _GRID - 1)
    table = pd.DataFrame({"column": square[:, 0], "row": square[:, 1]})
    distance = pd.Series(((scaled - square - 0.5) ** 2).sum(axis=1))
    nearest = distance.groupby([table["column"], table["row"]]).idxmin()
    return np.isin(np.arange(len(places)), nearest.to_numpy())
