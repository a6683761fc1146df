"""A platform on which everything downstream of raw features has been made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets_tests.platform import Given, Platform, given_study, study_file


@pytest.fixture(scope="session")
def finished(store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Platform, Given]:
    """A finished study and what it was made from. Read-only."""
    folder = tmp_path_factory.mktemp("finished")
    as_in_the_notebook = {AS_PUBLISHED: {"n_estimators": 100}}
    platform = Platform(study_file(folder, "finished study", models=as_in_the_notebook))
    given = given_study(platform.study, folder)
    done = platform.refresh()
    assert not done.failed and not done.skipped, done
    return platform, given


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
