"""Keys are read as they are written, and what is not ours is not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.registry.store.keys import RAW_IMAGES, ArtifactKey, beside

# As slug() leaves them: a dot may stand within.
parts = st.from_regex(r"[\w+](?:[\w+.-]*[\w+])?", fullmatch=True)
suffixes = st.sampled_from([".parquet", ".png", ".joblib", ".h5ad", ".zarr", ".tif", ".html"])
of_an_asset = st.builds(ArtifactKey, parts, parts, parts, suffixes)
of_a_partition = st.builds(ArtifactKey, parts, parts, parts, suffixes, parts)
of_a_field = st.builds(ArtifactKey, parts, parts, parts, suffixes, parts, parts, parts)
of_an_image = st.builds(
    ArtifactKey, parts, st.none(), st.just(RAW_IMAGES), suffixes, parts, parts, parts
)


@given(of_an_asset | of_a_partition | of_a_field | of_an_image)
def test_a_key_is_read_as_it_was_written(key):
    assert ArtifactKey.parse(str(key)) == key
    assert str(key) == key.stem + key.suffix and str(key).endswith(f"/{key.name}")


@given(st.text("a./", max_size=20))
def test_what_is_read_is_written_again_as_it_was(text):
    key = ArtifactKey.parse(text)
    assert key is None or str(key) == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("s/report/study_report.html", ("s", "report", "study_report", ".html")),
        ("s/features/clean/KO-1.2.parquet", ("s", "features", "clean", ".parquet", "KO-1.2")),
        (
            "s/imaging/single_cell_images/WT__a__14h/1/single_cell_data.h5ad",
            ("s", "imaging", "single_cell_images", ".h5ad", "WT__a__14h", "1", "single_cell_data"),
        ),
        (
            "s/raw_images/WT__a__14h/1/DAPI.tif",
            ("s", None, "raw_images", ".tif", "WT__a__14h", "1", "DAPI"),
        ),
    ],
)
def test_keys_that_are_stored_stay_as_they_are(text, key):
    # A change of the form would orphan what is in LaminDB.
    assert ArtifactKey.parse(text) == ArtifactKey(*key) and str(ArtifactKey(*key)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "notes.txt", "environment/packages.txt", "mine/dapi.tif"),
        *("s/other_images/WT/1/DAPI.tif", "s/g/a/p/f/file/more.tif", "s/g/a", "s//a.png"),
        *("s/g/a/.png", "s/g/a.", "s/g.d/a"),
    ],
)
def test_keys_of_another_form_are_not_read(text):
    assert ArtifactKey.parse(text) is None


def test_a_file_beside_another_has_its_folder_whoever_gave_the_key():
    assert beside("mine/deep/x.h5ad", "spatialdata.zarr") == "mine/deep/spatialdata.zarr"
