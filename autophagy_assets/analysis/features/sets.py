"""Feature sets: which features of a table a model uses.

The name of a feature says where it is from: ``marker_<what>_<scale>`` is a feature of the marker,
on one of two scales; every other one is scPortrait's.
"""

from __future__ import annotations

from collections.abc import Iterable

from autophagy_assets.config.models import MARKER, SCPORTRAIT, Model
from autophagy_assets.errors import InputError

PREFIX = "marker_"
CONTRAST, UNITS = "contrast", "units"


def set_of(feature: str) -> str:
    """Feature set that a feature belongs to.

    Parameters
    ----------
    feature : str

    Returns
    -------
    str
        ``scportrait`` or ``marker``.
    """
    return MARKER if feature.startswith(PREFIX) else SCPORTRAIT


def scale_of(feature: str) -> str | None:
    """Scale of a feature of the marker.

    Parameters
    ----------
    feature : str

    Returns
    -------
    str or None
        ``contrast`` or ``units``; None for a feature of another set.
    """
    return feature.rpartition("_")[2] if set_of(feature) == MARKER else None


def features_of(model: Model, features: Iterable[str]) -> list[str]:
    """Features that a model uses, of those that there are.

    Parameters
    ----------
    model : Model
    features : iterable of str

    Returns
    -------
    list of str
        In their order.

    Raises
    ------
    InputError
        If there are none.
    """
    present = list(features)
    used = [
        name
        for name in present
        if set_of(name) in model.feature_sets
        and (scale_of(name) is None or scale_of(name) in model.marker_scales)
        and not any(part in name for part in model.excluded_features)
    ]
    if not used:
        sets = " and ".join(model.feature_sets)
        raise InputError(
            f"Model {model.name!r} has no feature: of the {len(present)} of the table, none is of "
            f"{sets} and not excluded; change its feature_sets, marker_scales or "
            "excluded_features."
        )
    return used
