"""One field of view, and what scPortrait's own way makes of it. Read-only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.imaged_fields import plain_project, small_field

STUDY = Study.load()


@pytest.fixture(scope="package")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Images of the field by channel."""
    return small_field(tmp_path_factory.mktemp("small"), STUDY)


@pytest.fixture(scope="package")
def project(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The field as scPortrait's tutorials work on it."""
    return plain_project(images, STUDY, tmp_path_factory.mktemp("plain"))
