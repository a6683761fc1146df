"""A study of its own for each test, and a folder of its images."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from autophagy_assets.config.study import Study
from autophagy_assets_tests.registry.image_folder import write_images

_numbers = itertools.count()


@pytest.fixture
def study() -> Study:
    """A study that no other test has."""
    return Study.load().model_copy(update={"name": f"ingested study {next(_numbers)}"})


@pytest.fixture
def folder(tmp_path, study) -> Path:
    write_images(tmp_path, study, seed=next(_numbers))
    return tmp_path
