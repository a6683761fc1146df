"""Features of the background: of patches, of cells on another background, and reasons where absent.

The fields are made up: noise around a level, and bright cells on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.evidence.background_features import (
    PATCH,
    SWAPPED,
    background_features,
)
from autophagy_assets.analysis.features.tables import BACKGROUND, misfits
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY, KIND, METADATA
from autophagy_assets.analysis.marker.features import in_units
from autophagy_assets.analysis.marker.views import edge_px, read_marker
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets_tests.analysis.synthetic import write_field

STUDY = Study.load()
SIDE, RADIUS, LIGHT = 280, 14, 1000.0
PLACES = [(80, 80), (90, 180), (190, 100)]
CROWD = [(r, c) for r in range(14, SIDE, 29) for c in range(14, SIDE, 29)]
# dataset: clone, class, level of the background
FIELDS = {
    "a": ("clone 1", 0, 100.0),
    "b": ("clone 1", 1, 900.0),
    "c": ("clone 2", 0, 300.0),
    "d": ("clone 2", 1, 1500.0),
}
MEAN, SATURATED = "marker_mean_units", "marker_saturated_units"


def write(path: Path, level: float, seed: int, places: list[tuple[int, int]] = PLACES) -> Path:
    rows, columns = np.indices((SIDE, SIDE))
    cells, nuclei = (np.zeros((SIDE, SIDE), np.uint64) for _ in range(2))
    for number, (r, c) in enumerate(places, start=1):
        away = np.hypot(rows - r, columns - c)
        cells[away <= RADIUS] = number
        nuclei[away <= 5] = number
    image = level + np.random.default_rng(seed).normal(0, 20, cells.shape)
    # A gradient of light within the cell, and its middle brighter than the camera can tell.
    image += LIGHT * (cells > 0) + 10 * (cells > 0) * (columns % 40)
    image[nuclei > 0] = 60000
    image = np.clip(np.round(image), 0, 60000)
    channels = np.stack([image] * len(STUDY.channels)).astype(np.uint16)
    return write_field(path, channels, [nuclei, cells], STUDY)


def cells_of(fields: Mapping[str, tuple[str, int, float]], places: int = len(PLACES)):
    return pd.DataFrame(
        [
            [dataset, cell, label, "WT", STUDY.classes[label], clone, f"field {dataset}"]
            for dataset, (clone, label, _) in fields.items()
            for cell in range(1, places + 1)
        ],
        columns=[*IDENTITY, CLASS, *METADATA],
    )


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("background")
    return {
        dataset: write(folder / dataset, level, seed)
        for seed, (dataset, (_, _, level)) in enumerate(FIELDS.items())
    }


@pytest.fixture(scope="module")
def table(stores) -> pd.DataFrame:
    found, said = background_features(cells_of(FIELDS), stores, {}, STUDY)
    assert said == []
    return found


def of(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    return table[table[KIND] == kind]


def test_a_field_has_as_many_patches_as_cells_and_every_cell_is_swapped(table):
    expected = cells_of(FIELDS)
    columns = [*IDENTITY, CLASS, *METADATA]
    for kind in (PATCH, SWAPPED):
        found = of(table, kind)[columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected)
    assert misfits(table, BACKGROUND) == []
    assert not table.isna().any(axis=None)


def test_fields_of_a_condition_that_is_no_class_are_not_measured_and_give_no_background(
    table, stores
):
    cells = cells_of(FIELDS)
    condition = cells[cells[DATASET] == "a"].assign(**{DATASET: "z", CLASS: NO_CLASS})
    more, said = background_features(
        pd.concat([condition, cells], ignore_index=True), {**stores, "z": stores["a"]}, {}, STUDY
    )
    pd.testing.assert_frame_equal(more, table)
    assert said == []


def test_patches_hold_no_light_of_a_cell(table):
    assert (of(table, PATCH)[MEAN].abs() < 5).all()
    assert (of(table, SWAPPED)[MEAN] > 0.9 * LIGHT).all()


def test_a_swapped_cell_keeps_its_light_above_the_background_whatever_its_level(table, stores):
    size = STUDY.marker.pixel_um
    swapped = of(table, SWAPPED).set_index(IDENTITY)
    for dataset, store in stores.items():
        field = read_marker(store, STUDY.marker_channel)
        views = field.cells({1, 2, 3}, edge_px(STUDY.marker, size))
        for cell, seen in views.items():
            own = in_units(seen, field.highest, STUDY.marker, size)
            other = swapped.loc[(dataset, cell)]
            assert other[MEAN] == pytest.approx(own["mean"], rel=0.01)
            assert other[SATURATED] == pytest.approx(own["saturated"]) != 0


def test_the_same_fields_give_the_same_table_in_any_order_of_the_cells(table, stores):
    shuffled = cells_of(FIELDS).sample(frac=1, random_state=3)
    again, _ = background_features(shuffled, dict(reversed(stores.items())), {}, STUDY)
    pd.testing.assert_frame_equal(again, table)


def test_the_background_is_of_the_same_clone_where_it_has_the_other_class(table, stores):
    first = {name: field for name, field in FIELDS.items() if field[0] == "clone 1"}
    alone, _ = background_features(cells_of(first), stores, {}, STUDY)
    expected = table[table[DATASET].isin(list(first))].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected)


def test_without_the_other_class_in_the_clone_another_clone_gives_the_background(stores):
    two = {name: FIELDS[name] for name in ("a", "d")}
    found, said = background_features(cells_of(two), stores, {}, STUDY)
    assert len(of(found, SWAPPED)) == 2 * len(PLACES) and said == []


def test_without_the_other_class_at_all_cells_keep_their_background(stores):
    two = {name: FIELDS[name] for name in ("a", "c")}
    found, said = background_features(cells_of(two), stores, {}, STUDY)
    assert set(found[KIND]) == {PATCH}
    assert len(said) == 2 and said[0].startswith("Cells of dataset a keep their background")


def test_a_field_full_of_cells_has_no_patches_and_its_cells_are_swapped(stores, tmp_path):
    crowded = {**stores, "a": write(tmp_path / "crowd", 100.0, 9, CROWD)}
    found, said = background_features(cells_of(FIELDS), crowded, {}, STUDY)
    # Cells of its neighbour b have the background of another clone then.
    assert len(said) == 1
    assert said[0].startswith("Dataset a has no patches. The field of view has no background")
    assert set(of(found, PATCH)[DATASET]) == {"b", "c", "d"}
    assert len(of(found, SWAPPED)) == len(cells_of(FIELDS))


def test_fields_that_cannot_be_read_or_are_not_there_are_named_and_the_rest_goes_on(
    stores, tmp_path
):
    some = {**stores, "a": tmp_path / "nothing"}
    del some["c"]
    found, said = background_features(cells_of(FIELDS), some, {}, STUDY)
    assert said[0].startswith("Dataset a is left out. SpatialData store")
    assert said[1] == "Dataset c is left out: LaminDB has its crops, not its field."
    assert set(of(found, PATCH)[DATASET]) == {"b", "d"}


def test_cells_that_are_not_in_the_field_are_counted(stores):
    more = cells_of(FIELDS, len(PLACES) + 2)
    found, said = background_features(more, stores, {}, STUDY)
    assert said[0].startswith("Dataset a: 2 of 5 cells are left out, as they are not in the field")
    assert sorted(of(found, SWAPPED)[CELL_ID].unique()) == [1, 2, 3]


def test_without_any_field_the_table_is_empty_and_fits_its_contract():
    found, said = background_features(cells_of(FIELDS), {}, {}, STUDY)
    assert found.empty and len(said) == len(FIELDS)
    assert misfits(found, BACKGROUND) == []
