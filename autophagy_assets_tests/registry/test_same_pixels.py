"""The same pixels are not taken twice: not for two fields, nor for two channels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets_tests.registry.image_folder import (
    FIELD,
    cell,
    edited,
    images_of,
    write_images,
    write_metadata,
)
from autophagy_assets_tests.registry.records import refused, snapshot, stored, stored_files

pytestmark = pytest.mark.slow

NAME = ", ".join(FIELD)


def _rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "metadata_files.csv", dtype=str)


def _as_another_genotype(folder: Path, study, other: Path) -> None:
    """The images of the first field once more, as those of another genotype."""
    table = _rows(folder).iloc[:3].assign(genotype="EI24KO")
    (other / "images").mkdir(exist_ok=True, parents=True)
    write_metadata(other, table)
    for path in table["image_path"]:
        (other / path).write_bytes((folder / path).read_bytes())


def _recompressed(folder: Path, study) -> None:
    for channel in study.channels:
        path = folder / f"images/0_{channel}.tif"
        tifffile.imwrite(path, tifffile.imread(path), compression="zlib")


def _other_mcherry(folder: Path, study) -> None:
    pixels = np.random.default_rng(5).integers(0, 999, (12, 12), dtype=np.uint16)
    tifffile.imwrite(folder / "images/0_mCherry.tif", pixels)


def _swapped(folder: Path, study) -> None:
    a, b = folder / "images/0_DAPI.tif", folder / "images/0_mCherry.tif"
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        (None, True),
        (_recompressed, True),
        (_recompressed, False),
        (_other_mcherry, True),
        (_swapped, True),
    ],
    ids=["copied", "recompressed", "recompressed, registered before", "two equal", "swapped"],
)
def test_the_same_pixels_under_two_genotypes_are_excluded(
    store, study, folder, tmp_path, change, known
):
    ingest(folder, study)
    if not known:  # as by a version of the platform that kept no hashes of pixels
        images_of(store, study).update(extra_data=None)
    other = tmp_path / "other"
    _as_another_genotype(folder, study, other)
    if change:
        change(other, study)
    before = snapshot()
    with pytest.raises(InputError, match=r"has in \w+ the same pixels as WT, clone 1, untreated"):
        ingest(other, study)
    assert snapshot() == before
    assert all(images_of(store, study).values_list("extra_data", flat=True))


_INGEST = """
import sys, time
from pathlib import Path
from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.config.study import Study
connect()
Path(sys.argv[1], "ready").touch()
while len(list(Path(sys.argv[1]).parent.glob("*/ready"))) < 2:
    time.sleep(0.01)
try:
    print(len(ingest(Path(sys.argv[1]), Study.load()).fields))
except InputError:
    print(0)
"""


def test_two_ingests_at_once_do_not_both_take_the_same_pixels(run_script, study, tmp_path):
    one, two = tmp_path / "both/one", tmp_path / "both/two"
    write_images(one, study, [FIELD])
    _as_another_genotype(one, study, two)
    _recompressed(two, study)
    run_script("from autophagy_assets.registry.store.instance import connect; connect()")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda folder: run_script(_INGEST, folder), (one, two)))
    assert sorted(done) == [0, 1]


def test_images_that_change_while_others_are_read_stop_the_ingest(store, study, folder, tmp_path):
    """As where two machines share a database and not the lock."""
    ingest(folder, study)
    write_images(tmp_path / "more", study, [("KO", "clone 2", "14h Torin-1", "FOV1")], seed=4321)
    before = stored_files()

    def meanwhile(_: str) -> None:
        store.Artifact.get(uid=raw_fields(study)[0].images[0][1]).delete(permanent=False)

    with pytest.raises(InputError, match=r"were changed by somebody else meanwhile: ingest again"):
        ingest(tmp_path / "more", study, meanwhile)
    assert stored_files() == before


def test_the_same_pixels_twice_in_one_folder_are_excluded(study, folder):
    first, second = folder / "images/0_DAPI.tif", folder / "images/1_mCherry.tif"
    tifffile.imwrite(second, tifffile.imread(first), compression="zlib")
    done = ingest(folder, study)
    assert len(done.fields) == 2 and len(done.excluded) == 1
    assert "the same pixels as" in next(iter(done.excluded.values()))


@pytest.mark.parametrize("copies", [1, 2], ids=["two of three", "all three"])
def test_one_image_for_several_channels_is_excluded(study, folder, copies):
    for channel in study.channels[1 : 1 + copies]:
        tifffile.imwrite(
            folder / f"images/0_{channel}.tif",
            tifffile.imread(folder / "images/0_DAPI.tif"),
            compression="zlib",
        )
    done = ingest(folder, study)
    assert "has the same pixels in DAPI and in Alexa488" in done.excluded[NAME]
    assert len(done.fields) == 2


def test_fields_whose_images_were_swapped_can_be_put_right(store, study, folder):
    ingest(folder, study)
    names = {"images/0_": "images/1_", "images/1_": "images/0_"}
    edited(
        lambda t: t.assign(image_path=[names.get(p[:9], p[:9]) + p[9:] for p in t["image_path"]])
    )(folder)
    refused(folder, study, NAME, "would be replaced")
    done = ingest(folder, study, replace=True)
    assert done.excluded == {} and done.new_images == 6
    assert stored(store, study)["DAPI"] == (folder / "images/1_DAPI.tif").read_bytes()


def test_an_image_that_is_compressed_otherwise_is_the_same_image(store, study, folder):
    first = ingest(folder, study).fields
    _recompressed(folder, study)
    before = snapshot()
    done = ingest(folder, study)
    assert (done.new_images, done.unchanged_images) == (0, 9)
    assert done.fields == first and snapshot() == before
    cell("magnification", "40X")(folder)
    assert ingest(folder, study).corrected_images == 1
    assert [field.images for field in raw_fields(study)] == [field.images for field in first]


def test_a_field_that_took_the_images_of_a_withdrawn_one_is_taken(study, folder, tmp_path):
    ingest(folder, study)
    withdraw([NAME], study)
    _as_another_genotype(folder, study, tmp_path / "other")
    assert len(ingest(tmp_path / "other", study).fields) == 3
