"""What tables hold: each column is explained, and one that does not fit is named."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.features.tables import CELLS, MANIFEST, columns_of, misfits
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets_tests.analysis.synthetic import six_cells


@pytest.mark.parametrize(
    ("column", "words", "unit"),
    [
        ("nucleus_area", "Area of the nucleus", "px"),
        ("cytosol_only_area", "Area of the cell without nucleus", "px"),
        ("DAPI_mean_nucleus", "Mean intensity of DAPI in the nucleus", None),
        (
            "Alexa488_summed_intensity_area_normalized_cytosol_only",
            "Summed intensity per pixel of Alexa488 in the cell without nucleus",
            None,
        ),
        ("my_GFP_quant75_cytosol", "75 % quantile of intensity of my_GFP in the cell", None),
        ("scportrait_cell_id", "Number of the cell within its dataset", None),
        ("something_else", "Feature of the cell", None),
    ],
)
def test_columns_are_explained(column, words, unit):
    (known,) = columns_of(CELLS, [column])
    assert known.meaning.startswith(words)
    assert known.unit == unit


def test_a_column_is_explained_by_the_table_that_holds_it():
    (of_cells,), (of_fields,) = (columns_of(kind, ["genotype"]) for kind in (CELLS, MANIFEST))
    assert of_cells.meaning == "Genotype of the cell"
    assert of_fields.meaning == "Genotype of the field of view"
    (pixel,) = columns_of(MANIFEST, ["pixel_um"])
    assert pixel.description == "Size of a pixel, µm"


@pytest.mark.parametrize(
    "types",
    [
        {"area": "float32", CELL_ID: "int32", CLASS: "uint8"},
        {"area": "Float64", CELL_ID: "Int64", DATASET: "category"},
        {"area": "float16", DATASET: "string"},
    ],
)
def test_columns_of_any_width_fit(types):
    assert misfits(six_cells().astype(types), CELLS) == []


def test_columns_without_rows_or_values_fit():
    cells = six_cells()
    assert misfits(cells.iloc[:0], CELLS) == []
    assert misfits(cells.assign(area=pd.Series([None] * 6, dtype=object)), CELLS) == []


def test_every_column_that_does_not_fit_is_named():
    cells = six_cells().drop(columns=DATASET).astype({CELL_ID: float, "area": str})
    assert misfits(cells, CELLS) == [
        "column 'dataset' is missing",
        "column 'scportrait_cell_id' must hold whole numbers, not float64",
        "column 'area' must hold decimal numbers, not object",
    ]
