from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.imaging.images import check_field, read_image
from autophagy_assets.errors import InputError

SHARED_DIRECTORY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def _image(shape=(20, 30), dtype="uint16", seed=0):
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


@pytest.fixture
def field(tmp_path) -> dict[str, Path]:
    paths = {name: tmp_path / f"WT_FOV1_{name}.tif" for name in ("DAPI", "Alexa488", "mCherry")}
    for seed, path in enumerate(paths.values()):
        tifffile.imwrite(path, _image(seed=seed))
    return paths


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
def test_a_whole_field_is_described(field, dtype):
    for path in field.values():
        tifffile.imwrite(path, _image(dtype=dtype))
    found = check_field(field)
    assert found.channels == ("DAPI", "Alexa488", "mCherry")
    assert found.shape == (20, 30)
    assert found.dtype == dtype


def test_pixels_are_what_was_written(tmp_path):
    image = _image()
    tifffile.imwrite(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image)


def test_no_images_at_all_are_refused():
    with pytest.raises(InputError, match="no images"):
        check_field({})


def test_a_missing_image_is_named(field):
    field["Alexa488"].unlink()
    with pytest.raises(InputError, match=r"WT_FOV1_Alexa488\.tif does not exist"):
        check_field(field)


def test_a_folder_is_not_an_image(field, tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        check_field({**field, "DAPI": tmp_path})


@pytest.mark.parametrize("content", [b"", b"II*\x00", b"not an image at all", b"\x00" * 500])
def test_a_file_that_is_no_tiff_is_named(field, content):
    field["mCherry"].write_bytes(content)
    with pytest.raises(InputError, match=r"WT_FOV1_mCherry\.tif cannot be read"):
        check_field(field)


@given(
    cut=st.floats(0, 0.999), compression=st.sampled_from([None, "zlib"]), rows=st.integers(2, 40)
)
@SHARED_DIRECTORY
def test_an_image_truncated_anywhere_is_refused(tmp_path, cut, compression, rows):
    path = tmp_path / "DAPI.tif"
    tifffile.imwrite(path, _image((rows, 30)), compression=compression, rowsperstrip=3)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(InputError, match=r"DAPI\.tif cannot be read"):
        check_field({"DAPI": path})


@given(where=st.integers(0, 10_000), value=st.integers(0, 255))
@SHARED_DIRECTORY
def test_a_damaged_byte_never_ends_in_another_error(tmp_path, where, value):
    path = tmp_path / "DAPI.tif"
    tifffile.imwrite(path, _image(), compression="zlib")
    content = bytearray(path.read_bytes())
    content[where % len(content)] = value
    path.write_bytes(bytes(content))
    try:
        check_field({"DAPI": path})
    except InputError as error:
        assert "DAPI.tif" in str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("shape", [(4, 20, 30), (20, 30, 3), (2, 3, 20, 30)])
def test_a_stack_or_colour_image_is_refused(tmp_path, shape):
    tifffile.imwrite(tmp_path / "stack.tif", _image(shape))
    with pytest.raises(InputError, match=r"stack\.tif has .* two-dimensional"):
        check_field({"DAPI": tmp_path / "stack.tif"})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32", "uint32"])
def test_another_pixel_type_is_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "odd.tif", _image(dtype=dtype))
    with pytest.raises(InputError, match=rf"odd\.tif has pixel type {dtype}.*uint16"):
        check_field({"DAPI": tmp_path / "odd.tif"})


@given(height=st.integers(1, 40), width=st.integers(1, 40))
@SHARED_DIRECTORY
def test_channels_pass_exactly_when_their_shapes_agree(tmp_path, height, width):
    paths = {"DAPI": tmp_path / "DAPI.tif", "mCherry": tmp_path / "mCherry.tif"}
    tifffile.imwrite(paths["DAPI"], _image((20, 30)))
    tifffile.imwrite(paths["mCherry"], _image((height, width)))
    if (height, width) == (20, 30):
        assert check_field(paths).shape == (20, 30)
    else:
        with pytest.raises(InputError, match=r"mCherry\.tif .*one shape"):
            check_field(paths)


def test_channels_of_different_pixel_types_are_refused(field):
    tifffile.imwrite(field["mCherry"], _image(dtype="uint8"))
    with pytest.raises(InputError, match=r"WT_FOV1_mCherry\.tif .*uint8 but DAPI .*uint16"):
        check_field(field)


def test_one_file_for_two_channels_is_refused(field, tmp_path):
    link = tmp_path / "link.tif"
    link.symlink_to(field["DAPI"])
    with pytest.raises(InputError, match="for channel DAPI and for mCherry"):
        check_field({**field, "mCherry": link})


def test_a_segment_of_size_zero_is_not_taken_for_black_pixels(tmp_path):
    path = tmp_path / "sparse.tif"
    tifffile.imwrite(path, _image((40, 30)), compression="zlib", rowsperstrip=10)
    with tifffile.TiffFile(path) as file:
        tag = file.pages[0].tags["StripByteCounts"]
        where, kind = tag.valueoffset, tag.dtype
    content = bytearray(path.read_bytes())
    size = {"SHORT": 2, "LONG": 4, "LONG8": 8}[kind.name]
    content[where : where + size] = bytes(size)
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"sparse\.tif cannot be read"):
        check_field({"DAPI": path})
