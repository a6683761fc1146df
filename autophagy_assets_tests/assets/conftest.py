"""Platforms for studies of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autophagy_assets_tests.platform import Platform, study_file


@pytest.fixture
def platform(store, tmp_path: Path, request: pytest.FixtureRequest) -> Platform:
    """A platform with nothing in it, for a study of its own with the published model alone."""
    name = f"study of {request.node.name}"
    return Platform(study_file(tmp_path, name))


@pytest.fixture
def platform_of(store, tmp_path: Path) -> Callable[..., Platform]:
    """As ``platform``, for a study with other values of some entries."""

    def make(name: str, **changes) -> Platform:
        return Platform(study_file(tmp_path, name, **changes))

    return make
