"""Stretched images are told from what a camera gives, by gaps and by equal extremes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.imaging.images import read_image
from autophagy_assets.analysis.quality.stretch import Evidence, evidence_of, images_not_stretched


def counts(seed: int, photons: float = 300, side: int = 400) -> np.ndarray:
    """What a camera gives: an offset of 100, photons, noise."""
    random = np.random.default_rng(seed)
    light = photons * random.gamma(2, 0.5, (side // 8, side // 8)).repeat(8, 0).repeat(8, 1)
    return np.clip(100 + random.poisson(light) + random.normal(0, 2, light.shape), 0, 65535)


def stretched(image: np.ndarray, kind: str = "uint16") -> np.ndarray:
    low, high = np.percentile(image, (0.1, 99.9))
    top = np.iinfo(kind).max
    return np.clip((image - low) / (high - low) * top, 0, top).astype(kind)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), photons=st.floats(20, 3000))
def test_a_stretched_image_is_found_and_what_the_camera_gave_is_not(seed, photons):
    raw = counts(seed, photons).astype("uint16")
    assert not evidence_of(raw).stretched
    assert evidence_of(stretched(raw)).stretched
    # Stretched before rounding, as the simulated study is, there are no gaps but the same ends.
    assert evidence_of(stretched(counts(seed, photons))).stretched


def test_gaps_are_found_without_extremes():
    raw = counts(1).astype("uint16")
    gained = (raw * 7.3).astype("uint16")
    assert evidence_of(gained).has_gaps and not evidence_of(gained).equal_extremes


@pytest.mark.parametrize("factor", [2, 16])
def test_empty_low_bits_are_no_stretching(factor):
    assert not evidence_of((counts(2) // 1 * factor).astype("uint16")).stretched


def test_a_saturated_image_is_not_called_stretched():
    raw = counts(3).astype("uint16")
    raw[:20] = 65535
    assert not evidence_of(raw).stretched


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), "uint16"),
        np.full((5, 5), 65535, "uint16"),
        np.zeros((1, 1), "uint8"),
        np.random.default_rng(0).integers(0, 65535, (12, 12)).astype("uint16"),
    ],
)
def test_a_flat_or_tiny_image_is_no_evidence(image):
    assert not evidence_of(image).stretched


def test_a_stretched_image_of_8_bit_is_found_too():
    assert evidence_of(stretched(counts(4), "uint8")).equal_extremes


def test_every_image_of_the_real_study_is_stretched(real_data: Path):
    paths = sorted((real_data / "images").glob("*.tif"))
    found = [evidence_of(read_image(path)) for path in paths]
    assert len(found) >= 24
    assert all(one.equal_extremes for one in found)
    assert all(
        one.has_gaps for path, one in zip(paths, found, strict=True) if "mCherry" in path.name
    )


def test_the_sentence_names_images_channels_and_evidence():
    good = Evidence(100, 4000, 0.0, 0.0, 1.0)
    bad = Evidence(0, 65535, 0.001, 0.001, 22)
    found = images_not_stretched(
        {("FOV1", "DAPI"): good, ("FOV1", "mCherry"): bad, ("FOV2", "DAPI"): "is gone"}
    )
    assert not found.passed
    assert found.sentence.startswith(
        "Of 2 images, 1 was stretched over the range of the file; 1 image could not be read "
        "(FOV1 mCherry with 0.10% of its pixels at 0 and 0.10% at 65535 and its middle grey values "
        "22 apart): intensities of mCherry cannot be compared"
    )
    assert found.table is not None and found.table["channel"].tolist() == ["mCherry"]
    assert found.numbers["stretched"] == found.numbers["with gaps in grey values"] == 1


def test_a_sample_without_images_passes_and_says_so():
    found = images_not_stretched({})
    assert found.passed and "Of 0 images" in found.sentence
