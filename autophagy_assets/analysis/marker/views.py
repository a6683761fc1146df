"""The marker of one cell, with the masks of cell and nucleus, for measuring features.

Here: cells out of single-cell crops (contrast) and out of the image of a field (units). A field
is read as the zarr that it is, since opening it with SpatialData takes longer than all features.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from autophagy_assets.analysis.galleries.crops import stored_cells
from autophagy_assets.analysis.galleries.spatial import read_channel
from autophagy_assets.analysis.imaging.regions import WHOLE, Region
from autophagy_assets.config.marker import MarkerFeatures

# Beyond a cell lies this much of what surrounds it, so that filters do not see the border.
_MARGIN = 2
_IN = 0.5  # of a blurred mask: here was its outline before
_FAR_PX = 15  # pixels nearer to a cell than this hold some of its light


@dataclass(frozen=True)
class CellView:
    """The marker of one cell.

    Attributes
    ----------
    marker : numpy.ndarray of float32, shape (height, width)
        Outside of the cell its median, so that its outline is no edge.
    cell, nucleus : numpy.ndarray of bool, shape (height, width)
        Where they are.
    inside : numpy.ndarray of bool, shape (height, width)
        The cell without its rim: what is measured. All of the cell where nothing would be left.
    """

    marker: np.ndarray
    cell: np.ndarray
    nucleus: np.ndarray
    inside: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The marker of the pixels that are measured."""
        return self.marker[self.inside]


def view(marker: np.ndarray, cell: np.ndarray, nucleus: np.ndarray, edge: int) -> CellView:
    """Cut out a cell and mask what does not belong to it.

    Parameters
    ----------
    marker : numpy.ndarray, shape (height, width)
    cell, nucleus : numpy.ndarray of bool, shape (height, width)
    edge : int
        Width of the rim that is not measured, in px.

    Returns
    -------
    CellView
        Without pixels if there is no cell.
    """
    rows, columns = (np.flatnonzero(cell.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        none = np.zeros((0, 0), dtype=bool)
        return CellView(np.zeros((0, 0), dtype=np.float32), none, none, none)
    box = tuple(
        slice(max(found[0] - _MARGIN, 0), found[-1] + 1 + _MARGIN) for found in (rows, columns)
    )
    cell, nucleus = cell[box], nucleus[box] & cell[box]
    inside = ndi.binary_erosion(cell, iterations=edge) if edge else cell
    seen = np.where(np.isfinite(marker[box]), marker[box], 0).astype(np.float32)
    seen = np.where(cell, seen, np.median(seen[cell])).astype(np.float32)
    return CellView(seen, cell, nucleus, inside if inside.any() else cell)


def rescaled(seen: CellView, percentiles: tuple[float, float]) -> CellView:
    """The same cell on the scale of contrast.

    Parameters
    ----------
    percentiles : (float, float)
        Of the pixels that are measured; they become 0 and 1.

    Returns
    -------
    CellView
        All 0 for a cell whose marker is flat.
    """
    if not seen.inside.any():
        return seen
    low, high = np.percentile(seen.values, percentiles)
    if not high > low:
        return replace(seen, marker=np.zeros_like(seen.marker))
    return replace(seen, marker=((seen.marker - low) / (high - low)).astype(np.float32))


def cells_of_crops(
    h5ad: str | os.PathLike[str], channel: str, settings: MarkerFeatures, pixel_um: float
) -> Iterator[tuple[int, CellView]]:
    """Cells of a file of crops, on the scale of contrast.

    Parameters
    ----------
    h5ad : path-like
        Single-cell crops of a field of view.
    channel : str
        The marker's.
    pixel_um : float
        Size of a pixel.

    Yields
    ------
    (int, CellView)
        Id of the cell and the cell, in the order of the crops.

    Raises
    ------
    InputError
        If the file cannot be read or has no such channel.
    """
    for cell_id, nucleus, cell, marker in stored_cells(h5ad, channel):
        yield cell_id, cell_of_crop(nucleus, cell, marker, settings, pixel_um)


def cell_of_crop(
    nucleus: np.ndarray,
    cell: np.ndarray,
    marker: np.ndarray,
    settings: MarkerFeatures,
    pixel_um: float,
) -> CellView:
    """Read a cell from its crop, on the scale of contrast.

    Parameters
    ----------
    nucleus, cell, marker : numpy.ndarray, shape (height, width)
        Masks and marker as scPortrait stores them.
    pixel_um : float
        Size of a pixel.
    """
    # scPortrait blurs its masks and multiplies the image with them: a cell fades at its rim.
    unfaded = np.divide(marker, cell, out=np.zeros_like(marker), where=cell > _IN)
    seen = view(unfaded, cell > _IN, nucleus > _IN, edge_px(settings, pixel_um))
    return rescaled(seen, settings.contrast_percentiles)


@dataclass(frozen=True)
class MarkerField:
    """The marker in a field of view, above its background.

    Attributes
    ----------
    image : numpy.ndarray of float32, shape (height, width)
        In units of the image, background subtracted.
    highest : float
        Of the image, background subtracted.
    background : float
        What was subtracted.
    cell_ids, nucleus_ids : numpy.ndarray of int, shape (height, width)
        Cell ids of cells and nuclei; 0 is background.
    """

    image: np.ndarray
    highest: float
    background: float
    cell_ids: np.ndarray
    nucleus_ids: np.ndarray

    def cells(self, wanted: Collection[int], edge: int) -> dict[int, CellView]:
        """Cells of the field by id; those of `wanted` that it has."""
        found = {}
        for cell_id, box in enumerate(ndi.find_objects(self.cell_ids), start=1):
            if box is not None and cell_id in wanted:
                wide = tuple(slice(max(s.start - _MARGIN, 0), s.stop + _MARGIN) for s in box)
                cell, nucleus = self.cell_ids[wide] == cell_id, self.nucleus_ids[wide] == cell_id
                found[cell_id] = view(self.image[wide], cell, nucleus, edge)
        return found


def read_marker(store: str | os.PathLike[str], channel: str, region: Region = WHOLE) -> MarkerField:
    """Read the marker of a field of view and subtract its background.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store.
    channel : str
        The marker's.
    region : Region, optional
        Which field of the store, where it has several.

    Returns
    -------
    MarkerField
        The background is the median of the pixels that are 15 px and more from any cell; in a
        field without such pixels, the darkest hundredth.

    Raises
    ------
    InputError
        If the store cannot be read or has no such channel.
    """
    image, masks = read_channel(store, channel, region)
    marker = image.astype(np.float32)
    cells, nuclei = (masks[name].astype(np.int64) for name in ("cytosol", "nucleus"))
    empty = marker[ndi.maximum_filter((cells > 0).astype(np.uint8), size=2 * _FAR_PX + 1) == 0]
    background = float(np.median(empty) if empty.size else np.percentile(marker, 1))
    marker -= background
    return MarkerField(marker, float(marker.max()), background, cells, nuclei)


def edge_px(settings: MarkerFeatures, pixel_um: float) -> int:
    """Width of the rim of a cell that is not measured, in whole pixels.

    Parameters
    ----------
    pixel_um : float
        Size of a pixel.
    """
    return in_pixels(settings.edge_um, pixel_um) if settings.edge_um else 0


def in_pixels(um: float, pixel_um: float) -> int:
    """A length in whole pixels, at least one.

    Parameters
    ----------
    pixel_um : float
        Size of a pixel.
    """
    return max(1, round(um / pixel_um))
