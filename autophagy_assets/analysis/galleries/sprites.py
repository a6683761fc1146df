"""Sprites: the crops of many cells side by side in one image, for pages that show them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from autophagy_assets.analysis.figures import data_uri
from autophagy_assets.errors import InputError

_QUALITIES = (95, 85, 70, 50, 30, 10)  # of JPEG
# Grey values of outlines, as pages colour them: nothing, cell, nucleus.
CELL, NUCLEUS = 1, 2


@dataclass(frozen=True)
class Sprites:
    """Images of cells, each in the same place of every sheet, row by row.

    Attributes
    ----------
    side : int
        Width and height of a crop, px.
    columns : int
        Crops in a row.
    channels : list of str
        A sheet for each image channel, as a data URI.
    outlines : str
        Edges of the masks: 0 nothing, 1 cell, 2 nucleus.
    """

    side: int
    columns: int
    channels: list[str]
    outlines: str


def sprites(crops: np.ndarray, max_bytes: int) -> Sprites:
    """Lay out crops side by side in compressed images.

    Parameters
    ----------
    crops : numpy.ndarray of float, shape (n, 2 + n_channels, side, side)
        Masks of nucleus and cell, and channels with values 0-1.
    max_bytes : int
        Of all sheets together, as text. Compression is as weak as they allow.

    Raises
    ------
    InputError
        If they cannot be made so small.
    """
    side, columns = crops.shape[-1], math.ceil(math.sqrt(len(crops)))
    masks = (crops[:, :2] > 0.5).astype(np.uint8)
    drawn = np.maximum(CELL * _edges(masks[:, 1]), NUCLEUS * _edges(masks[:, 0]))
    outlines = data_uri(_png(_sheet(drawn, columns)))
    values = np.rint(np.clip(crops[:, 2:], 0, 1) * 255).astype(np.uint8)
    sheets = [_sheet(values[:, channel], columns) for channel in range(values.shape[1])]
    for quality in _QUALITIES:
        channels = [data_uri(_jpeg(sheet, quality)) for sheet in sheets]
        if sum(map(len, channels)) + len(outlines) <= max_bytes:
            return Sprites(side, columns, channels, outlines)
    raise InputError(
        f"{len(crops)} crops of {side} x {side} pixels do not fit into {max_bytes / 1e6:.1f} MB; "
        "ask for fewer cells."
    )


def _sheet(crops: np.ndarray, columns: int) -> np.ndarray:
    n, side = len(crops), crops.shape[-1]
    rows = math.ceil(n / columns)
    padded = np.zeros((rows * columns, side, side), dtype=np.uint8)
    padded[:n] = crops
    tiled = padded.reshape(rows, columns, side, side).swapaxes(1, 2)
    return tiled.reshape(rows * side, columns * side)


def _edges(masks: np.ndarray) -> np.ndarray:
    """Pixels of masks that have a neighbour outside; of a mask at the border of its crop, those."""
    beside = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
    inside = np.minimum.reduce(
        [beside[:, :-2, 1:-1], beside[:, 2:, 1:-1], beside[:, 1:-1, :-2], beside[:, 1:-1, 2:]]
    )
    return masks * (1 - inside)


def _jpeg(sheet: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def _png(sheet: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(sheet, mode="P")
    image.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2])
    image.save(buffer, format="PNG", bits=2, compress_level=6)
    return buffer.getvalue()
