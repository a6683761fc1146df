"""What a changed table says of a cell is not reported, and no step goes by it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.lineage.cells import lineage_of_cell, lineage_trees
from autophagy_assets.registry.lineage.lineage_formats import render
from autophagy_assets_tests.registry.small_study import SmallStudy, put_table, recorder, register

pytestmark = pytest.mark.slow

_numbers = itertools.count()


@pytest.fixture
def falsified(store) -> Iterator[SmallStudy]:
    """A study whose table of predictions was replaced by another that can be read as well."""
    study = register(f"lineage-falsified-{next(_numbers)}")
    path = Path(store.Artifact.get(uid=study.predictions).path)
    recorded = path.read_bytes()
    pd.read_parquet(path).assign(prob_class1=0.1234, outcome="FN").to_parquet(path)
    yield study
    path.write_bytes(recorded)


def test_rows_of_a_changed_table_are_not_reported(falsified):
    text = render(lineage_of_cell(falsified.crops["FOV2"], 7))
    # As a word: two letters may stand in a uid, which is drawn at random.
    assert "0.1234" not in text and not re.search(r"\bFN\b", text)
    assert f"predictions.parquet ({falsified.predictions}): the file in the store is not" in text
    assert "shown in TP, row 1, column 2" in text  # by the figure


def test_a_step_that_would_show_rows_of_a_changed_table_is_stopped(falsified):
    step, cells = recorder("lineage_report"), [(falsified.crops["FOV2"], 7)]
    with pytest.raises(IntegrityError, match="is refused; put the recorded file back"):
        lineage_trees({"gallery": falsified.figure}, cells, step.read)
    assert falsified.predictions not in step.reads


def test_an_older_version_that_was_changed_is_reported_as_it_is_never_made_again(falsified):
    name = f"classifier/{falsified.name}_predictions"
    newer = put_table(falsified.name, name, pd.DataFrame({"a": [1]}), falsified.features)
    step, cells = recorder("lineage_report"), [(falsified.crops["FOV2"], 7)]
    trees = lineage_trees({"gallery": falsified.figure}, cells, step.read)
    text = render(trees[f"{falsified.crops['FOV2']}:7"])
    assert f"({falsified.predictions}): the file in the store is not" in text
    assert "0.1234" not in text and newer not in text
