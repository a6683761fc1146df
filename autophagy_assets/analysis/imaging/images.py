"""Checks of microscope images: complete, two-dimensional, and fitting together.

A field of view is one TIFF per channel. All that can be wrong with these files is reported
here, before any of the slow steps begins.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autophagy_assets.analysis.imaging.tiff_headers import check_header
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import tifffile

PIXEL_TYPES = ("uint16", "uint8")


@dataclass(frozen=True)
class FieldImages:
    """Channels, shape, pixel type and pixel hashes of the images of one field of view.

    Attributes
    ----------
    channels : tuple of str
        Channel names, in the order in which they were given.
    shape : tuple of int
        Height and width of every channel, px.
    dtype : str
        Pixel type of every channel, one of ``PIXEL_TYPES``.
    hashes : tuple of str
        Hash of the pixels of each channel, see :func:`pixel_hash`.
    """

    channels: tuple[str, ...]
    shape: tuple[int, int]
    dtype: str
    hashes: tuple[str, ...] = ()


def read_image(path: Path) -> np.ndarray:
    """Decode one channel of a field completely.

    Parameters
    ----------
    path : pathlib.Path
        A TIFF with one grey-scale image.

    Returns
    -------
    numpy.ndarray of shape (height, width)
        Pixels of one of ``PIXEL_TYPES``.

    Raises
    ------
    InputError
        If the file is missing, is not a TIFF, is truncated, is not a single two-dimensional
        grey-scale image, is larger than ``tiff_headers`` allows, or has another pixel type;
        names the file and what to do.
    """
    import tifffile

    try:
        if not path.exists():
            raise InputError(f"Image {path} does not exist: restore it or correct its path.")
        if not path.is_file():
            raise InputError(f"Image {path} is not a file: give the path of a TIFF.")
        check_header(path)
        with _strict_tifffile(), tifffile.TiffFile(path) as file:
            _refuse_absent_segments(file)
            _refuse_stack(file, path)
            image = file.asarray()
    except InputError:
        raise
    # A damaged file makes the decoder raise almost anything, from struct.error to MemoryError.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(
                f"Image {path} cannot be read ({error.strerror}): see that the user who runs this "
                "may read it."
            ) from error
        raise InputError(
            f"Image {path} cannot be read ({_one_line(error)}): it is truncated or not a TIFF, "
            "copy or export it again."
        ) from error
    if 0 in image.shape:
        raise InputError(f"Image {path} has no pixels (shape {image.shape}): export it again.")
    if image.dtype.name not in PIXEL_TYPES:
        raise InputError(
            f"Image {path} has pixel type {image.dtype.name}: export it as {PIXEL_TYPES[0]}."
        )
    return image


def pixel_hash(image: np.ndarray) -> str:
    """Hash of the pixels of an image, however its file is compressed.

    Parameters
    ----------
    image : numpy.ndarray of shape (height, width)
        As :func:`read_image` gives it.

    Returns
    -------
    str
        The same for the same values in the same shape, in 8 bit or 16.
    """
    import numpy as np

    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image, dtype="<u2").data)
    return digest.hexdigest()


def check_field(paths: Mapping[str, Path]) -> FieldImages:
    """Verify that the images of a field of view are whole and fit together.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        The TIFF of each channel.

    Returns
    -------
    FieldImages
        Channels, shape, pixel type and hashes of the field.

    Raises
    ------
    InputError
        If there is no image, if one file stands for two channels, if ``read_image`` refuses
        one, or if shape or pixel type differs between channels; names the file.

    Notes
    -----
    Every pixel is decoded, since a truncated TIFF has an intact header and would otherwise
    be noticed only in the middle of the segmentation.
    """
    if not paths:
        raise InputError("The field of view has no images: give one TIFF per channel.")
    _refuse_shared_file(paths)
    first: tuple[str, tuple[int, int], str] | None = None
    hashes = []
    for channel, path in paths.items():
        image = read_image(Path(path))
        hashes.append(pixel_hash(image))
        found = (int(image.shape[0]), int(image.shape[1])), image.dtype.name
        if first is None:
            first = channel, *found
        elif found[0] != first[1]:
            raise InputError(
                f"Image {path} ({channel}) is {found[0]} px but {first[0]} of the same field is "
                f"{first[1]} px: all channels of a field must have one shape."
            )
        elif found[1] != first[2]:
            raise InputError(
                f"Image {path} ({channel}) has pixel type {found[1]} but {first[0]} of the same "
                f"field has {first[2]}: export all channels alike."
            )
    assert first is not None
    return FieldImages(channels=tuple(paths), shape=first[1], dtype=first[2], hashes=tuple(hashes))


def _refuse_shared_file(paths: Mapping[str, Path]) -> None:
    owner: dict[Path, str] = {}
    for channel, path in paths.items():
        resolved = Path(path).resolve()
        if resolved in owner:
            raise InputError(
                f"Image {path} is given for channel {owner[resolved]} and for {channel}: each "
                "channel needs its own file."
            )
        owner[resolved] = channel


def _refuse_absent_segments(file: tifffile.TiffFile) -> None:
    # Allowed by the format, and read as black; no microscope writes such a file.
    if any(0 in page.databytecounts for page in file.pages):
        raise ValueError("a part of the image is empty")


def _refuse_stack(file: tifffile.TiffFile, path: Path) -> None:
    # A page may hold a whole stack, of which only its description speaks (ImageJ).
    if len(file.series[0].shape) != 2:
        raise InputError(
            f"Image {path} has shape {file.series[0].shape}: export each channel of a field of "
            "view as its own two-dimensional grey-scale TIFF."
        )


@contextmanager
def _strict_tifffile():
    """Turn what tifffile only logs (a corrupt segment becomes black pixels) into an error."""
    logger = logging.getLogger("tifffile")
    refusal = _Refusal(level=logging.WARNING)
    propagated, level = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(refusal)
    try:
        yield
    finally:
        logger.removeHandler(refusal)
        logger.propagate = propagated
        logger.setLevel(level)
    if refusal.messages:
        raise ValueError(refusal.messages[0])


class _Refusal(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text[:120] or type(error).__name__).rstrip(".:")
