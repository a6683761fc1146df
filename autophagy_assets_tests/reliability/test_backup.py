"""A home that was copied, lost and put back, as docs/operations.md says; and one put elsewhere."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.conftest import ROOT, clean_environment, contents
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.preloaded import run_python
from autophagy_assets_tests.ui.served import GIVE_AND_REFRESH

pytestmark = pytest.mark.slow

ARTIFACTS = """
import json
from autophagy_assets.registry.store.instance import connect
print(json.dumps(sorted(connect().Artifact.filter().values_list("uid", "hash"))))
"""


def tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", *map(str, arguments)], check=True)


def autophagy(home: Path, study: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a home."""
    variables = {"AUTOPHAGY_STUDY": str(study), "COLUMNS": "160"}
    environment = clean_environment(home, PYTHONPATH=str(ROOT), **variables)
    return run_python(["-m", "autophagy_assets.cli", *arguments], environment, home.parent)


def output(home: Path, study: Path, *arguments: str) -> str:
    done = autophagy(home, study, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_lost_comes_back_from_a_backup(run_script: Callable[..., Any], tmp_path: Path):
    home, backup = tmp_path / "home", tmp_path / "backup.tar"
    study = study_file(tmp_path, "a study that is backed up", segmentation={"image_size": 64})
    given = tmp_path / "given"
    assert run_script(GIVE_AND_REFRESH, given, home=home, AUTOPHAGY_STUDY=str(study)) > 0
    known = run_script(ARTIFACTS, home=home)
    lineage = output(home, study, "lineage", "error_galleries[as_published]")

    tar("--create", "--file", backup, "--directory", home.parent, home.name)
    before = contents(home)
    shutil.rmtree(home)
    tar("--extract", "--file", backup, "--directory", home.parent)
    assert contents(home).keys() == before.keys()

    status = [line.split() for line in output(home, study, "status").splitlines()]
    rows = {line[0]: line[1:] for line in status if line and line[0] != "asset"}
    assert rows["study_report"] == ["1"]
    assert all(len(numbers) < 2 for numbers in rows.values()), "nothing to make, nothing waiting"
    assert output(home, study, "reconcile") == "All agree.\n"
    assert "Made 0;" in output(home, study, "refresh")
    assert output(home, study, "lineage", "error_galleries[as_published]") == lineage
    assert run_script(ARTIFACTS, home=home) == known

    # It is not only looked at: what is lost after the restore is made again.
    (gallery,) = (home / "store").rglob("error_galleries/as_published/*.png")
    gallery.unlink()
    assert "Made 0;" not in output(home, study, "refresh") and gallery.exists()

    elsewhere = tmp_path / "elsewhere" / home.name
    elsewhere.parent.mkdir()
    tar("--extract", "--file", backup, "--directory", elsewhere.parent)
    put = contents(elsewhere / "store")
    for command in ("status", "reconcile", "refresh"):
        refused = autophagy(elsewhere, study, command)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert f"{elsewhere} was made at {home}" in refused.stderr
    assert contents(elsewhere / "store") == put
