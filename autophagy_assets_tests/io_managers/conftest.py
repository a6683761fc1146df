"""A small platform for each test."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from autophagy_assets_tests.io_managers.small_platform import CONTENT, Small
from autophagy_assets_tests.platform import study_file

_numbers = itertools.count()


@pytest.fixture
def small(store, tmp_path) -> Small:
    CONTENT.clear()
    CONTENT["part"] = lambda partition: pd.DataFrame({"number": [len(partition)], "name": "x"})
    return Small(study_file(tmp_path, f"protocol {next(_numbers)}"))
