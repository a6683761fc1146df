"""Background of a field of view: patches without cells, and cells on another background.

Here: how the images of two negative controls are made. Not here: measuring them
(``analysis.marker``) and what they say (``shortcuts``, ``altered_data``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from autophagy_assets.errors import InputError

MARGIN_PX = 15  # nearer to a cell than this lies some of its light


@dataclass(frozen=True)
class Patches:
    """Pieces of the background, each seen through the outline of a cell.

    Attributes
    ----------
    images : numpy.ndarray, shape (n_patches, n_channels, size, size)
        In units of the image.
    cells, nuclei : numpy.ndarray of bool, shape (n_patches, size, size)
        Outlines that were borrowed from cells of the same field.
    centres : numpy.ndarray of int, shape (n_patches, 2)
        Row and column in the field.
    """

    images: np.ndarray
    cells: np.ndarray
    nuclei: np.ndarray
    centres: np.ndarray


def background_patches(
    image: np.ndarray,
    cell_ids: np.ndarray,
    nucleus_ids: np.ndarray,
    size: int,
    number: int,
    random_state: int,
    margin_px: int = MARGIN_PX,
) -> Patches:
    """Cut out pieces of a field of view in which there is no cell.

    Parameters
    ----------
    image : numpy.ndarray, shape (n_channels, height, width)
    cell_ids, nucleus_ids : numpy.ndarray of int, shape (height, width)
        Which cell a pixel belongs to; 0 is background.
    size : int
        Side of a patch, px; even.
    number : int
        How many patches; they may overlap.
    margin_px : int
        Between a borrowed outline and the nearest cell.

    Returns
    -------
    Patches
        What lies beyond the outline may hold parts of cells; what is measured lies within.

    Raises
    ------
    InputError
        If no outline fits anywhere between the cells.
    """
    half = size // 2
    random = np.random.default_rng(random_state)
    distance = ndi.distance_transform_edt(cell_ids == 0)
    free = np.zeros(cell_ids.shape)
    middle = (slice(half, cell_ids.shape[0] - half + 1), slice(half, cell_ids.shape[1] - half + 1))
    free[middle] = distance[middle]
    candidates = np.flatnonzero(free > margin_px)
    room = free.ravel()[candidates]
    outlines = [
        (cell, nucleus, places)
        for cell, nucleus, radius in _outlines(cell_ids, nucleus_ids, half)
        if len(places := candidates[room > radius + margin_px])
    ]
    if not outlines:
        cells = len(np.unique(cell_ids[cell_ids > 0]))
        raise InputError(
            f"The field of view has no background: nowhere between its {cells} cells is room for "
            f"the outline of one, {margin_px} px away from the others."
        )
    chosen = random.permutation(np.arange(number) % len(outlines))
    at = [int(random.choice(outlines[index][2])) for index in chosen]
    centres = np.stack(np.unravel_index(at, cell_ids.shape), axis=1)
    return Patches(
        np.stack([image[:, r - half : r + half, c - half : c + half] for r, c in centres]),
        np.stack([outlines[index][0] for index in chosen]),
        np.stack([outlines[index][1] for index in chosen]),
        centres,
    )


def _outlines(
    cell_ids: np.ndarray, nucleus_ids: np.ndarray, half: int
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Cell, nucleus and radius of each cell whose crop lies in the field."""
    rows, columns = np.indices((2 * half, 2 * half)) - half
    for number, box in enumerate(ndi.find_objects(nucleus_ids), start=1):
        if box is None:
            continue
        r, c = ((part.start + part.stop) // 2 for part in box)
        window = (slice(r - half, r + half), slice(c - half, c + half))
        cell, nucleus = cell_ids[window] == number, nucleus_ids[window] == number
        if min(r, c) >= half and cell.shape == rows.shape and cell.any():
            yield cell, nucleus & cell, float(np.hypot(rows, columns)[cell].max())


def background_level(
    image: np.ndarray, cell_ids: np.ndarray, margin_px: int = MARGIN_PX
) -> np.ndarray:
    """Brightness of the background of a field of view.

    Parameters
    ----------
    image : numpy.ndarray, shape (n_channels, height, width)
    cell_ids : numpy.ndarray of int, shape (height, width)
        0 is background.
    margin_px : int
        Pixels nearer to a cell do not count.

    Returns
    -------
    numpy.ndarray of float, shape (n_channels,)
        Median of each channel.

    Raises
    ------
    InputError
        If every pixel lies near a cell.
    """
    far = ndi.distance_transform_edt(cell_ids == 0) > margin_px
    if not far.any():
        raise InputError(
            f"The field of view has no background: every pixel is within {margin_px} px of a cell."
        )
    return np.median(image[:, far], axis=1)


def swap_background(
    crop: np.ndarray, cell: np.ndarray, level: np.ndarray, patch: np.ndarray
) -> np.ndarray:
    """Put a cell on the background of another image.

    Parameters
    ----------
    crop : numpy.ndarray, shape (n_channels, size, size)
        In units of its image.
    cell : numpy.ndarray, shape (size, size)
        Where the cell is; a mask with soft edges, between 0 and 1, blends.
    level : numpy.ndarray, shape (n_channels,)
        Background of the image that the crop is from, as `background_level` gives it.
    patch : numpy.ndarray, shape (n_channels, size, size)
        Background of the other image.

    Returns
    -------
    numpy.ndarray of float, shape (n_channels, size, size)
        Beyond the cell, the patch. Within, the crop with the level of its background replaced by
        that of the patch, since background lies below a cell too; not below 0.

    Notes
    -----
    Only what is added is swapped. The gain of an image stays in its cells.
    """
    own = np.asarray(level, dtype=float)[:, None, None]
    other = np.median(patch, axis=(1, 2))[:, None, None]
    inside = np.asarray(cell, dtype=float)
    return np.clip(inside * (crop - own + other) + (1 - inside) * patch, 0, None)
