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
    centres : numpy.ndarray of int, shape (number, 2)
        Row and column of the peak of each.
    heights : numpy.ndarray of float, shape (number,)
        Response at the peak of each: Laplacian of Gaussian of the marker.
    """

    labels: np.ndarray
    centres: np.ndarray
    heights: np.ndarray

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.heights)


def find_puncta(seen: CellView, settings: MarkerFeatures, pixel_um: float) -> Puncta:
    """Find the puncta of a cell.

    Parameters
    ----------
    seen : CellView
        On any scale; what is found does not depend on gain and offset of the marker.
    pixel_um : float
        Size of a pixel.

    Returns
    -------
    Puncta
        None in a cell whose marker is flat.
    """
    sigma = settings.puncta_sd_um / pixel_um
    response = blobs(seen.marker, sigma)
    least = least_response(seen, settings, sigma)
    peaks = seen.inside & (response > least) & (response == ndi.maximum_filter(response, size=3))
    # Equal neighbours are one peak.
    seeds, number = ndi.label(peaks, np.ones((3, 3)))
    if not number:
        return Puncta(seeds, np.zeros((0, 2), dtype=int), np.zeros(0))
    rows, columns = np.nonzero(peaks)
    _, first = np.unique(seeds[rows, columns], return_index=True)
    centres = np.column_stack([rows[first], columns[first]])
    heights = response[centres[:, 0], centres[:, 1]]
    spread = watershed(-response, seeds, mask=seen.inside & (response > least / 2))
    half = np.append(0, heights / 2)
    return Puncta(np.where(response >= half[spread], spread, 0), centres, heights)


def least_response(seen: CellView, settings: MarkerFeatures, sigma_px: float) -> float:
    """Smallest response at which a peak is a punctum.

    Parameters
    ----------
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
    # Half the work of scipy's gaussian_laplace, which filters four times with long kernels.
    return -(sigma_px**2) * ndi.laplace(ndi.gaussian_filter(image, sigma_px))


def noise_of(seen: CellView) -> float:
    """Sd of the noise of the marker between neighbouring pixels.

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
    """
    reach = int(8 * sigma_px) + 2
    impulse = np.zeros((2 * reach + 1, 2 * reach + 1))
    impulse[reach, reach] = 1
    return float(np.linalg.norm(blobs(impulse, sigma_px)))
