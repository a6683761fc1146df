"""The command line on a small simulated study, as a person would use it."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from autophagy_assets.cli.main import main
from autophagy_assets.config.settings import HOME_VARIABLE, STUDY_VARIABLE
from autophagy_assets.config.study import Study
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.preloaded import run_python
from autophagy_assets_tests.registry.image_folder import FIELD, write_images, write_metadata


def autophagy(
    home: Path, *arguments: str, answer: str = "", from_nothing: bool = False, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command on a home; ``from_nothing`` as a person does, with nothing imported before."""
    command = ["-m", "autophagy_assets.cli", *arguments]
    environment = clean_environment(home, PYTHONPATH=str(ROOT), COLUMNS="160", **variables)
    if not from_nothing:
        return run_python(command, environment, home.parent, answer)
    return subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=home.parent,
        input=answer,
        capture_output=True,
        text=True,
        timeout=500,
    )


def test_help_names_every_command_and_needs_nothing(tmp_path: Path) -> None:
    done = autophagy(tmp_path / "home", "--help", from_nothing=True)
    assert done.returncode == 0
    commands = ("ingest", "refresh", "status", "report", "withdraw", "doctor", "ui", "demo")
    for command in (*commands, "delete"):
        assert f"  {command} " in done.stdout


@pytest.mark.slow
def test_ingest_refresh_status_report_and_delete(tiny_study: Path, tmp_path: Path) -> None:
    home, images = tmp_path / "home", tmp_path / "images"
    few_trees = study_file(tmp_path, Study.load().name, models={})
    run = partial(autophagy, home, AUTOPHAGY_STUDY=str(few_trees))
    shutil.copytree(tiny_study, images)
    broken = sorted((images / "images").glob("WT_*untreated*DAPI*"))[0]

    early = run("refresh")
    assert early.returncode == 1 and "autophagy ingest DIR" in early.stderr
    assert "Traceback" not in early.stderr

    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    first = run("ingest", str(images))
    assert first.returncode == 0, first.stderr
    assert "9 new" in first.stdout and "Excluded" in first.stdout and broken.name in first.stdout
    assert "Excluded" in run("status").stdout

    broken.write_bytes(whole)
    repaired = run("ingest", str(images))
    assert "3 new, 9 unchanged" in repaired.stdout and "Excluded" not in repaired.stdout
    assert "0 new, 12 unchanged" in run("ingest", str(images)).stdout

    estimated = run("refresh", "--dry-run").stdout
    assert "single_cell_images" in estimated and "Not measured yet" in estimated

    made = run("refresh", from_nothing=True)
    assert made.returncode == 0, made.stdout + made.stderr
    for word in ("AUC", "Cells", "EI24KO cells, by puncta", "index.html"):
        assert word in made.stdout
    page = (home / "report" / "index.html").read_text()
    assert "EI24KO" in page and "<img" in page and 'src="http' not in page
    plan = run("plan-replicates")
    assert plan.returncode == 1 and "add a clone to either" in plan.stderr
    other = run("plan-replicates", "--knockout", "ATG5KO")
    assert "The study has no knockout 'ATG5KO'; it has EI24KO" in other.stderr
    assert "There is one report only" in run("compare").stderr
    again = run("refresh")  # where hashes have another seed
    assert again.returncode == 0 and "Made 0;" in again.stdout
    assert "to make" in run("status").stdout
    assert "would make nothing" in run("refresh", "--dry-run").stdout

    copies = run("report", "--to", str(tmp_path / "out")).stdout.split()
    assert {Path(copy).name for copy in copies} >= {
        *("index.html", "claims.json"),
        *("error_galleries-as_published.png", "error_galleries-puncta.png"),
    }

    assert run("delete", answer="n\n").returncode != 0 and home.exists()
    assert run("delete", "--yes").returncode == 0 and not home.exists()
    assert images.exists()


@pytest.mark.slow
def test_a_missing_folder_or_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = autophagy(tmp_path / "home", "ingest", str(tmp_path / "empty"))
    assert done.returncode == 1 and "metadata_files.csv is missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    below = autophagy(tmp_path / "home", "status", AUTOPHAGY_HOME=str(file / "home"))
    assert f"Error: {file / 'home'}: Not a directory; see to that, or name" in below.stderr
    over = autophagy(tmp_path / "home", "report", "--to", str(file))
    nothing = autophagy(tmp_path / "home", "compare", "--list")
    assert nothing.returncode == 1 and "There is no report yet" in nothing.stderr
    assert f"Error: {file}: File exists; see to that, or name another place." in over.stderr
    for done in (below, over):
        assert done.returncode == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "image.tif"),
            "image.tif: No space left on device; make space and try again. Nothing was ingested.",
        ),
        (
            OSError(errno.ENOSPC, "The disk is full: free some space and refresh again"),
            "The disk is full: free some space and refresh again. Nothing was ingested.",
        ),
        (OSError(errno.EIO, "Input/output error", "image.tif"), "error: 'image.tif'. Nothing was"),
    ],
)
def test_a_disk_that_fills_up_or_fails_in_an_ingest_is_one_sentence(
    isolated: pytest.MonkeyPatch, tmp_path: Path, raised: OSError, said: str
) -> None:
    def full(*_: object) -> None:
        raise raised

    isolated.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    isolated.setattr("autophagy_assets.registry.ingest.ingest.ingest", full)
    done = CliRunner().invoke(main, ["ingest", str(tmp_path)])
    assert done.exit_code == 1 and said in done.stderr


def test_a_terminal_that_lacks_letters_gets_their_numbers(tmp_path: Path) -> None:
    done = autophagy(
        tmp_path / "δ", "doctor", from_nothing=True, PYTHONIOENCODING="latin-1", DAGSTER_HOME=""
    )
    assert done.returncode == 0, done.stderr
    assert f"home     {tmp_path}/\\u03b4, not made yet" in done.stdout


def test_a_demo_of_no_cells_is_refused(isolated: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolated.setenv(STUDY_VARIABLE, "")
    done = CliRunner().invoke(main, ["demo", "--cells", "0"])
    assert done.exit_code == 1 and "cells_per_field of the simulated study is 0" in done.stderr


@pytest.mark.slow
def test_replacing_corrected_labels_and_restored_files_are_reported(tmp_path: Path) -> None:
    home, images = tmp_path / "home", tmp_path / "images"
    table = write_images(images, Study.load(), [FIELD])
    assert "3 new, 0 unchanged" in autophagy(home, "ingest", str(images)).stdout
    write_metadata(images, table.assign(resolution="0.25"))
    (stored,) = (home / "store").glob("*/raw_images/*/*/DAPI/*.tif")
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = autophagy(home, "ingest", str(images))
    assert "0 new, 2 with corrected labels, 1 restored, 0 unchanged" in done.stdout, done.stderr
    assert stored.read_bytes() == whole

    write_images(images, Study.load(), [FIELD], seed=1)
    refused = autophagy(home, "ingest", str(images))
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert ", ".join(FIELD) in refused.stderr and "autophagy ingest --replace" in refused.stderr
    assert "3 new" in autophagy(home, "ingest", "--replace", str(images)).stdout
