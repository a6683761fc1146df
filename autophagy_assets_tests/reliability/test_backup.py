"""A home that was copied, lost and put back, as docs/operations.md says; and one put elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.conftest import contents
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.ui.served import GIVE_AND_REFRESH

pytestmark = pytest.mark.slow

# Commands one after the other, in a process that has begun after what happened to the home.
COMMANDS = """
import contextlib, io, json, sys
from autophagy_assets.cli.main import main
from autophagy_assets.registry.store.instance import connect

said = []
for words in map(json.loads, sys.argv[1:]):
    code, out, err = 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if words == ["artifacts"]:
                print(sorted(connect().Artifact.filter().values_list("uid", "hash")))
            else:
                main(words, standalone_mode=False)
        except SystemExit as end:
            code = end.code or 0
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""
LINEAGE = ("lineage", "error_galleries[as_published]")


def tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", *map(str, arguments)], check=True)


def test_what_was_lost_comes_back_from_a_backup(run_script: Callable[..., Any], tmp_path: Path):
    home, backup = tmp_path / "home", tmp_path / "backup.tar"
    study = study_file(tmp_path, "a study that is backed up", segmentation={"image_size": 64})
    given = tmp_path / "given"
    settings = {"AUTOPHAGY_STUDY": str(study), "COLUMNS": "160"}

    def run(*commands: tuple[str, ...], home: Path = home) -> list[tuple[int, str, str]]:
        return run_script(COMMANDS, *map(json.dumps, commands), home=home, **settings)

    def output(*commands: tuple[str, ...]) -> list[str]:
        done = run(*commands)
        assert [code for code, _, _ in done] == [0] * len(commands), done
        return [out for _, out, _ in done]

    assert run_script(GIVE_AND_REFRESH, given, home=home, **settings) > 0
    known, lineage = output(("artifacts",), LINEAGE)

    tar("--create", "--file", backup, "--directory", home.parent, home.name)
    before = contents(home)
    shutil.rmtree(home)
    tar("--extract", "--file", backup, "--directory", home.parent)
    assert contents(home).keys() == before.keys()

    looked = output(("status",), ("reconcile",), ("refresh",), LINEAGE, ("artifacts",))
    status = [line.split() for line in looked[0].splitlines()]
    rows = {line[0]: line[1:] for line in status if line and line[0] != "asset"}
    assert rows["study_report"] == ["1"]
    assert all(len(numbers) < 2 for numbers in rows.values()), "nothing to make, nothing waiting"
    assert looked[1] == "All agree.\n"
    assert "Made 0;" in looked[2]
    assert looked[3:] == [lineage, known]

    # It is not only looked at: what is lost after the restore is made again.
    (gallery,) = (home / "store").rglob("error_galleries/as_published/*.png")
    gallery.unlink()
    (made,) = output(("refresh",))
    assert "Made 0;" not in made and gallery.exists()

    elsewhere = tmp_path / "elsewhere" / home.name
    elsewhere.parent.mkdir()
    tar("--extract", "--file", backup, "--directory", elsewhere.parent)
    put = contents(elsewhere / "store")
    for code, _, said in run(("status",), ("reconcile",), ("refresh",), home=elsewhere):
        assert code == 1 and f"{elsewhere} was made at {home}" in said
    assert contents(elsewhere / "store") == put
