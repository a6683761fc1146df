"""The metadata file: read as it is meant, or refused in one sentence that says where and what."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.metadata import read_metadata
from autophagy_assets_tests.registry.image_folder import (
    BAD_METADATA,
    FIELD,
    cell,
    write_images,
    write_metadata,
)

STUDY = Study.load()


@pytest.fixture
def folder(tmp_path) -> Path:
    write_images(tmp_path, STUDY)
    return tmp_path


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and text.endswith((".", ")")) and len(text) < 500


def test_rows_are_grouped_into_fields(folder):
    fields = read_metadata(folder, STUDY)
    assert len(fields) == 3
    field = next(f for f in fields if f.name == ", ".join(FIELD))
    assert [channel for channel, _, _ in field.images] == list(STUDY.channels)
    assert all(path.is_file() for _, path, _ in field.images)
    assert field.labels["cell_line"] == "U2OS"
    assert "channel" not in field.labels and "image_path" not in field.labels
    assert field.images[0][2]["magnification"] == "20X"


def test_order_of_rows_and_columns_does_not_matter(folder):
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    before = [(f.name, sorted(f.images, key=str)) for f in read_metadata(folder, STUDY)]
    write_metadata(folder, table.sample(frac=1, random_state=1)[table.columns[::-1]])
    after = [(f.name, sorted(f.images, key=str)) for f in read_metadata(folder, STUDY)]
    assert [name for name, _ in after] == [name for name, _ in before]
    assert [[i[:2] for i in images] for _, images in after] == [
        [i[:2] for i in images] for _, images in before
    ]


def test_labels_are_text_whatever_they_look_like(folder):
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    write_metadata(folder, table.assign(FOV="01", genotype="NA"))
    field = read_metadata(folder, STUDY)[0]
    assert (field.labels["FOV"], field.labels["genotype"]) == ("01", "NA")


def test_spaces_around_labels_and_columns_are_not_part_of_them(folder):
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    before = [field.name for field in read_metadata(folder, STUDY)]
    write_metadata(folder, (table + " ").rename(columns=lambda c: f" {c}"))
    assert [field.name for field in read_metadata(folder, STUDY)] == before


def test_a_byte_order_mark_of_a_spreadsheet_is_not_part_of_a_column(folder):
    file = folder / "metadata_files.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(read_metadata(folder, STUDY)) == 3


def test_empty_rows_are_skipped_and_still_counted(folder):
    file = folder / "metadata_files.csv"
    header, first, *rest = file.read_text().splitlines()
    commas = "," * header.count(",")
    file.write_text("\n".join([header, first, "", commas, *rest, commas, ""]))
    assert len(read_metadata(folder, STUDY)) == 3
    rest[-1] = rest[-1].replace("mCherry,", "GFP,")
    file.write_text("\n".join([header, first, "", commas, *rest]))
    with pytest.raises(InputError, match=f"row {4 + len(rest)}: channel 'GFP'"):
        read_metadata(folder, STUDY)


def test_labels_that_differ_within_a_field_belong_to_their_image(folder):
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    table["imaged structure"] = table["channel"].map({"DAPI": "DNA"}).fillna("")
    write_metadata(folder, table)
    field = read_metadata(folder, STUDY)[0]
    assert "imaged structure" not in field.labels
    structures = {channel: labels.get("imaged structure") for channel, _, labels in field.images}
    assert structures == {"DAPI": "DNA", "Alexa488": None, "mCherry": None}


@pytest.mark.parametrize(("spoil", "words"), BAD_METADATA.values(), ids=BAD_METADATA.keys())
def test_bad_metadata_is_refused_in_one_sentence(folder, spoil, words):
    spoil(folder)
    with pytest.raises(InputError) as raised:
        read_metadata(folder, STUDY)
    for word in words:
        assert word in str(raised.value)
    assert str(folder) in str(raised.value)
    assert is_one_sentence(str(raised.value)), str(raised.value)


def test_a_folder_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"metadata_files\.csv is missing"):
        read_metadata(tmp_path / "nowhere", STUDY)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.tif"
    secret.write_bytes(b"secret")
    image = folder / "images" / "0_DAPI.tif"
    image.unlink()
    image.symlink_to(secret)
    with pytest.raises(InputError, match="leaves the folder"):
        read_metadata(folder, STUDY)


def test_composed_and_decomposed_letters_are_one_label(folder):
    table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
    names = {}
    for form in ("NFC", "NFD"):
        changed = table.replace({"clone 1": unicodedata.normalize(form, "clöne 1")})
        write_metadata(folder, changed.assign(**{unicodedata.normalize(form, "größe"): "1"}))
        names[form] = [(f.name, f.labels) for f in read_metadata(folder, STUDY)]
    assert names["NFC"] == names["NFD"]
    assert "clöne 1" in names["NFC"][-1][0]


def test_a_path_is_the_bytes_that_it_has_on_disk(folder):
    name = unicodedata.normalize("NFD", "images/ä.tif")
    (folder / "images/0_DAPI.tif").rename(folder / name)
    cell("image_path", name)(folder)
    paths = [path for field in read_metadata(folder, STUDY) for _, path, _ in field.images]
    assert folder / name in paths and all(path.is_file() for path in paths)


@pytest.mark.parametrize("value", ["0.597", "1", "5e-1", ".5", "2."])
def test_a_resolution_that_is_a_number_is_taken_as_it_is_written(folder, value):
    cell("resolution", value, 3)(folder)
    sizes = {labels["resolution"] for f in read_metadata(folder, STUDY) for *_, labels in f.images}
    assert sizes == {"0.5", value}


@pytest.mark.parametrize("closed", ["the file", "the folder"])
def test_what_may_not_be_read_is_reported(closed):
    """As a user for whom permissions count, which they do not for root."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        write_images(folder, STUDY)
        Path(place).chmod(0o755)
        file = folder / "metadata_files.csv"
        (file if closed == "the file" else folder).chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)") as raised:
                read_metadata(folder, STUDY)
        finally:
            os.seteuid(user)
            folder.chmod(0o755)
        assert str(file) in str(raised.value) and is_one_sentence(str(raised.value))
