"""Code counts by its content: a copy of the package with one word changed is another package."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.conftest import ROOT

pytestmark = pytest.mark.slow

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
for name in [name for name in sys.modules if name.partition(".")[0] == "autophagy_assets"]:
    del sys.modules[name]  # this process began with the code of the checkout read
from pathlib import Path
import dagster as dg
from autophagy_assets import automation
from autophagy_assets.automation.next_runs import look
from autophagy_assets.automation.refresh import refresh
from autophagy_assets.config.home import dagster_instance
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.io_managers.parquet import read_table
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.staleness.materializations import UID, latest
from autophagy_assets.config.study import Study
from autophagy_assets_tests.given import given_study

assert automation.__file__.startswith(sys.argv[1]), automation.__file__
folder, study_file = Path(sys.argv[2]), sys.argv[3]
if not folder.exists():
    folder.mkdir()
    given_study(Study.load(study_file), folder)
state = look(dagster_instance(), study_file)
ready = {str(target): reason for target, reason in state.plan.ready.items()}
pinned = {str(t): list(v.pinned) for t, v in state.plan.verdicts.items() if v.pinned}
if sys.argv[4] != "look":
    done = refresh(study_file, parts=None if sys.argv[4] == "all" else sys.argv[4].split())
    assert done.complete, done
found = latest(dagster_instance(), dg.AssetKey("test_predictions"), AS_PUBLISHED)
artifact = connect().Artifact.get(uid=found.metadata[UID])
print(json.dumps({
    "ready": ready,
    "pinned": pinned,
    "share": float(read_table(Path(artifact.path))["predicted_class"].mean()),
    "code": artifact.run.transform.source_code,
}))
"""
PREDICTIONS = "test_predictions[as_published]"


def copy(folder: Path, module: str = "", before: str = "", after: str = "") -> Path:
    """A copy of the package, with a change in one of its modules."""
    shutil.copytree(ROOT / "autophagy_assets", folder / "autophagy_assets")
    if module:
        file = folder / "autophagy_assets" / module
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))
    return folder


def test_a_changed_word_makes_what_it_could_change_and_a_comment_nothing(
    run_script: Callable[..., Any], tmp_path: Path
) -> None:
    from autophagy_assets_tests.platform import study_file

    # An odd number of trees: they seldom tie.
    forest = {"as_published": {"n_estimators": 101}, "puncta": None}
    few = {"cross_validation": {"folds": 2}}
    study = study_file(tmp_path, "changed code", forest, **few)
    (tmp_path / "pinned").mkdir()
    pinned = study_file(tmp_path / "pinned", "changed code", forest, pin_code=True, **few)

    def run(package: Path, how: str, file: Path = study) -> Any:
        return run_script(SCRIPT, package, tmp_path / "given", file, how)

    first = run(copy(tmp_path / "original"), "all")
    module = "analysis/classifier/classification.py"
    commented = copy(
        tmp_path / "commented", module, "scores, predicted)\n", "scores, predicted)  # so\n"
    )
    assert run(commented, "look")["ready"] == {}

    # The IO manager selects the cells that models learn from, so no body reaches that code.
    selection = "analysis/classifier/selection.py"
    selecting = copy(tmp_path / "selecting", selection, "size, share, replace", "size, 1, replace")
    reasons = run(selecting, "look")["ready"]
    assert {"cross_validation[as_published]", "training_cells"} <= set(reasons)
    assert "code of" in reasons["training_cells"]

    other = copy(tmp_path / "other", module, "np.argmax(", "np.argmin(")
    kept = run(other, "look", pinned)
    assert set(kept["ready"]) <= {"study_report"} and "argmax" in kept["code"]
    assert kept["pinned"][PREDICTIONS] == [
        "code of autophagy_assets.analysis.classifier.classification has changed"
    ]
    changed = run(other, "evidence classifier")
    assert changed["ready"][PREDICTIONS] == changed["ready"]["ko_predictions[EI24KO]"]
    assert (
        "code of autophagy_assets.analysis.classifier.classification has changed"
        in (changed["ready"][PREDICTIONS])
    )
    assert "training_cells" not in changed["ready"]
    # But for scores of a half, which both give to the first class.
    assert changed["share"] == pytest.approx(1 - first["share"], abs=0.1) != first["share"]
    assert "argmin" in changed["code"] and "argmax" in first["code"]
