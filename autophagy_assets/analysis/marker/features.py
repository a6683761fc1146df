"""Features of the marker of all cells of a field of view."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import ndimage as ndi

from autophagy_assets.analysis.features.sets import CONTRAST, PREFIX, UNITS
from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.analysis.imaging.regions import regions_of
from autophagy_assets.analysis.marker.columns import names
from autophagy_assets.analysis.marker.puncta import Puncta, find_puncta
from autophagy_assets.analysis.marker.texture import p99, texture
from autophagy_assets.analysis.marker.views import (
    CellView,
    cells_of_crops,
    edge_px,
    read_marker,
)
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.config.study import Study


def marker_features(
    h5ad: str | os.PathLike[str],
    study: Study,
    pixel_um: float | None = None,
    field: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Measure puncta and texture of the marker of every cell.

    Parameters
    ----------
    h5ad : path-like
        Single-cell crops of a field of view, or of several.
    study : Study
        Gives the marker's channel and what is measured.
    pixel_um : float, optional
        Size of a pixel; what the study takes for it where it is not known.
    field : path-like, optional
        The SpatialData store of the same; without it there are no features in units of the image,
        since crops are scaled to the range of their cell.

    Returns
    -------
    pandas.DataFrame
        One row per cell in the order of the crops: ``scportrait_cell_id`` (int64) and features
        (float64), finite, see ``columns``. A cell whose mask is empty or whose marker is flat has
        0 in all that needs more.

    Raises
    ------
    InputError
        If a file cannot be read, has no such channel, or a cell is not in the field.
    """
    settings = study.marker
    size = known_size(pixel_um, settings)
    cells = dict(cells_of_crops(h5ad, study.marker_channel, settings, size))
    rows = {cell: on_contrast(seen, settings, size) for cell, seen in cells.items()}
    table = _table(rows, names(settings.radii_um, CONTRAST), CONTRAST)
    if field is not None:
        found: dict[int, dict[str, float]] = {}
        for region in regions_of(field):  # each has its own background
            image = read_marker(field, study.marker_channel, region)
            views = image.cells(cells, edge_px(settings, size))
            found |= {c: in_units(v, image.highest, settings, size) for c, v in views.items()}
        for cell in cells:
            if cell not in found:
                raise InputError(
                    f"Cell {cell} of {os.fspath(h5ad)} is not in the field of view "
                    f"{os.fspath(field)}: image the field again."
                )
        rows = {cell: found[cell] for cell in cells}
        table = table.join(_table(rows, names(settings.radii_um, UNITS), UNITS))
    table.insert(0, CELL_ID, np.fromiter(cells, dtype="int64", count=len(cells)))
    return table.reset_index(drop=True)


def known_size(pixel_um: float | None, settings: MarkerFeatures) -> float:
    """Size of a pixel: that of the image, else the default of the study.

    Parameters
    ----------
    pixel_um : float or None
        None, NaN or 0 where it is not known.

    Returns
    -------
    float
        In µm.
    """
    return pixel_um if pixel_um and pixel_um > 0 else settings.pixel_um


def on_contrast(seen: CellView, settings: MarkerFeatures, pixel_um: float) -> dict[str, float]:
    """Features of a cell on the scale of contrast.

    Parameters
    ----------
    seen : CellView
        Rescaled to its own contrast.
    pixel_um : float
        Size of a pixel.

    Returns
    -------
    dict of str to float
        Without prefix and scale; empty for a cell without pixels.
    """
    if not seen.inside.any():
        return {}
    puncta = find_puncta(seen, settings, pixel_um)
    area = float(seen.inside.sum())
    mean = float(seen.values.mean())
    inside = puncta.labels > 0
    found = {
        "puncta_number": float(puncta.number),
        "puncta_density": puncta.number / (area * pixel_um**2) * 100,
        "puncta_cover": inside.sum() / area,
        "variation": _over(float(seen.values.std()), mean),
        **texture(seen, settings, pixel_um),
    }
    if puncta.number:
        found |= {
            "puncta_area": inside.sum() / puncta.number * pixel_um**2,
            "puncta_share": _over(float(seen.marker[inside].sum()), mean * area),
            "puncta_ratio": _over(float(seen.marker[inside].mean()), mean),
            "puncta_height": float(puncta.heights.mean()),
            "puncta_distance": distance_from_nucleus(puncta, seen) * pixel_um,
        }
    return found


def in_units(
    seen: CellView, highest: float, settings: MarkerFeatures, pixel_um: float
) -> dict[str, float]:
    """Features of a cell in units of the image.

    Parameters
    ----------
    seen : CellView
        Above the background of the field.
    highest : float
        The highest value of the image, above its background.
    pixel_um : float
        Size of a pixel.

    Returns
    -------
    dict of str to float
        Without prefix and scale; empty for a cell without pixels.
    """
    if not seen.inside.any():
        return {}
    mean = float(seen.values.mean())
    found = {
        "mean": mean,
        "p99": p99(seen.values),
        "total": float(seen.marker[seen.cell].sum()),
        "variation": _over(float(seen.values.std()), mean),
        "saturated": float((seen.values >= highest).mean()),
        **texture(seen, settings, pixel_um),
    }
    puncta = find_puncta(seen, settings, pixel_um)
    if puncta.number:
        found["puncta_brightness"] = float(seen.marker[puncta.labels > 0].mean())
        found["puncta_height"] = float(puncta.heights.mean())
    return found


def distance_from_nucleus(puncta: Puncta, seen: CellView) -> float:
    """How much farther from the nucleus puncta are than the pixels of the cell.

    Parameters
    ----------
    puncta : Puncta
        At least one.

    Returns
    -------
    float
        Difference of means in px; within the nucleus the distance is 0. 0 without a nucleus.
    """
    if not seen.nucleus.any():
        return 0.0
    away = ndi.distance_transform_edt(~seen.nucleus)
    rows, columns = puncta.centres.T
    return float(away[rows, columns].mean() - away[seen.inside].mean())


def _over(value: float, mean: float) -> float:
    return value / mean if mean > 0 else 0.0


def _table(rows: dict[int, dict[str, float]], columns: list[str], scale: str) -> pd.DataFrame:
    named = [
        {f"{PREFIX}{what}_{scale}": value for what, value in found.items()}
        for found in rows.values()
    ]
    table = pd.DataFrame(named, index=list(rows), columns=pd.Index(columns))
    return table.astype("float64").fillna(0)
