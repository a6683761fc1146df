"""Whether images are as the camera gave them, or stretched over the range of their file.

An image that was stretched from its own percentiles has a gain of its own: its intensities cannot
be compared with those of another image, and the gain alone may tell the classes apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autophagy_assets.analysis.quality.finding import Finding, answer, counted, first_of

# Of so many pixels at either end of the range it cannot be chance that both ends are reached.
_LEAST_CLIPPED = 1e-4
_ALIKE = 5.0  # as many pixels at one end as at the other, up to this factor; rounding adds to one
_PER_LEVEL = 20  # with fewer pixels to a grey value, an unused one says nothing
_FEWEST = 5  # grey values that distances are taken between
_MIDDLE = (0.25, 0.75)  # of the pixels: beyond, a grey value may be unused by chance


@dataclass(frozen=True)
class Evidence:
    """Evidence in the grey values of an image that it was stretched.

    Attributes
    ----------
    lowest, highest : int
        Grey values.
    clipped_low, clipped_high : float
        Share of the pixels that have the lowest and the highest value that the file can hold.
    step : float
        Median distance of neighbouring grey values that occur between the quartiles, over the
        largest number that divides all distances; 1 where there are too few pixels to tell.
    """

    lowest: int
    highest: int
    clipped_low: float
    clipped_high: float
    step: float

    @property
    def equal_extremes(self) -> bool:
        """Whether the image reaches both ends of the range, about equally often."""
        least, most = sorted((self.clipped_low, self.clipped_high))
        return least >= _LEAST_CLIPPED and most <= _ALIKE * least

    @property
    def has_gaps(self) -> bool:
        """Whether half of the grey values or more are unused where most pixels are."""
        return self.step >= 2

    @property
    def stretched(self) -> bool:
        """Whether either is so."""
        return self.equal_extremes or self.has_gaps


def evidence_of(image: np.ndarray) -> Evidence:
    """Collect the evidence from the grey values of an image.

    Parameters
    ----------
    image : numpy.ndarray of unsigned int, shape (height, width)
        At least one pixel.
    """
    counts = np.bincount(image.ravel(), minlength=1)
    levels = np.flatnonzero(counts)
    top = np.iinfo(image.dtype).max
    return Evidence(
        lowest=int(levels[0]),
        highest=int(levels[-1]),
        clipped_low=float(counts[0]) / image.size,
        clipped_high=float(counts[top]) / image.size if levels[-1] == top else 0.0,
        step=_step(counts, levels),
    )


def _step(counts: np.ndarray, levels: np.ndarray) -> float:
    below = np.cumsum(counts[levels]) / counts.sum()
    first, last = (int(np.searchsorted(below, part)) for part in _MIDDLE)
    middle = levels[first : last + 1]
    if len(middle) < _FEWEST or counts[middle].sum() < _PER_LEVEL * len(middle):
        return 1.0
    # A camera of 12 bit may leave the four lowest ones empty: that is no stretching.
    return float(np.median(np.diff(middle)) / np.gcd.reduce(np.diff(levels)))


def images_not_stretched(images: Mapping[tuple[str, str], Evidence | str]) -> Finding:
    """Check whether the images of a sample are as the camera gave them.

    Parameters
    ----------
    images : mapping of (str, str) to (Evidence or str)
        Field of view and channel, to what was seen or why the image cannot be read.

    Returns
    -------
    Finding
        Its table has a row for each image that was stretched.
    """
    seen = {place: one for place, one in images.items() if isinstance(one, Evidence)}
    unread = len(images) - len(seen)
    stretched = {place: one for place, one in seen.items() if one.stretched}
    were = "was" if len(stretched) == 1 else "were"
    observation = (
        f"Of {counted(len(seen), 'image')}, {len(stretched)} {were} stretched over the range of "
        "the file"
    )
    if unread:
        observation += f"; {counted(unread, 'image')} could not be read"
    channels = sorted({channel for _, channel in stretched})
    remedy = (
        f" ({first_of([_named(*item) for item in stretched.items()])}): intensities of "
        f"{', '.join(channels)} cannot be compared between images, and features in units of the "
        "image may show the stretching; export the images without changing their contrast."
    )
    numbers: dict[str, int | float | str] = {
        "images": len(seen),
        "stretched": len(stretched),
        "with equal extremes": sum(one.equal_extremes for one in seen.values()),
        "with gaps in grey values": sum(one.has_gaps for one in seen.values()),
        "not read": unread,
    }
    found = answer(not stretched, observation, remedy, numbers)
    table = _table(stretched) if stretched else None
    return Finding(found.passed, found.sentence, found.numbers, table)


def _named(place: tuple[str, str], one: Evidence) -> str:
    signs = []
    if one.equal_extremes:
        ends = f"{one.clipped_low:.2%} of its pixels at {one.lowest} and {one.clipped_high:.2%}"
        signs.append(f"{ends} at {one.highest}")
    if one.has_gaps:
        signs.append(f"its middle grey values {one.step:g} apart")
    return f"{' '.join(place)} with {' and '.join(signs)}"


def _table(stretched: Mapping[tuple[str, str], Evidence]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "field of view": [fov for fov, _ in stretched],
            "channel": [channel for _, channel in stretched],
            "lowest": [one.lowest for one in stretched.values()],
            "highest": [one.highest for one in stretched.values()],
            "share at 0": [round(one.clipped_low, 5) for one in stretched.values()],
            "share at the top": [round(one.clipped_high, 5) for one in stretched.values()],
            "step of grey values": [one.step for one in stretched.values()],
        }
    )
