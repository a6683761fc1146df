"""Cells and background of a field of view, as two negative controls need them.

Here: reading a field once. Not here: how patches are found and put behind cells (``background``),
and what is measured of them (``background_features``).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from autophagy_assets.analysis.evidence.background import (
    MARGIN_PX,
    Patches,
    background_patches,
    swap_background,
)
from autophagy_assets.analysis.imaging.regions import region_of_cell, regions_of
from autophagy_assets.analysis.marker.views import MarkerField, read_marker
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

PATCHES = 60  # of a field at most
# Few of them stand behind the cells of other fields, as all fields of a study are held at once.
BEHIND = 8
_BLUR_PX = 1.0  # scPortrait blurs its masks so; the background fades into the cell
_WIDE_PX = 4  # beyond the cell, as far as the blur reaches


@dataclass(frozen=True)
class CellBox:
    """The smallest box around a cell with some of its surroundings.

    Attributes
    ----------
    marker : numpy.ndarray of float32, shape (height, width)
        In units of the image.
    cell, nucleus : numpy.ndarray of bool, shape (height, width)
        Where they are.
    """

    marker: np.ndarray
    cell: np.ndarray
    nucleus: np.ndarray

    def on(self, behind: np.ndarray, level: float) -> tuple[np.ndarray, float]:
        """The marker of the cell on another background.

        Parameters
        ----------
        behind : numpy.ndarray, shape (size, size)
            Background of another image; repeated where the box is larger.
        level : float
            Background of the cell's own image.

        Returns
        -------
        marker : numpy.ndarray of float, shape (height, width)
        shift : float
            How much brighter the pixels of the cell have become.
        """
        height, width = self.marker.shape
        patch = behind.take(range(height), 0, mode="wrap").take(range(width), 1, mode="wrap")
        soft = ndi.gaussian_filter(self.cell.astype(float), _BLUR_PX)
        found = swap_background(self.marker[None], soft, np.array([level]), patch[None])[0]
        return found, float(np.median(patch)) - level


@dataclass(frozen=True)
class FieldBackground:
    """The marker in a field of view: cells and background apart.

    Attributes
    ----------
    level : float
        Brightness of the background, in units of the image.
    highest : float
        The highest value of the image.
    cells : dict of int to CellBox
        By cell id.
    first_id : int
        Ids of its cells are above it, where several fields have one store.
    patches : Patches or None
        Of the marker alone; None in a field without room for one.
    behind : numpy.ndarray of float32, shape (n, size, size), or None
        Some of the patches, with background in place of what is near a cell beyond their outline.
    refused : str
        Why there are no patches; empty where there are.
    """

    level: float
    highest: float
    cells: dict[int, CellBox]
    first_id: int = 0
    patches: Patches | None = None
    behind: np.ndarray | None = None
    refused: str = ""


def read_background(
    store: str | os.PathLike[str], cell_ids: Collection[int], study: Study
) -> FieldBackground:
    """Read the cells of a field of view and patches of its background.

    Parameters
    ----------
    store : path-like
        A SpatialData zarr store, of this field or of several.
    cell_ids : collection of int
        Cells of one field that are wanted; as many patches, and at most 60.
    study : Study
        Gives the marker's channel, the size of a crop and the random state.

    Returns
    -------
    FieldBackground
        The same for the same field. Those of the wanted cells that the field has.

    Raises
    ------
    InputError
        If the store cannot be read or has no such channel.
    """
    region = region_of_cell(regions_of(store), max(cell_ids, default=0))
    field = read_marker(store, study.marker_channel, region)
    image = field.image + np.float32(field.background)
    seed, size = study.cross_validation.random_state, study.segmentation.image_size
    boxes = _boxes(image, field, cell_ids)
    found = FieldBackground(field.background, float(image.max()), boxes, region.first_id)
    try:
        patches = background_patches(
            image[None], field.cell_ids, field.nucleus_ids,
            size - size % 2, min(PATCHES, len(cell_ids)), seed,
        )  # fmt: skip
    except InputError as error:
        return replace(found, refused=str(error))
    behind = _without_cells(patches, field, np.random.default_rng(seed))
    return replace(found, patches=patches, behind=behind)


def _boxes(image: np.ndarray, field: MarkerField, cell_ids: Collection[int]) -> dict[int, CellBox]:
    found = {}
    for cell_id, box in enumerate(ndi.find_objects(field.cell_ids), start=1):
        if box is not None and cell_id in cell_ids:
            wide = tuple(slice(max(s.start - _WIDE_PX, 0), s.stop + _WIDE_PX) for s in box)
            cell, nucleus = field.cell_ids[wide] == cell_id, field.nucleus_ids[wide] == cell_id
            found[cell_id] = CellBox(image[wide].copy(), cell, nucleus & cell)
    return found


def _without_cells(patches: Patches, field: MarkerField, random: np.random.Generator) -> np.ndarray:
    """Patches in which pixels of and near cells are drawn from those within the outline."""
    half = patches.cells.shape[1] // 2
    near = ndi.maximum_filter((field.cell_ids > 0).astype(np.uint8), size=2 * MARGIN_PX + 1) > 0
    found = patches.images[:BEHIND, 0].astype(np.float32)
    for patch, outline, (row, column) in zip(found, patches.cells, patches.centres, strict=False):
        unclean = near[row - half : row + half, column - half : column + half]
        patch[unclean] = random.choice(patch[outline], int(unclean.sum()))
    return found
