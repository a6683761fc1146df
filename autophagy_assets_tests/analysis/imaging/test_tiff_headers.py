"""Wrong TIFF headers, and TIFFs that are no single grey-scale image: refused before reading."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from autophagy_assets.analysis.imaging import tiff_headers
from autophagy_assets.analysis.imaging.images import pixel_hash, read_image
from autophagy_assets.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 60000, (40, 30)).astype("uint16")


def write(path: Path, *pages: np.ndarray, **options) -> Path:
    """Pages one after another, each with options of its own in lists."""
    with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff", False)) as file:
        for number, page in enumerate(pages):
            mine = {name: values[number] for name, values in options.items()}
            file.write(page, **{"contiguous": False, "metadata": None, **mine})
    return path


def overwrite(path: Path, tag: str, value: int) -> Path:
    with tifffile.TiffFile(path) as file:
        found, order = file.pages.first.tags[tag], file.byteorder
    kind = {2: "H", 4: "I", 8: "Q"}[found.valuebytecount // found.count]
    content = bytearray(path.read_bytes())
    struct.pack_into(f"{order}{kind}", content, found.valueoffset, value)
    path.write_bytes(bytes(content))
    return path


def refused(path: Path, words: str) -> None:
    """Refused with these words, in one sentence, well under a second, from the header."""
    began = time.monotonic()
    with pytest.raises(InputError, match=words) as raised:
        read_image(path)
    assert time.monotonic() - began < 1
    assert path.name in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("back_to", ["itself", "the first"])
def test_a_circle_of_pages_is_refused_at_once(tmp_path, bigtiff, back_to):
    path = write(tmp_path / "circle.tif", IMAGE, IMAGE, subfiletype=[0, 1], bigtiff=bigtiff)
    with tifffile.TiffFile(path) as file:
        first, last = file.pages[0].offset, file.pages[1].offset
    content = bytearray(path.read_bytes())
    head, entry, word = (8, 20, "<Q") if bigtiff else (2, 12, "<I")
    (count,) = struct.unpack_from("<Q" if bigtiff else "<H", content, last)
    target = last if back_to == "itself" else first
    struct.pack_into(word, content, last + head + count * entry, target)
    path.write_bytes(bytes(content))
    refused(path, "its pages lead back to one another")


def test_a_circle_of_sub_pages_is_refused_at_once(tmp_path):
    path = tmp_path / "circle.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(IMAGE, subifds=1)
        file.write(IMAGE[::2, ::2], subfiletype=1)
    with tifffile.TiffFile(path) as file:
        sub = file.pages.first.subifds[0]
    content = bytearray(path.read_bytes())
    (count,) = struct.unpack_from("<H", content, sub)
    struct.pack_into("<I", content, sub + 2 + count * 12, sub)
    path.write_bytes(bytes(content))
    refused(path, "its pages lead back to one another")


def test_more_pixels_than_are_allowed_are_refused_from_the_header(tmp_path):
    path = write(tmp_path / "huge.tif", IMAGE)
    overwrite(overwrite(path, "ImageWidth", 60000), "ImageLength", 60000)
    refused(path, r"claims 60000 x 60000 px, and 400,000,000 px")


def test_a_tile_of_more_pixels_than_are_allowed_is_refused_from_the_header(tmp_path):
    path = write(tmp_path / "tiled.tif", IMAGE, tile=[(16, 16)])
    overwrite(overwrite(path, "TileWidth", 60000), "TileLength", 60000)
    refused(path, "claims 60000 x 60000 px")


def test_too_many_pages_and_bytes_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "long.tif", *[IMAGE] * (tiff_headers.MAX_PAGES + 1))
    refused(path, "has more than 100 pages")
    monkeypatch.setattr(tiff_headers, "MAX_BYTES", 100)
    refused(write(tmp_path / "big.tif", IMAGE), "GiB is the most")


@pytest.mark.parametrize("kind", [1, 0], ids=["said to be one", "not said to be one"])
def test_a_thumbnail_before_the_image_is_refused(tmp_path, kind):
    path = write(tmp_path / "thumb.tif", IMAGE[::4, ::4], IMAGE, subfiletype=[kind, 0])
    refused(path, "begins with a thumbnail")


def test_an_image_in_a_sub_page_of_its_thumbnail_is_refused(tmp_path):
    path = tmp_path / "raw.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(IMAGE[::4, ::4], subifds=1)
        file.write(IMAGE)
    refused(path, "begins with a thumbnail")


def test_reduced_copies_after_the_image_do_no_harm(tmp_path):
    path = write(tmp_path / "after.tif", IMAGE, IMAGE[::4, ::4], subfiletype=[0, 1])
    np.testing.assert_array_equal(read_image(path), IMAGE)
    with tifffile.TiffWriter(tmp_path / "sub.tif") as file:
        file.write(IMAGE, subifds=1)
        file.write(IMAGE[::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_image(tmp_path / "sub.tif"), IMAGE)


def test_a_second_page_is_not_dropped_in_silence(tmp_path):
    path = write(tmp_path / "two.tif", IMAGE, IMAGE[:-1])
    refused(path, "has 2 pages of full resolution: export each channel")


def test_a_stack_in_one_page_is_refused(tmp_path):
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(path, np.stack([IMAGE] * 3), imagej=True, truncate=True)
    refused(path, r"has shape \(3, 40, 30\)")


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "has 0 as white"), (3, "has a colour palette"), (6, "is in colour")],
)
def test_values_that_are_no_intensities_are_refused(tmp_path, number, words):
    path = write(tmp_path / "odd.tif", IMAGE)
    refused(overwrite(path, "PhotometricInterpretation", number), f"{words}.*export it as grey")


def test_a_set_of_ome_files_is_refused_and_a_single_one_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "one.ome.tif", IMAGE, ome=True, metadata={"axes": "YX"})
    np.testing.assert_array_equal(read_image(tmp_path / "one.ome.tif"), IMAGE)
    ome = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="30"'
        ' SizeY="40" SizeC="1" SizeZ="1" SizeT="{t}"><Channel ID="Channel:0:0"/>'
        '<TiffData IFD="0" FirstT="0"><UUID FileName="set.ome.tif">urn:uuid:1</UUID></TiffData>'
        "{more}</Pixels></Image></OME>"
    )
    other = '<TiffData IFD="0"><UUID FileName="b.ome.tif">urn:uuid:2</UUID></TiffData>'
    for t, more in ((2, ""), (1, other)):
        tifffile.imwrite(
            tmp_path / "set.ome.tif", IMAGE, description=ome.format(t=t, more=more), metadata=None
        )
        refused(tmp_path / "set.ome.tif", "is one of a set of OME-TIFF files.*export each channel")


def test_big_and_small_order_and_bigtiff_are_read(tmp_path):
    for number, options in enumerate(({"byteorder": ">"}, {"byteorder": "<"}, {"bigtiff": True})):
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, IMAGE, **options)
        np.testing.assert_array_equal(read_image(path), IMAGE)


def test_the_hash_of_pixels_is_that_of_the_values_and_the_shape():
    values = np.arange(6, dtype="uint8").reshape(2, 3)
    digest = pixel_hash(values)
    assert digest == pixel_hash(values.astype("uint16")) == pixel_hash(values.astype(">u2"))
    assert digest != pixel_hash(values.reshape(3, 2))
    assert digest != pixel_hash(values + 1)
