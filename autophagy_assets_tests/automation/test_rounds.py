"""A refresh that has nothing to work on says so before it begins."""

from __future__ import annotations

import pytest

from autophagy_assets.automation.rounds import require_control
from autophagy_assets.errors import InputError
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study


def test_a_study_without_its_control_is_refused_in_one_sentence(store, tmp_path):
    platform = Platform(write_study(tmp_path, "no control"))
    given_study(platform.study, tmp_path, ["EI24KO"])
    platform.sync()
    with pytest.raises(InputError, match="no images of its control 'WT', only of EI24KO"):
        require_control(platform.instance, platform.study)


def test_a_study_without_anything_says_how_to_begin(store, tmp_path):
    platform = Platform(write_study(tmp_path, "empty"))
    platform.sync()
    with pytest.raises(InputError, match="autophagy ingest DIR"):
        require_control(platform.instance, platform.study)
