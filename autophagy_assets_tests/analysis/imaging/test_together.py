"""Fields of view in one dataset: whatever is read of a field is what its own files have."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.deep.surroundings import Surroundings
from autophagy_assets.analysis.evidence.background_features import background_features
from autophagy_assets.analysis.galleries.crops import fetch_all_channels
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin, gallery_fields
from autophagy_assets.analysis.galleries.spatial import read_field
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.analysis.imaging import together
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.analysis.imaging.together import put_together
from autophagy_assets.analysis.marker.features import marker_features
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.files import measure
from autophagy_assets_tests.analysis.synthetic import MASKS, write_field, write_images, write_store

STUDY = Study.load()
SIDE, SHAPE = 16, (120, 100)
NUCLEI = [
    {3: (30, 40), 8: (60, 60)},
    {1: (50, 50), 2: (80, 30), 9: (30, 70)},
    {4: (90, 60)},
]
FOVS = ["FOV1", "FOV2", "FOV10"]


def one_field(folder: Path, number: int, shape: tuple[int, int] = SHAPE) -> FieldFiles:
    """A field whose marker differs from pixel to pixel, and from other fields."""
    random, nuclei = np.random.default_rng(number), NUCLEI[number]
    store = write_store(folder / f"{number}.zarr", nuclei, shape, STUDY)
    import zarr

    masks = [zarr.open_group(store)[f"labels/{name}/s0"][:] for name in MASKS]
    image = random.integers(100, 4000 + 500 * number, (len(STUDY.channels), *shape))
    write_field(store, image.astype(np.uint16), masks, STUDY)
    write_store_centres(store, nuclei)
    crops = random.random((len(nuclei), 2 + len(STUDY.channels), SIDE, SIDE))
    crops[:, :2] = 0
    crops[:, :2, 4:12, 4:12] = 1
    path = folder / f"{number}.h5ad"
    write_images(path, list(nuclei), crops, [*MASKS, *STUDY.channels])
    return FieldFiles(FOVS[number], path, store)


def write_store_centres(store: Path, nuclei: dict[int, tuple[int, int]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    centres = pd.DataFrame(
        {"x": [c + 0.1 for _, c in nuclei.values()], "y": [r + 0.3 for r, _ in nuclei.values()]},
        index=pd.Index(list(nuclei), name="__null_dask_index__"),
    )
    folder = store / "points/centers_seg_all_nucleus/points.parquet"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(centres), folder / "part.0.parquet")


def written(fields: list[FieldFiles], folder: Path) -> list[FieldFiles]:
    """The same fields where they have been put together."""
    folder.mkdir()
    crops, store = folder / "crops.h5ad", folder / "store.zarr"
    put_together(fields, crops, store)
    return [FieldFiles(field.fov, crops, store, field.fov) for field in fields]


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> list[FieldFiles]:
    folder = tmp_path_factory.mktemp("alone")
    return [one_field(folder, number) for number in range(3)]


@pytest.fixture(scope="module")
def shared(alone, tmp_path_factory) -> list[FieldFiles]:
    return written(alone, tmp_path_factory.mktemp("shared") / "all")


@pytest.fixture(scope="module")
def cells(shared) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells as they are called in files of their own, and where fields are together."""
    highest = [max(nuclei) for nuclei in NUCLEI]
    firsts = [0, *accumulate(highest)][:3]
    rows = [
        (n, cell, cell + firsts[n], FOVS[n], n % 2) for n, nuclei in enumerate(NUCLEI)
        for cell in nuclei
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["n", "own", "id", "fov", CLASS])
    table = table.assign(genotype="WT", clone="clone 1", source="t", stimulation="any")
    alone = table.assign(**{DATASET: table["n"].map("field {}".format), CELL_ID: table["own"]})
    return alone, table.assign(**{DATASET: "all", CELL_ID: table["id"]})


def by_dataset(fields: list[FieldFiles], what: str) -> dict[str, Path]:
    return {f"field {n}": getattr(field, what) for n, field in enumerate(fields)}


