"""All that can be wrong with the images of one field: it is left out, the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from autophagy_assets_tests.registry.image_folder import cell, edited, image, truncate


def pixels(shape: tuple[int, ...], dtype: str = "uint16") -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, np.ones(shape, dtype=dtype))


# Name -> (change, words of the message).
BAD_FIELD: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "image missing": (image(Path.unlink), ["0_DAPI.tif does not exist"]),
    "image truncated": (image(truncate), ["0_DAPI.tif", "truncated"]),
    "image empty": (image(lambda p: p.write_bytes(b"")), ["0_DAPI.tif", "cannot be read"]),
    "not an image": (image(lambda p: p.write_text("hello")), ["0_DAPI.tif", "not a TIFF"]),
    "a folder": (
        image(lambda p: (p.unlink(), p.mkdir())),
        ["0_DAPI.tif is not a file"],
    ),
    "other shape": (
        image(pixels((12, 13)), "images/0_mCherry.tif"),
        ["0_mCherry.tif (mCherry) is (12, 13) px", "DAPI of the same field is (12, 12) px"],
    ),
    "three dimensions": (image(pixels((3, 12, 12))), ["0_DAPI.tif has 3", "two-dimensional"]),
    "other dtype": (image(pixels((12, 12), "float32")), ["0_DAPI.tif", "float32"]),
    "dtype of its own": (
        image(pixels((12, 12), "uint8"), "images/0_Alexa488.tif"),
        ["0_Alexa488.tif (Alexa488) has pixel type uint8", "DAPI of the same field has uint16"],
    ),
    "a channel is lacking": (
        edited(lambda t: t[~(t["image_path"] == "images/0_DAPI.tif")]),
        ["has no image for channel DAPI"],
    ),
    "two images for one channel": (
        edited(lambda t: pd.concat([t, t.iloc[:1].assign(image_path="images/1_DAPI.tif")])),
        ["has 2 images for channel", "give it one"],
    ),
    "another resolution in one channel": (
        cell("resolution", "0.25", 1),
        ["has '0.5' and '0.25' as resolution of its channels", "write the same"],
    ),
    "no resolution of one channel": (
        cell("resolution", "", 2),
        ["has '0.5' and none as resolution of its channels"],
    ),
    "one image for two channels": (
        cell("image_path", "images/0_mCherry.tif"),
        ["0_mCherry.tif is given for channel"],
    ),
}
