"""Name, meaning and unit of each feature of the marker, defined once.

A name is ``marker_<what>_<scale>``, with the radius before the scale where there is one. On the
scale ``contrast`` each cell is scaled to its own range; on ``units`` the marker is what the image
says, above its background. Where a feature comes from is told by ``puncta`` and ``texture``.
"""

from __future__ import annotations

import re

from autophagy_assets.analysis.features.column import Column
from autophagy_assets.analysis.features.sets import CONTRAST, PREFIX, UNITS
from autophagy_assets.analysis.marker import texture

# PostgreSQL keeps no unit of more than 30 characters for LaminDB.
CONTRAST_UNIT, IMAGE_UNIT = "share of the cell's contrast", "image units above background"

# What is measured on which scale; at every radius where the name stands among those of `texture`.
_MEANINGS = {
    "puncta_number": ("Number of puncta", None),
    "puncta_density": ("Puncta per 100 µm² of the cell", "1 / 100 µm²"),
    "puncta_area": ("Mean area of a punctum within half its height; 0 without puncta", "µm²"),
    "puncta_cover": ("Share of the cell's area in puncta", None),
    "puncta_share": ("Share of the marker in puncta", None),
    "puncta_ratio": ("Mean marker in puncta, over that of the cell; 0 without puncta", None),
    "puncta_brightness": ("Mean marker in puncta; 0 without puncta", ...),
    "puncta_height": ("Mean Laplacian of Gaussian at the peak of a punctum; 0 without", ...),
    "puncta_distance": (
        "Mean distance of puncta from the nucleus beyond that of all pixels of the cell; "
        "0 without puncta or nucleus",
        "µm",
    ),
    "mean": ("Mean marker of the cell", ...),
    "p99": ("99th percentile of the marker of the cell", ...),
    "total": ("Sum of the marker over the pixels of the cell", ...),
    "background_level": ("Median of the marker on a patch without a cell", "units of the image"),
    "saturated": ("Share of the cell's pixels at the highest value of the image", None),
    "variation": ("Coefficient of variation of the marker in the cell", None),
    texture.TOPHAT_MEAN: ("Mean white top-hat of the marker", ...),
    texture.TOPHAT_P99: ("99th percentile of the white top-hat of the marker", ...),
    texture.LOG: ("Root mean square of the Laplacian of Gaussian of the marker", ...),
    texture.GRANULARITY: ("Share of the marker that goes in an opening but not in the last", None),
    texture.CORRELATION: ("Correlation of the marker between pixels at that distance", None),
}
ON_CONTRAST = (
    "puncta_number", "puncta_density", "puncta_area", "puncta_cover", "puncta_share",
    "puncta_ratio", "puncta_height", "puncta_distance", "variation",
)  # fmt: skip
ON_UNITS = (
    "mean", "p99", "total", "variation", "saturated", "puncta_brightness", "puncta_height",
)  # fmt: skip
AT_RADII = {
    CONTRAST: (
        *(texture.TOPHAT_MEAN, texture.TOPHAT_P99, texture.LOG),
        *(texture.GRANULARITY, texture.CORRELATION),
    ),
    UNITS: (texture.TOPHAT_MEAN, texture.TOPHAT_P99, texture.LOG),
}
_NAME = re.compile(
    rf"{PREFIX}(?P<what>{'|'.join(sorted(_MEANINGS, key=len, reverse=True))})"
    rf"(?:_(?P<radius>[0-9.]+)um)?_(?P<scale>{CONTRAST}|{UNITS})"
)


def names(radii_um: tuple[float, ...], scale: str) -> list[str]:
    """Names of the features on a scale.

    Parameters
    ----------
    scale : str
        ``contrast`` or ``units``.

    Returns
    -------
    list of str
        In the order of the columns of a table.
    """
    single = ON_CONTRAST if scale == CONTRAST else ON_UNITS
    at_radii = [f"{what}_{texture.at(radius)}" for what in AT_RADII[scale] for radius in radii_um]
    return [f"{PREFIX}{what}_{scale}" for what in (*single, *at_radii)]


def described(name: str) -> Column | None:
    """Describe a feature of the marker.

    Returns
    -------
    Column or None
        None for a name that no feature of the marker has.
    """
    match = _NAME.fullmatch(name)
    if not match:
        return None
    meaning, unit = _MEANINGS[match["what"]]
    if match["radius"]:
        meaning = f"{meaning}, radius {match['radius']} µm"
    if unit is ...:
        unit = CONTRAST_UNIT if match["scale"] == CONTRAST else IMAGE_UNIT
    return Column(name, float, meaning, unit)
