"""A study of which models have scored every cell, and a page of it."""

from __future__ import annotations

import pytest

from autophagy_assets.cli.review_page import ReviewPage, make_page
from autophagy_assets_tests.cli.answers import N
from autophagy_assets_tests.given import Given, given_study
from autophagy_assets_tests.platform import Platform, study_file


@pytest.fixture(scope="session")
def scored(store, tmp_path_factory) -> tuple[Platform, Given]:
    """A study of which two models have scored control and knockout. Answers of tests add up."""
    folder = tmp_path_factory.mktemp("reviewed")
    platform = Platform(study_file(folder, "reviewed", models={}))
    given = given_study(platform.study, folder)
    platform.features()
    platform.run("training_cells", "test_cells")
    for model in platform.partitions("model"):
        platform.run("cross_validation", "autophagy_classifier", partition=model)
    platform.run("ko_predictions", partition="EI24KO")
    return platform, given


@pytest.fixture(scope="session")
def made(scored) -> ReviewPage:
    return make_page(scored[0].instance, scored[0].study, N)
