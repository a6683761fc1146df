"""Tables fit the schema of their asset, or the column that does not is named."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.features.cleaning import clean
from autophagy_assets.analysis.features.tables import CELLS, CLEAN, MANIFEST
from autophagy_assets.assets.imaging.manifest import row_of
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.store import schemas
from autophagy_assets_tests.analysis.synthetic import described, raw_features
from autophagy_assets_tests.registry.records import rows

STUDY = Study.load()


@pytest.fixture
def raw() -> pd.DataFrame:
    return raw_features(1, STUDY, "WT", cells=8, datasets=2).reset_index(drop=True)


def manifest() -> pd.DataFrame:
    field = Field("WT", "1", "untreated", "FOV1", ())
    return pd.DataFrame([row_of(field) | {"pixel_um": 0.6}])


@pytest.fixture
def cleaned(raw) -> pd.DataFrame:
    return clean(raw, described(raw, STUDY, "WT"), STUDY)


def test_a_table_that_fits_gives_its_schema(store, raw, cleaned):
    schema = schemas.validated(raw, CELLS, "raw_features")
    assert {f.name for f in schema.features.all()} == set(raw.columns)
    schema = schemas.validated(cleaned, CLEAN, "clean_features")
    assert {f.name for f in schema.features.all()} == set(cleaned.columns)


def test_a_schema_is_named_by_what_it_describes_not_by_who_asked_last(store, cleaned):
    schema = schemas.validated(cleaned, CLEAN, "clean_features")
    assert schemas.validated(cleaned, CLEAN, "training_cells") == schema
    name = store.Schema.get(uid=schema.uid).name
    assert name.startswith("cells with metadata and features, ")


def test_studies_with_other_features_do_not_change_each_others_schema(store, raw):
    fewer = raw.drop(columns="nucleus_area")
    one, other = (schemas.validated(table, CELLS, "raw_features") for table in (raw, fewer))
    assert one != other
    schemas._schema.cache_clear()  # as in another process
    for table, schema in ((raw, one), (fewer, other), (raw, one)):
        assert schemas.validated(table, CELLS, "raw_features") == schema
        assert {f.name for f in schema.features.all()} == set(table.columns)


def test_of_many_reasons_a_few_are_reported(store, raw):
    with pytest.raises(InputError) as raised:
        schemas.validated(raw.astype(str), CELLS, "raw_features")
    assert len(str(raised.value)) < 500
    assert "more" in str(raised.value)


def test_validating_again_adds_nothing(store, cleaned):
    schemas.validated(cleaned, CLEAN, "clean_features")
    before = rows()
    schemas.validated(cleaned, CLEAN, "clean_features")
    schemas._schema.cache_clear()  # as in another process
    schemas.validated(cleaned, CLEAN, "clean_features")
    assert rows() == before


@pytest.mark.parametrize("column", ["dataset", "scportrait_cell_id", "class"])
def test_a_missing_column_is_named(store, raw, column):
    with pytest.raises(InputError, match=f"raw_features .*{column}"):
        schemas.validated(raw.drop(columns=column), CELLS, "raw_features")


@pytest.mark.parametrize(
    ("column", "value"),
    [("scportrait_cell_id", "one"), ("class", 0.5), ("nucleus_area", "large")],
)
def test_a_column_of_another_type_is_named(store, raw, column, value):
    with pytest.raises(InputError, match=f"raw_features .*{column}") as raised:
        schemas.validated(raw.assign(**{column: value}), CELLS, "raw_features")
    assert "\n" not in str(raised.value)


def test_a_table_without_rows_is_a_table(store, raw):
    assert schemas.validated(raw.iloc[:0], CELLS, "cell_features") is not None


def test_a_manifest_is_validated_and_leaves_its_columns_to_the_labels_of_people(store):
    before = rows()
    assert schemas.validated(manifest(), MANIFEST, "single_cell_images") is None
    assert rows() == before
    with pytest.raises(InputError, match=r"single_cell_images .*'n_cells'"):
        schemas.validated(manifest().drop(columns="n_cells"), MANIFEST, "single_cell_images")


@pytest.mark.parametrize("asset", ["raw_features", "clean_features"])
def test_lamindb_finds_that_a_table_fits_its_schema_where_we_do(store, raw, cleaned, asset):
    table, kind = {"raw_features": (raw, CELLS), "clean_features": (cleaned, CLEAN)}[asset]
    schema = schemas.validated(table, kind, asset)
    labels = {c: "category" for c in ("genotype", "stimulation") if c in table.columns}
    store.curators.DataFrameCurator(table.astype(labels), schema).validate()


def test_features_are_registered_with_description_and_unit(store, raw):
    schemas.validated(raw, CELLS, "raw_features")
    area = store.Feature.get(name="nucleus_area")
    assert (area.description, area.unit, area.dtype_as_str) == (
        "Area of the nucleus",
        "px",
        "float",
    )


def test_labels_in_a_table_become_known(store, cleaned):
    schemas.validated(cleaned.assign(genotype="only in this table"), CLEAN, "clean_features")
    assert store.ULabel.filter(name="only in this table").count() == 1


TABLE_FIRST = """
import json
from autophagy_assets.analysis.features import tables
from autophagy_assets.analysis.features.cleaning import clean
from autophagy_assets.registry.store import schemas
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.synthetic import described, raw_features
from autophagy_assets_tests.given import outsider
study = Study.load()
raw = raw_features(1, study, "WT", cells=8, datasets=2).reset_index(drop=True)
cleaned = clean(raw, described(raw, study, "WT"), study)
schemas.validated(cleaned, tables.CLEAN, "clean_features")
labels = {"genotype": "WT", "stimulation": "untreated"}
recorder = outsider()
output = recorder.put(lambda path: path.write_text("x"), "a/b.txt", "x", labels)
recorder.finish()
print(json.dumps(connect().Artifact.get(uid=output.record.uid).features.get_values()))
"""


@pytest.mark.slow
def test_labels_can_be_read_where_a_table_came_before_the_first_image(run_script):
    """As in a store that begins with a source: the columns are known before any label is."""
    assert run_script(TABLE_FIRST) == {"genotype": "WT", "stimulation": "untreated"}
