"""Column lineage: same name, same column; what no table has was worked out from the features."""

from __future__ import annotations

import dagster as dg

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, OUTCOME, SCORE
from autophagy_assets.io_managers.columns import column_lineage

CELLS = [DATASET, CELL_ID, CLASS, "area", "mean"]


def origins(columns: list[str], read: dict[str, list[str]]) -> dict[str, list[tuple[str, str]]]:
    lineage = column_lineage(columns, read).get("dagster/column_lineage")
    if lineage is None:
        return {}
    return {
        column: [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
        for column, deps in lineage.deps_by_column.items()
    }


def test_a_column_comes_from_the_columns_of_its_name():
    found = origins([DATASET, "area"], {"a": CELLS, "b": [DATASET, "genotype"]})
    assert found == {DATASET: [("a", DATASET), ("b", DATASET)], "area": [("a", "area")]}


def test_a_score_comes_from_the_features_and_an_outcome_from_the_class_as_well():
    found = origins([DATASET, SCORE, OUTCOME], {"test_cells": CELLS})
    features = [("test_cells", "area"), ("test_cells", "mean")]
    assert found[SCORE] == features  # Dagster sorts them
    assert set(found[OUTCOME]) == {*features, ("test_cells", CLASS)}


def test_nothing_read_or_far_too_much_is_left_out():
    assert column_lineage(CELLS, {}) == {}
    many = [f"feature {n}" for n in range(3000)]
    assert column_lineage(many, {"a": many}) == {}


def test_lineage_is_what_dagster_shows():
    lineage = column_lineage(["area"], {"a": CELLS})["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
