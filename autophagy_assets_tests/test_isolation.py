"""No test touches the LaminDB and Dagster of the user."""

from __future__ import annotations

import os
from pathlib import Path

from autophagy_assets_tests.conftest import PRIVATE, TEMPORARY, clean_environment, contents


def test_every_place_is_below_the_temporary_folder():
    for name in ("AUTOPHAGY_HOME", "DAGSTER_HOME", "LAMIN_SETTINGS_DIR", "LAMIN_CACHE_DIR"):
        assert Path(os.environ[name]).is_relative_to(TEMPORARY), name


def test_what_the_user_has_set_does_not_reach_a_test(tmp_path, monkeypatch):
    for name in ("LAMIN_CURRENT_INSTANCE", "AUTOPHAGY_SOURCE", "AUTOPHAGY_STUDY", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "the user's")
    monkeypatch.setenv("AUTOPHAGY_REAL_DATA", "kept")
    found = clean_environment(tmp_path)
    assert "the user's" not in found.values()
    assert found["AUTOPHAGY_REAL_DATA"] == "kept"


def test_the_store_is_in_the_home_of_the_session(store):
    from lamindb_setup import settings
    from lamindb_setup.core import _settings_store

    assert Path(_settings_store.settings_dir).is_relative_to(TEMPORARY)
    assert Path(str(store.settings.storage.root)).is_relative_to(TEMPORARY)
    assert Path(str(settings.cache_dir)).is_relative_to(TEMPORARY)


def test_the_guard_sees_a_new_and_a_changed_file(tmp_path):
    before = contents(tmp_path)
    (tmp_path / "a").write_text("1")
    between = contents(tmp_path)
    (tmp_path / "a").write_text("22")
    assert before != between != contents(tmp_path)
    assert {folder.name for folder in PRIVATE} == {".lamin", ".dagster"}


def test_a_script_has_a_home_of_its_own(run_script, tmp_path):
    found = run_script(
        "import json; from autophagy_assets.config.home import Home;"
        "print(json.dumps(str(Home.locate().root)))"
    )
    assert found == str(tmp_path / "home")
