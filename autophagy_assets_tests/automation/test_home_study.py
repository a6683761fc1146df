"""A home belongs to one study; another is refused in one sentence that says which it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autophagy_assets.automation.home_study import claim, require
from autophagy_assets.config import home_file
from autophagy_assets.config.home import Home
from autophagy_assets.config.settings import HOME_VARIABLE
from autophagy_assets_tests.cli.test_main import autophagy
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.registry.image_folder import write_images

CLAIM = """
import json, sys
from autophagy_assets.errors import InputError
from autophagy_assets.automation import home_study

how, study = sys.argv[1:]
try:
    getattr(home_study, how)(study)
    said = ""
except InputError as error:
    said = str(error)
print(json.dumps([said, "lamindb" in sys.modules]))
"""
MADE_SOMETHING = """
import atexit
import dagster as dg

def make():
    if how == "claim" and not said:
        dg.DagsterInstance.get().report_runless_asset_event(dg.AssetMaterialization("made"))

atexit.register(make)
"""
INGEST = """
import sys
from pathlib import Path
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.config.study import Study

ingest(Path(sys.argv[1]), Study.load())
"""


def test_a_home_without_a_study_takes_the_first(isolated, tmp_path):
    home = Home.locate()
    for do in (require, claim, claim, require):
        do("A")
    known = home_file.read(home.root)
    assert known is not None and known.study == "A"


def test_a_study_of_which_nothing_was_registered_keeps_none_out(isolated, tmp_path):
    """Its ingest was refused: the home is still empty."""
    home = Home.locate()
    claim("misspelt")
    claim("B")
    known = home_file.read(home.root)
    assert known is not None and known.study == "B"


@pytest.fixture
def ingested(run_script, tmp_path: Path) -> Path:
    """A home with images of study A, claimed by nobody."""
    from autophagy_assets.config.study import Study

    file, home = study_file(tmp_path, "A"), tmp_path / "home"
    write_images(tmp_path / "images", Study.load(file))
    run_script(INGEST, tmp_path / "images", home=home, AUTOPHAGY_STUDY=str(file))
    return home


@pytest.mark.slow
@pytest.mark.parametrize("how", ["claim", "require"])
def test_another_study_is_refused_and_named_which_it_holds(run_script, ingested, how):
    assert run_script(CLAIM, "claim", "A", home=ingested)[0] == ""
    said, _ = run_script(CLAIM, how, "B", home=ingested)
    assert "holds study 'A', not 'B'" in said and "AUTOPHAGY_HOME" in said
    assert "AUTOPHAGY_STUDY" in said
    assert run_script(CLAIM, how, "A", home=ingested) == ["", False], "and it takes no time"


@pytest.mark.slow
def test_of_a_home_without_a_home_file_the_registered_images_name_the_study(run_script, ingested):
    (ingested / home_file.NAME).unlink()
    said, _ = run_script(CLAIM, "claim", "B", home=ingested)
    assert "holds study 'A', not 'B'" in said
    assert run_script(CLAIM, "claim", "A", home=ingested)[0] == ""
    assert run_script(CLAIM, "require", "A", home=ingested) == ["", False]


@pytest.mark.slow
def test_two_homes_do_not_share_a_dagster_with_two_studies(run_script, tmp_path):
    shared = tmp_path / "dagster"
    shared.mkdir()
    script = MADE_SOMETHING + CLAIM
    homes = [tmp_path / "one", tmp_path / "two"]
    answers = [
        run_script(script, "claim", name, home=home, DAGSTER_HOME=str(shared))[0]
        for home, name in zip(homes, "AB", strict=True)
    ]
    assert answers[0] == "" and "records are those of study 'A', not 'B'" in answers[1]
    assert run_script(script, "require", "A", home=homes[1], DAGSTER_HOME=str(shared))[0] == ""


@pytest.mark.slow
def test_every_command_refuses_a_home_of_another_study(ingested, tmp_path):
    """Two studies in one home would overwrite each other's partitions and report."""
    study = study_file(tmp_path, "B")
    (ingested / home_file.NAME).unlink()
    for command in (
        ("ingest", str(tmp_path / "images")),
        ("status",),
        ("report",),
        ("refresh",),
        ("withdraw", "WT, clone 1, untreated, FOV1"),
        ("ui", "--port", "1"),
        ("demo",),
    ):
        done = autophagy(ingested, *command, AUTOPHAGY_STUDY=str(study))
        name = "autophagy demo" if command == ("demo",) else "B"
        assert done.returncode == 1, command
        assert f"holds study 'A', not {name!r}" in done.stderr, (command, done.stderr)
        assert len(done.stderr.splitlines()) == 1


def test_the_demo_and_images_of_ones_own_never_meet(tmp_path):
    """`make demo` and then the README's own ingest put both into one classifier."""
    makefile = (ROOT / "Makefile").read_text()
    assert 'AUTOPHAGY_HOME="$(DEMO_HOME)" $(BIN)/autophagy demo\n' in makefile
    assert "DEMO_HOME := $(CURDIR)/.autophagy-demo" in makefile
    home = tmp_path / "demo"
    marked = "from autophagy_assets.cli.demo import _own_home; _own_home()"
    environment = clean_environment(home, PYTHONPATH=str(ROOT))
    for name in (HOME_VARIABLE, "DAGSTER_HOME", "LAMIN_SETTINGS_DIR", "LAMIN_CACHE_DIR"):
        del environment[name]
    subprocess.run([sys.executable, "-c", marked], env=environment, cwd=tmp_path, check=True)
    assert sorted(os.listdir(tmp_path)) == [".autophagy-demo"]
    known = home_file.read(tmp_path / ".autophagy-demo")
    assert known is not None and known.study == "autophagy demo"
