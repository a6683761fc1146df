"""Note on models that could not be made, for figures of all models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autophagy_assets.analysis.figures import Picture


def noted(picture: Picture, left_out: Mapping[str, str]) -> Picture:
    """Name in the caption of a figure the models that are not in it.

    Parameters
    ----------
    left_out : mapping of str to str
        Model to why it could not be made.

    Returns
    -------
    Picture
        The same one where no model is left out.
    """
    said = [
        f" Model {model} is not in it, as it could not be made: {reason.rstrip('.')}."
        for model, reason in sorted(left_out.items())
    ]
    return replace(picture, caption=picture.caption + "".join(said)) if said else picture
