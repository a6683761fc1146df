"""From the light of a specimen to an image file's numbers: microscope and camera."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from autophagy_assets.simulation.shapes import enlarge

PSF_PX = 0.9  # sd of the point spread at 20x, 0.6 um per px
READ_NOISE = 1.6
STRETCH = (0.1, 99.9)  # percentiles that the real study's images were stretched from


def expose(
    rng: np.random.Generator,
    light: np.ndarray,
    *,
    background: float,
    haze: float,
    focus: float,
) -> np.ndarray:
    """Image a specimen.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    light : numpy.ndarray of shape (size, size)
        Expected photons per px.
    background : float
        Photons per px from medium and plastic.
    haze : float
        Share of the light that comes from out of focus.
    focus : float
        Point spread in units of the best one, >= 1.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
        Camera counts.
    """
    size = len(light)
    sharp = ndi.gaussian_filter(light.astype(np.float32), PSF_PX * focus)
    # The wide blur is done on every fourth pixel: it holds no finer detail.
    wide = np.pad(ndi.gaussian_filter(sharp[::4, ::4], 5.0), (0, 1), mode="edge")
    wide = enlarge(wide, 4, size)
    seen = illumination(rng, size) * ((1 - haze) * sharp + haze * wide + background)
    # Poisson noise in its normal limit (background is above ten photons), plus read noise.
    noise = rng.standard_normal(seen.shape, dtype=np.float32)
    return seen + noise * np.sqrt(np.maximum(seen, 0) + READ_NOISE**2)


def illumination(rng: np.random.Generator, size: int) -> np.ndarray:
    """Uneven illumination: brightest near the middle, up to a fifth darker in a corner.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Side in px.

    Returns
    -------
    numpy.ndarray of shape (size, size), float32
        Factors of at most 1.
    """
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = rng.normal(0, 0.15, 2)
    fall = rng.uniform(0.05, 0.1)
    return 1 - fall * ((grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2)


def stretch(counts: np.ndarray) -> np.ndarray:
    """Stretch contrast over the whole range of the file, as the real study's images are.

    Parameters
    ----------
    counts : numpy.ndarray
        Camera counts.

    Returns
    -------
    numpy.ndarray of uint16
        The 0.1 and 99.9 percentiles become 0 and 65535, what lies beyond is clipped.

    Notes
    -----
    Each image is stretched from its own percentiles, so its gain depends on what is in it:
    intensities cannot be compared between images, in this study as in the real one.
    """
    low, high = np.percentile(counts, STRETCH)
    scaled = (counts - low) / max(high - low, 1e-6) * 65535
    return np.clip(scaled, 0, 65535).astype(np.uint16)
