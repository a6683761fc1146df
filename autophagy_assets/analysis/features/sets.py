"""Feature sets: which features of a table a model uses, or that it uses the crops themselves.

The name of a feature says where it is from: ``marker_<what>_<scale>`` is a feature of the marker,
on one of two scales; every other one is scPortrait's.
"""

from __future__ import annotations

from collections.abc import Iterable

from autophagy_assets.analysis.identity import IDENTITY, METADATA
from autophagy_assets.config.models import MARKER, SCPORTRAIT, Model
from autophagy_assets.errors import InputError

PREFIX = "marker_"
CONTRAST, UNITS = "contrast", "units"
# What a cell shows by itself; it stays beside the scores of a cell, whatever the model.
PUNCTA = f"{PREFIX}puncta_number_{CONTRAST}"
# What no cell has and no model uses: the background of an image as it is, in its own units.
LEVEL = f"{PREFIX}background_level_{UNITS}"


def set_of(feature: str) -> str:
    """Feature set that a feature belongs to.

    Returns
    -------
    str
        ``scportrait`` or ``marker``.
    """
    return MARKER if feature.startswith(PREFIX) else SCPORTRAIT


def scale_of(feature: str) -> str | None:
    """Scale of a feature of the marker.

    Returns
    -------
    str or None
        ``contrast`` or ``units``; None for a feature of another set.
    """
    return feature.rpartition("_")[2] if set_of(feature) == MARKER else None


def features_of(model: Model, features: Iterable[str]) -> list[str]:
    """Features that a model uses, of those that there are.

    Returns
    -------
    list of str
        In their order. Of a model whose network looks at crops, identity and metadata come first.

    Raises
    ------
    InputError
        If there are none.
    """
    present = list(features)
    cells = [] if model.network_used is None else [*IDENTITY, *METADATA]
    used = [
        name
        for name in present
        if set_of(name) in model.feature_sets
        and name != LEVEL
        and (scale_of(name) is None or scale_of(name) in model.marker_scales)
        and not any(part in name for part in model.excluded_features)
    ]
    if not (cells or used):
        sets = " and ".join(model.feature_sets)
        raise InputError(
            f"Model {model.name!r} has no feature: of the {len(present)} of the table, none is of "
            f"{sets} and not excluded; change its feature_sets, marker_scales or "
            "excluded_features."
        )
    return [*cells, *used]
