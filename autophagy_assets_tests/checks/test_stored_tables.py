"""Checks say the same of a table that is read in pieces as of one in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.features import contract
from autophagy_assets.analysis.features.parts import Cells
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, MODEL
from autophagy_assets.analysis.quality.cells import class_balance, intensities_differ
from autophagy_assets.analysis.quality.drift import drift
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.config.sections import Checks
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers import parquet
from autophagy_assets.io_managers.parquet import stream_table, write_table
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.io_managers.stored_tables import ByValue

STUDY = Study.load()
BAD = {"twice": (CELL_ID, 1), "missing": ("area", np.nan), "infinite": ("DAPI_mean", np.inf)}


@contextmanager
def stored(table: pd.DataFrame, rows: int) -> Iterator[StoredTable]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP", rows)
        write_table(table, Path(folder) / "t.parquet")
        yield StoredTable(Path(folder) / "t.parquet", stream_table)


def cells(n: int, seed: int, clones: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, 4)).round(1)  # so that some are equal
    names = ["area", "DAPI_mean", "DAPI_mean_nucleus", "DAPI_mean_cytosol"]
    number = random.permutation(n)
    known = {DATASET: [f"d{k}" for k in number % 3], CELL_ID: number // 3, CLASS: number % 2}
    labels = {
        "stimulation": [f"s{k}" for k in number % 2],
        "clone": [f"c{k % clones}" for k in number // 2],
        "fov": [f"FOV{k % 2}" for k in number // 6],
    }
    return pd.concat([pd.DataFrame(known | labels), pd.DataFrame(values, columns=names)], axis=1)


def findings(table: Cells) -> list[Finding]:
    found = [
        contract.table_contract(table, "T", STUDY),
        contract.identity_unique(table, "T"),
        contract.finite_values(table, "T"),
        class_balance(table, "T", STUDY),
        intensities_differ(table, "T", Checks(same_intensity=0)),
    ]
    if all(one.passed for one in found[:3]):  # nothing else is cleaned
        found.append(drift(table, "T", Checks(drift_min_cells=2, drift=0.2)))
    return found


@given(
    st.integers(2, 60),
    st.integers(0, 99),
    st.integers(1, 2),
    st.integers(1, 20),
    st.sets(st.sampled_from([*BAD])),
)
@settings(max_examples=8, deadline=None)
def test_what_is_found_does_not_depend_on_how_much_is_read_at_a_time(n, seed, clones, rows, bad):
    table = cells(n, seed, clones)
    for name in sorted(bad):
        column, value = BAD[name]
        table.loc[table.index[::5], column] = value
    with stored(table, rows) as in_pieces:
        assert len(list(in_pieces.pieces())) == -(-n // rows)
        for one, other in zip(findings(table), findings(in_pieces), strict=True):
            assert (one.passed, one.sentence) == (other.passed, other.sentence)
            assert str(one.numbers) == str(other.numbers)


@given(st.integers(1, 40), st.integers(1, 9))
@settings(max_examples=5, deadline=None)
def test_predictions_of_one_model_after_the_other_have_the_same_evaluation(n, rows):
    random = np.random.default_rng(n)
    scores = random.uniform(size=2 * n).round(1)
    table = pd.DataFrame(
        {
            MODEL: np.repeat(["b", "a"], n),
            CLASS: random.integers(-1, 2, 2 * n),
            "predicted_class": (scores > 0.5).astype(int),
            "prob_class1": scores,
        }
    )
    with stored(table, rows) as in_pieces:
        by_model = ByValue(in_pieces, MODEL)
        assert list(by_model) == ["b", "a"]
        pd.testing.assert_frame_equal(evaluate(by_model), evaluate(table))
