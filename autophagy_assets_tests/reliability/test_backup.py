"""A home that was copied, lost and put back, as docs/operations.md says; and one put elsewhere."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.cli.test_main import autophagy
from autophagy_assets_tests.conftest import contents
from autophagy_assets_tests.ui.served import GIVE_AND_REFRESH

pytestmark = pytest.mark.slow

ARTIFACTS = """
import json
from autophagy_assets.registry.store.instance import connect
print(json.dumps(sorted(connect().Artifact.filter().values_list("uid", "hash"))))
"""


def tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", *map(str, arguments)], check=True)


def output(home: Path, *arguments: str) -> str:
    done = autophagy(home, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_lost_comes_back_from_a_backup(run_script: Callable[..., Any], tmp_path: Path):
    home, backup = tmp_path / "home", tmp_path / "backup.tar"
    assert run_script(GIVE_AND_REFRESH, tmp_path / "given", home=home) > 0
    known = run_script(ARTIFACTS, home=home)
    lineage = output(home, "lineage", "error_galleries[puncta]")

    tar("--create", "--file", backup, "--directory", home.parent, home.name)
    before = contents(home)
    shutil.rmtree(home)
    tar("--extract", "--file", backup, "--directory", home.parent)
    assert contents(home).keys() == before.keys()

    status = [line.split() for line in output(home, "status").splitlines()]
    rows = {line[0]: line[1:] for line in status if line and line[0] != "asset"}
    assert rows["study_report"] == ["1"]
    assert all(len(numbers) < 2 for numbers in rows.values()), "nothing to make, nothing waiting"
    assert output(home, "reconcile") == "All agree.\n"
    assert "Made 0;" in output(home, "refresh")
    assert output(home, "lineage", "error_galleries[puncta]") == lineage
    assert run_script(ARTIFACTS, home=home) == known

    # It is not only looked at: what is lost after the restore is made again.
    (gallery,) = (home / "store").rglob("error_galleries/puncta/*.png")
    gallery.unlink()
    assert "Made 0;" not in output(home, "refresh") and gallery.exists()

    elsewhere = tmp_path / "elsewhere" / home.name
    elsewhere.parent.mkdir()
    tar("--extract", "--file", backup, "--directory", elsewhere.parent)
    put = contents(elsewhere / "store")
    for command in ("status", "reconcile", "refresh"):
        refused = autophagy(elsewhere, command)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert f"{elsewhere} was made at {home}" in refused.stderr
    assert contents(elsewhere / "store") == put
