"""Texture of the marker: how much of it is in structures of which size.

White top-hat and granularity come from openings by squares (Soille, Morphological Image Analysis,
2003; granularity as in CellProfiler's MeasureGranularity, without reconstruction), blobs from the
Laplacian of Gaussian (Lindeberg, International Journal of Computer Vision 30, 1998), and
correlation is Haralick's, of grey values that are not binned (IEEE SMC 3, 1973).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage as ndi

from autophagy_assets.analysis.marker.puncta import blobs
from autophagy_assets.analysis.marker.views import CellView, in_pixels
from autophagy_assets.config.marker import MarkerFeatures

TOPHAT_MEAN, TOPHAT_P99, LOG = "tophat_mean", "tophat_p99", "log"
GRANULARITY, CORRELATION = "granularity", "correlation"


def texture(seen: CellView, settings: MarkerFeatures, pixel_um: float) -> dict[str, float]:
    """Texture of the marker at every radius of the study.

    Parameters
    ----------
    seen : CellView
        Not empty.
    pixel_um : float
        Size of a pixel.

    Returns
    -------
    dict of str to float
        By name and radius, such as ``tophat_mean_1.2um``. Granularity is 0 where the marker sums
        up to nothing.
    """
    found: dict[str, float] = {}
    smooth = ndi.gaussian_filter(seen.marker, settings.smoothing_um / pixel_um)
    total = left = float(smooth[seen.inside].sum())
    for radius in settings.radii_um:
        pixels, name = in_pixels(radius, pixel_um), at(radius)
        opened = ndi.grey_opening(smooth, size=2 * pixels + 1)
        top_hat = (smooth - opened)[seen.inside]
        found[f"{TOPHAT_MEAN}_{name}"] = float(top_hat.mean())
        found[f"{TOPHAT_P99}_{name}"] = p99(top_hat)
        still = float(opened[seen.inside].sum())
        found[f"{GRANULARITY}_{name}"] = max(left - still, 0) / total if total > 0 else 0.0
        left = still
        response = blobs(seen.marker, radius / pixel_um / math.sqrt(2))[seen.inside]
        found[f"{LOG}_{name}"] = math.sqrt(float(np.square(response).mean()))
    distances = [in_pixels(radius, pixel_um) for radius in settings.radii_um]
    for radius, value in zip(settings.radii_um, correlations(seen, distances), strict=True):
        found[f"{CORRELATION}_{at(radius)}"] = value
    return found


def correlations(seen: CellView, distances_px: Sequence[int]) -> list[float]:
    """Correlation of the marker between pixels at distances, along rows and columns.

    Parameters
    ----------
    seen : CellView
        Not empty.

    Returns
    -------
    list of float
        Between -1 and 1; 0 in a cell that is flat, or has no two pixels so far from each other.
    """
    weight = seen.inside.astype(np.float32)
    away = (seen.marker - seen.values.mean()) * weight
    variance = float(np.square(away).sum()) / float(weight.sum())
    found = []
    for distance in distances_px:
        products = pairs = 0.0
        for first, second in (
            ((slice(distance, None),), (slice(None, -distance),)),
            ((slice(None), slice(distance, None)), (slice(None), slice(None, -distance))),
        ):
            products += float((away[first] * away[second]).sum())
            pairs += float((weight[first] * weight[second]).sum())
        covariance = products / pairs if pairs else 0.0
        found.append(float(np.clip(covariance / variance, -1, 1)) if variance > 0 else 0.0)
    return found


def p99(values: np.ndarray) -> float:
    """The 99th percentile: the value below which 99 of 100 lie; much faster than numpy's.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        At least one.
    """
    rank = min(int(0.99 * len(values)), len(values) - 1)
    return float(np.partition(values, rank)[rank])


def at(radius_um: float) -> str:
    """Radius as it is written in names of features.

    Examples
    --------
    >>> at(1.8), at(3.0)
    ('1.8um', '3um')
    """
    return f"{radius_um:g}um"
