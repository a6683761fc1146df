"""How features of the marker are measured: sizes of what is looked for, and what is a punctum.

Not here: which models use them (``models``).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from autophagy_assets.config.estimators import Strict

Micrometres = Annotated[float, Field(gt=0, le=100)]


class MarkerFeatures(Strict):
    """How puncta and texture of the marker are measured.

    Parameters
    ----------
    pixel_um : float
        Size of a pixel in µm, of images whose resolution is not known.
    edge_um : float
        Width of the rim of a cell that is left out.
    contrast_percentiles : (float, float)
        Percentiles of a cell's pixels that become 0 and 1 on the scale of contrast.
    smoothing_um : float
        Sd of the Gaussian that takes away noise before texture is measured.
    puncta_sd_um : float
        Size of the puncta that respond most, as the sd of a Gaussian.
    puncta_diffuse : float
        Least response of a punctum, as a share of the diffuse marker of its cell: the median
        above the lower of the percentiles.
    puncta_contrast : float
        Least response of a punctum, as a share of the contrast of its cell: what lies between
        the percentiles.
    puncta_noise : float
        Least response of a punctum, in standard deviations of what the noise of its cell responds.
    radii_um : tuple of float
        At which white top-hat, Laplacian of Gaussian, granularity and correlation are measured,
        from small to large.
    """

    pixel_um: Micrometres = 0.598
    edge_um: float = Field(default=1.2, ge=0, le=100)
    contrast_percentiles: tuple[float, float] = (1.0, 99.8)
    smoothing_um: Micrometres = 0.4
    puncta_sd_um: Micrometres = 0.5
    puncta_diffuse: float = Field(default=0.18, ge=0)
    puncta_contrast: float = Field(default=0.05, gt=0)
    puncta_noise: float = Field(default=5.0, ge=0)
    radii_um: tuple[Micrometres, ...] = Field(default=(0.6, 1.2, 1.8, 3.0, 4.8), min_length=1)

    @field_validator("contrast_percentiles")
    @classmethod
    def _a_range(cls, range_: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= range_[0] < range_[1] <= 100:
            raise ValueError("must be two percentiles, the lower one first, such as [1, 99.8]")
        return range_

    @field_validator("radii_um")
    @classmethod
    def _rising(cls, radii: tuple[float, ...]) -> tuple[float, ...]:
        if list(radii) != sorted(set(radii)):
            raise ValueError("must rise and not repeat, such as [0.6, 1.2, 1.8]")
        return radii
