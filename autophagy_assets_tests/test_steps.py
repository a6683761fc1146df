"""Only what changed is computed: steps and fields are counted, on real scPortrait.

One simulated study is imaged once; then each test changes one thing in it, in the order of this
file, and ends with a study that is up to date. Values of the study file stay changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autophagy_assets.config.settings import WORKERS_VARIABLE
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets_tests.executed import Executed, executed
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

NAME = "counted steps"
# Which steps run is not a matter of how large anything is.
SMALL: dict[str, Any] = {
    "models": {"as_published": {"n_estimators": 3}, "puncta": {"n_estimators": 3}},
    "cross_validation": {"folds": 2, "permutations": 1},
    "segmentation": {"image_size": 64, "median_filter_px": 1},
    "galleries": {"class_cells": 2, "error_cells": 1},
}
BY_MODEL = {
    *("cross_validation", "score_reliability", "autophagy_classifier"),
    *("test_predictions", "classifier_evaluation", "error_galleries", "shortcut_card"),
    *("label_audit", "label_audit_gallery", "label_audit_shares"),
}
OF_MODELS = {
    *("model_comparison", "ko_predictions", "ko_evaluation"),
    *("knockout_effect", "effect_robustness", "replicate_plan", "study_report"),
    *("condition_predictions", "response_curve", "annotation_agreement"),
    "cell_gallery",
}
FIGURES = {
    *("class_gallery", "error_galleries", "wt_ko_gallery", "spatial_context"),
    *("marker_example", "study_report", "label_audit_gallery"),
}
MAPS = {"cell_map"}  # by model, and of the cells of all genotypes


class Screen:
    """A study that grows by fields of view."""

    def __init__(self, folder: Path, images: Path) -> None:
        self.folder, self.images = folder, images
        self.metadata = pd.read_csv(images / "metadata_files.csv", dtype=str)
        self.there = self.metadata["FOV"].eq("FOV1")
        self.changes = dict(SMALL)
        self.platform = Platform(study_file(folder, NAME, **self.changes))

    def add(self, genotype: str) -> str:
        """Ingest the second untreated field of a genotype; gives its name."""
        untreated = self.metadata["stimulation"].eq("untreated")
        self.there |= self.metadata["genotype"].eq(genotype) & untreated
        self.ingest()
        return "FOV2"

    def ingest(self) -> None:
        self.metadata[self.there].to_csv(self.images / "metadata_files.csv", index=False)
        ingest(self.images, self.platform.study)

    def changed(self, **changes: Any) -> Platform:
        """The platform with other values of the study file, beside those changed before."""
        for entry, value in changes.items():
            small = self.changes.get(entry)
            self.changes[entry] = small | value if isinstance(small, dict) else value
        platform = Platform(study_file(self.folder, NAME, **self.changes))
        platform.instance = self.platform.instance
        return platform

    def refresh(self, **changes: Any) -> Executed:
        """Refresh, with other values of the study file and no image to work on; gives what ran."""
        changed = self.changed(**changes)
        with executed(changed) as ran:
            done = changed.refresh()
        assert not done.failed and not done.skipped, done
        assert len(ran.steps) == len(set(ran.steps)) == len(done.made), "a step ran twice"
        return ran

    def refresh_here(self) -> Executed:
        """Refresh, samples too in this process, which imports scPortrait once; gives what ran."""
        with executed(self.platform) as ran:
            errors = self.platform.refresh_here()
        assert not errors, errors
        assert len(ran.steps) == len(set(ran.steps)), "a step ran twice"
        assert not self.platform.plan().ready, "something is left to make"
        return ran


@pytest.fixture(scope="module")
def screen(store: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    from autophagy_assets.simulation import simulate

    folder = tmp_path_factory.mktemp("steps")
    simulate(folder / "study", size=320, cells_per_field=14, fields_per_sample=2, clones=1)
    screen = Screen(folder, folder / "study")
    screen.ingest()
    with pytest.MonkeyPatch.context() as environment:
        # All is imaged in this process: scPortrait is imported once. That a refresh, which images
        # samples in processes of their own, images each once is held in reliability.
        environment.setenv(WORKERS_VARIABLE, "1")
        first = screen.refresh_here()
        assert len(first.fields) == 4, first.fields
        yield screen


def test_nothing_new_runs_no_step(screen: Screen) -> None:
    screen.ingest()
    ran = screen.refresh()
    assert (ran.steps, ran.fields) == ([], [])


def test_a_new_field_is_imaged_alone_and_then_what_hangs_from_it_is_made(screen: Screen) -> None:
    fov = screen.add("WT")
    sample = next(s for s in screen.platform.partitions("sample") if _is(s, "WT"))
    ran = screen.refresh_here()
    assert ran.fields == [f"{sample}/{fov}"]
    imaging = {"single_cell_images", "cell_features", "marker_features"}
    tables = {"raw_features", "clean_features", "model_features"}
    cells = {"training_cells", "test_cells", "background_features"}
    assert ran.assets == imaging | tables | cells | BY_MODEL | OF_MODELS | FIGURES | MAPS
    of_knockout = {step.split("[")[0] for step in ran.steps if "EI24KO" in step}
    assert of_knockout <= OF_MODELS
    assert {step for step in ran.steps if sample in step} == {f"{a}[{sample}]" for a in imaging}


def test_a_new_field_of_a_knockout_leaves_the_classifier_alone(screen: Screen) -> None:
    fov = screen.add("EI24KO")
    sample = next(s for s in screen.platform.partitions("sample") if _is(s, "EI24KO"))
    ran = screen.refresh_here()
    assert ran.fields == [f"{sample}/{fov}"]
    assert not ran.assets & (
        {"training_cells", "test_cells", "model_comparison"} | BY_MODEL - FIGURES
    )
    assert {"ko_predictions[EI24KO]", "ko_evaluation[EI24KO]", "study_report"} <= set(ran.steps)
    assert not [step for step in ran.steps if "WT" in step]


def _is(sample: str, genotype: str) -> bool:
    return sample.startswith(f"{genotype}__") and sample.endswith("__untreated")


def test_imaging_again_gives_the_same_bytes_and_stops_there(screen: Screen) -> None:
    sample = next(s for s in screen.platform.partitions("sample") if _is(s, "WT"))
    again = {"ops": {"single_cell_images": {"config": {"image_again": True}}}}
    before = screen.platform.latest("single_cell_images", sample).version
    with executed(screen.platform) as ran:
        screen.platform.run("single_cell_images", partition=sample, config=again)
    assert len(ran.fields) == len(screen.platform.table("single_cell_images", sample)) == 2
    assert screen.platform.latest("single_cell_images", sample).version == before
    assert screen.refresh().steps == []


def test_another_model_parameter_makes_the_classifier_and_what_follows(screen: Screen) -> None:
    ran = screen.refresh(models={"as_published": {"n_estimators": 4}})
    assert (ran.assets, ran.fields) == (BY_MODEL | OF_MODELS | MAPS, [])
    assert not [step for step in ran.steps if "puncta" in step], "the other model was made again"


def test_which_model_leads_makes_no_model_again(screen: Screen) -> None:
    ran = screen.refresh(primary="as_published")
    assert not ran.assets & BY_MODEL and "study_report" in ran.assets


def test_another_style_makes_figures_and_the_report(screen: Screen) -> None:
    ran = screen.refresh(galleries={"context_px": 90, "class_cells": 3, "error_cells": 2})
    assert (ran.assets, ran.fields) == (FIGURES, [])


def test_values_as_they_were_are_a_change_too(screen: Screen) -> None:
    """Only judged: that a change back is carried out is held by tests of the refresh."""
    assert not screen.changed().plan().ready
    plan = screen.platform.plan()
    stale = {*plan.ready, *plan.waiting}
    assert {target.asset for target in stale} == BY_MODEL | OF_MODELS | MAPS | FIGURES
    again = {target.asset for target in stale if target.partition == "puncta"}
    assert again == BY_MODEL & FIGURES, "the other model would be made again"


def test_another_way_of_segmenting_images_every_field(screen: Screen) -> None:
    changed = screen.changed(segmentation={"median_filter_px": 3})
    samples = changed.partitions("sample")
    ready = {t.partition for t in changed.plan().ready if t.asset == "single_cell_images"}
    assert ready == set(samples)
    sample = next(s for s in samples if _is(s, "WT"))  # as all are made by the same step
    with executed(changed) as ran:
        changed.run("single_cell_images", partition=sample)
    assert ran.fields == [f"{sample}/FOV1", f"{sample}/FOV2"]
