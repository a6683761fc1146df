"""Puncta: small places that are brighter than what surrounds them.

Found where the Laplacian of Gaussian (Lindeberg, International Journal of Computer Vision 30,
1998) has a peak that stands out of the diffuse marker of the cell and out of its noise. Two puncta
that the optics do not resolve have one peak and count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage as ndi
from skimage.segmentation import watershed

from autophagy_assets.analysis.marker.views import CellView
from autophagy_assets.config.marker import MarkerFeatures

# Second differences in both directions: of a smooth image 0, of white noise 6 times its sd.
_NOISE = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Puncta:
    """Puncta of a cell.

    Attributes
    ----------
    labels : numpy.ndarray of int, shape (height, width)
        Number of the punctum that a pixel belongs to, from 1; 0 is none. A punctum reaches to
        where its response is half of that at its peak.
    response : numpy.ndarray of float32, shape (height, width)
        Laplacian of Gaussian of the marker, positive where it is brighter than around.
    """

    labels: np.ndarray
    response: np.ndarray

    @property
    def number(self) -> int:
        """How many there are."""
        return int(self.labels.max(initial=0))

    def centres(self) -> np.ndarray:
        """Row and column of the peak of each, shape (number, 2)."""
        wanted = np.arange(1, self.number + 1)
        peaks = ndi.maximum_position(self.response, self.labels, wanted) if self.number else []
        return np.array(peaks, dtype=float).reshape(-1, 2)


def find_puncta(seen: CellView, settings: MarkerFeatures, pixel_um: float) -> Puncta:
    """Find the puncta of a cell.

    Parameters
    ----------
    seen : CellView
        On any scale; what is found does not depend on gain and offset of the marker.
    settings : MarkerFeatures
    pixel_um : float
        Size of a pixel.

    Returns
    -------
    Puncta
        None in a cell whose marker is flat.
    """
    sigma = settings.puncta_sd_um / pixel_um
    response = blobs(seen.marker, sigma)
    none = Puncta(np.zeros(seen.marker.shape, dtype=np.int32), response)
    least = least_response(seen, settings, sigma)
    peaks = seen.inside & (response > least) & (response == ndi.maximum_filter(response, size=3))
    if not peaks.any():
        return none
    # Equal neighbours are one peak.
    seeds, number = ndi.label(peaks, np.ones((3, 3)))
    spread = watershed(-response, seeds, mask=seen.inside & (response > least / 2))
    highest = np.append(0, ndi.maximum(response, seeds, np.arange(1, number + 1)))
    return Puncta(np.where(response >= highest[spread] / 2, spread, 0), response)


def least_response(seen: CellView, settings: MarkerFeatures, sigma_px: float) -> float:
    """Response from which on a peak is a punctum.

    Parameters
    ----------
    seen : CellView
    settings : MarkerFeatures
    sigma_px : float
        Sd of the Gaussian.

    Returns
    -------
    float
        The highest of three: a share of the diffuse marker, a share of the cell's contrast, and
        some standard deviations of what noise responds. Infinite in a cell whose marker is flat.
    """
    if not seen.inside.any():
        return np.inf
    low, middle, high = np.percentile(
        seen.values, [settings.contrast_percentiles[0], 50, settings.contrast_percentiles[1]]
    )
    if not high > low:
        return np.inf
    return float(
        max(
            settings.puncta_diffuse * (middle - low),
            settings.puncta_noise * noise_of(seen) * noise_response(sigma_px),
            settings.puncta_contrast * (high - low),
        )
    )


def blobs(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """Laplacian of Gaussian, normalised to scale and positive in bright blobs.

    Parameters
    ----------
    image : numpy.ndarray, shape (height, width)
    sigma_px : float
        Sd of the Gaussian; blobs of that sd respond most.

    Returns
    -------
    numpy.ndarray, shape (height, width)
    """
    return -(sigma_px**2) * ndi.gaussian_laplace(image, sigma_px)


def noise_of(seen: CellView) -> float:
    """Sd of the noise of the marker between neighbouring pixels.

    Parameters
    ----------
    seen : CellView

    Returns
    -------
    float
        By the median, so that the puncta themselves hardly count (after Immerkær, Computer Vision
        and Image Understanding 64, 1996).
    """
    differences = ndi.convolve(seen.marker, _NOISE, mode="nearest")[seen.inside]
    return float(np.median(np.abs(differences)) * _MAD_TO_SD / np.linalg.norm(_NOISE))


@cache
def noise_response(sigma_px: float) -> float:
    """Sd of the Laplacian of Gaussian of white noise of sd 1.

    Parameters
    ----------
    sigma_px : float
        Sd of the Gaussian.

    Returns
    -------
    float
    """
    reach = int(8 * sigma_px) + 2
    impulse = np.zeros((2 * reach + 1, 2 * reach + 1))
    impulse[reach, reach] = 1
    return float(np.linalg.norm(blobs(impulse, sigma_px)))
