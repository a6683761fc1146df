"""Where no model at all could be made, what puts models side by side says so."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from autophagy_assets.analysis.review.answers import put_together
from autophagy_assets.assets.evidence import model_comparison
from autophagy_assets.assets.labels import annotation_agreement
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()


class NoModels(dict):
    """In place of an input of which no partition was made."""

    left_out: dict[str, str] = {}  # noqa: RUF012


def made(asset: Any, *inputs: Any) -> Any:
    body = inspect.unwrap(asset.op.compute_fn.decorated_fn)
    return body(SimpleNamespace(study=STUDY), *inputs)


def test_the_agreement_with_people_is_a_sentence():
    picture = made(annotation_agreement, put_together([]), NoModels())
    assert picture.table["sentence"][0].startswith("No model could be made")
    assert picture.caption.startswith("Not measured. No model could be made")


def test_the_comparison_says_what_is_missing():
    cells: pd.DataFrame = measured_cells(STUDY, cells=4)
    with pytest.raises(InputError, match="no cross-validated scores to compare"):
        made(model_comparison, NoModels(), cells)