def test_crops_and_ids(alone, shared, cells):
    one = fetch_all_channels(cells[0], by_dataset(alone, "crops"))
    np.testing.assert_array_equal(one, fetch_all_channels(cells[1], {"all": shared[0].crops}))
    with h5py.File(shared[0].crops) as file:
        assert file["obs/fov"].asstr()[:].tolist() == cells[1]["fov"].tolist()
        assert file["obs/id_in_field"][:].tolist() == cells[0][CELL_ID].tolist()
        assert file[f"obs/{CELL_ID}"][:].tolist() == cells[1][CELL_ID].tolist()


def test_features_of_the_marker_are_those_above_the_background_of_the_own_field(alone, shared):
    parts = [marker_features(field.crops, STUDY, 0.6, field.spatialdata) for field in alone]
    whole = marker_features(shared[0].crops, STUDY, 0.6, shared[0].spatialdata)
    one = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(one.drop(columns=CELL_ID), whole.drop(columns=CELL_ID))
    assert one.filter(like="units").to_numpy().any()


def test_what_surrounds_a_cell(alone, shared, cells):
    for own, other in zip(*(table.itertuples() for table in cells), strict=True):
        fields = (alone[own.n].spatialdata, own.own), (shared[0].spatialdata, other.id)
        first, second = (read_field(store, cell, "mCherry", 50) for store, cell in fields)
        np.testing.assert_array_equal(first.window, second.window)
        np.testing.assert_array_equal(first.overview, second.overview)
        assert (first.corner, first.shape) == (second.corner, second.shape)
        assert second.centre == pytest.approx(first.centre)
        for name, mask in first.masks.items():
            np.testing.assert_array_equal(mask == own.own, second.masks[name] == other.id)
    read = [
        Surroundings(stores).read(table, ["mCherry", "DAPI"], 30)
        for table, stores in zip(
            cells, (by_dataset(alone, "spatialdata"), {"all": shared[0].spatialdata}), strict=True
        )
    ]
    np.testing.assert_array_equal(*read)


def test_background_is_that_of_the_own_field(alone, shared, cells):
    stores = by_dataset(alone, "spatialdata"), {"all": shared[0].spatialdata}
    size = STUDY.segmentation.model_copy(update={"image_size": 24})
    small = STUDY.model_copy(update={"segmentation": size})
    found = [
        background_features(table, there, {}, small)[0]
        for table, there in zip(cells, stores, strict=True)
    ]
    assert set(found[0]["kind"]) == {"patch", "swapped"}
    assert not found[1].duplicated([DATASET, CELL_ID, "kind"]).any()
    nameless = (t.drop(columns=[DATASET, CELL_ID]) for t in found)
    one, other = (t.sort_values("fov", kind="stable", ignore_index=True) for t in nameless)
    pd.testing.assert_frame_equal(one, other)


def test_the_gallery_shows_each_field_by_itself(alone, shared, cells):
    stores = {n: field.spatialdata for n, field in enumerate(alone)}
    origins = (
        {(f"field {n}", FOVS[n]): FieldOrigin("", store=stores[n]) for n in stores},
        {("all", fov): FieldOrigin("", store=shared[0].spatialdata) for fov in FOVS},
    )
    first, second = (
        gallery_fields(table, {}, where, "mCherry")
        for table, where in zip(cells, origins, strict=True)
    )
    assert (first["x"], first["y"], first["field"]) == (second["x"], second["y"], second["field"])
    views = [[field["overview"] for field in page["fields"]] for page in (first, second)]
    assert views[0] == views[1] and len(set(views[0])) == 3


def test_bytes_depend_on_the_fields_and_their_order_alone(alone, shared, tmp_path):
    def hashes(fields: list[FieldFiles], name: str) -> tuple[str, str]:
        made = written(fields, tmp_path / name)[0]
        return measure(made.crops)[0], measure(made.spatialdata)[0]

    for order in ([0, 1, 2], [2, 0], [1]):
        own, other = ([some[n] for n in order] for some in (alone, shared))
        assert hashes(own, f"own {order}") == hashes(other, f"other {order}")


def test_too_many_cells_are_refused(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(together, "MOST_CELLS", 5)
    with pytest.raises(InputError, match="3 fields of view have 6 cells, and a dataset holds at"):
        written(alone, tmp_path / "many")


def test_fields_of_other_sizes_are_refused(alone, tmp_path):
    other = one_field(tmp_path, 1, (140, 100))
    with pytest.raises(InputError, match=r"image of FOV2 is \(140, 100\) px"):
        written([alone[0], other], tmp_path / "sizes")
