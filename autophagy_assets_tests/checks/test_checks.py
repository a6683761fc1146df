"""The checks as Dagster runs them: each has a sentence and numbers; only the contract blocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.event_api import PartitionKeyFilter

from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.automation.launcher import run_request
from autophagy_assets.automation.requests import Request
from autophagy_assets.checks.definition import metadata_of, result
from autophagy_assets.checks.knockouts import check_ko_predictions
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.definitions import build_defs
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.staleness.materializations import latest
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.analysis.synthetic import raw_features
from autophagy_assets_tests.given import Given, give_table, given_study, outsider
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import image, truncate, write_images

CHECKS = {
    "raw_features": {
        "table_contract": True,
        "cell_identity_unique": True,
        "finite_values": True,
        "class_balance": False,
        "nucleus_and_cytosol_differ": False,
    },
    "clean_features": {"no_drift_between_samples": False},
    "test_cells": {"no_cell_on_both_sides": False},
    "classifier_evaluation": {
        "better_than_chance": False,
        "auc_not_below_last_accepted": False,
        "predictions_calibrated": False,
    },
    "ko_predictions": {"features_are_the_models": False},
    "error_galleries": {"scores_belong_to_their_cells": False},
    "single_cell_images": {
        "every_field_accounted_for": False,
        "no_field_excluded": False,
        "cells_per_field": False,
        "images_not_stretched": False,
    },
    "marker_features": {"marker_measurable": False},
    "excluded_fields": {"no_field_refused": False},
    "shortcut_card": {"no_shortcut": False},
    "label_audit": {"no_field_suspect": False},
    "label_audit_gallery": {"scores_belong_to_their_cells": False},
    "cell_gallery": {"scores_belong_to_their_cells": False},
}
TO_THE_CLASSIFIER = ["features", "evidence", "classifier"]  # groups of assets
DOWNSTREAM = [(asset, name) for asset in list(CHECKS)[:6] for name in CHECKS[asset]]
DOWNSTREAM += [("cell_gallery", "scores_belong_to_their_cells")]


def evaluation_of(
    platform: Platform, asset: str, check: str, partition: str | None = None
) -> dg.AssetCheckEvaluation:
    """What the latest run of a check said."""
    partition = partition or platform.published(asset)
    records = platform.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey(asset), check),
        limit=1,
        partition_filter=PartitionKeyFilter(key=partition) if partition else None,
    )
    assert records and records[0].evaluation is not None, f"{check} has not run"
    return records[0].evaluation


def test_the_checks_are_those_that_people_know_and_only_the_contract_blocks():
    found: dict[str, dict[str, bool]] = {}
    for definition in build_defs().asset_checks or []:
        assert len({key.asset_key for key in definition.check_keys}) == 1, "a step, an asset"
        for spec in definition.check_specs:
            found.setdefault(spec.asset_key.to_user_string(), {})[spec.name] = spec.blocking
            assert spec.description and spec.description.endswith(".")
    assert found == CHECKS


@pytest.mark.parametrize(("asset", "check"), DOWNSTREAM)
def test_a_finished_study_passes_with_a_sentence_and_numbers(finished, asset, check):
    platform, _ = finished
    said = evaluation_of(platform, asset, check)
    assert said.passed, said.description
    assert said.description and said.description.endswith(".") and len(said.description) > 30
    assert any(isinstance(v.value, int | float) for v in said.metadata.values())
    wanted = dg.AssetCheckSeverity.ERROR if CHECKS[asset][check] else dg.AssetCheckSeverity.WARN
    assert said.severity == wanted
    assert len(json.dumps({k: str(v.value) for k, v in said.metadata.items()})) < 30_000


def test_a_finding_that_fails_is_reported_as_a_warning_unless_it_blocks():
    finding = Finding(False, "7 of 9.", {"n": 7, "share": float("nan"), "why": "so"})
    assert result("check", finding, False).severity == dg.AssetCheckSeverity.WARN
    assert result("check", finding, True).severity == dg.AssetCheckSeverity.ERROR
    assert {k: v.value for k, v in metadata_of(finding).items()} == {
        "n": 7,
        "share": "not defined",
        "why": "so",
    }


STRICT = {
    "smallest_class": 0.5,
    "auc_above": 0.999,
    "calibration_error": 1e-6,
    "drift": 1e-3,
    "same_intensity": 0,
}


@dataclass
class Strict:
    """A study whose checks take next to nothing as usual, made once as far as the classifier."""

    platform: Platform
    given: Given
    done: Any
    first: dg.AssetCheckEvaluation  # of its first model, compared with the last accepted one

    def checked_by(self, folder: Path, **checks: float) -> Platform:
        """The same assets with other limits."""
        other = Platform(study_file(folder, self.platform.study.name, checks=checks))
        other.instance = self.platform.instance
        return other


@pytest.fixture(scope="module")
def strict(store: object, tmp_path_factory: pytest.TempPathFactory) -> Strict:
    folder = tmp_path_factory.mktemp("strict")
    platform = Platform(study_file(folder, "strict study", checks=STRICT))
    given = given_study(platform.study, folder)
    done = platform.refresh(parts=TO_THE_CLASSIFIER)
    first = evaluation_of(platform, "classifier_evaluation", "auc_not_below_last_accepted")
    return Strict(platform, given, done, first)


@pytest.mark.slow
def test_warnings_stop_nothing(strict):
    assert strict.done.complete
    assert Target("classifier_evaluation", AS_PUBLISHED) in strict.done.made
    for asset, check, partition in (
        ("raw_features", "class_balance", "WT"),
        ("classifier_evaluation", "better_than_chance", None),
    ):
        said = evaluation_of(strict.platform, asset, check, partition)
        assert not said.passed and said.severity == dg.AssetCheckSeverity.WARN


def test_a_broken_table_in_the_store_blocks_what_is_downstream(platform, tmp_path, monkeypatch):
    """The asset refuses such a table itself; the checks hold where it would not."""
    from autophagy_assets.assets import features

    monkeypatch.setattr(features, "check_feature_table", lambda *_: None)
    table = raw_features(1, platform.study, "WT", cells=12).reset_index(drop=True)
    table.loc[3, "nucleus_area"] = float("nan")
    recorder = outsider()
    give_table(recorder, platform.study, "WT", pd.concat([table, table.iloc[:2]]))
    recorder.finish()
    platform.sync()
    targets = tuple(Target(name, "WT") for name in ("raw_features", "clean_features"))
    errors = run_request(Request("genotype", "WT", targets), {}, platform.defs, platform.instance)
    reason = errors[targets[0]]
    assert "2 cells twice" in reason and "'nucleus_area' is missing or infinite in 1" in reason
    assert latest(platform.instance, dg.AssetKey("clean_features"), "WT") is None
    assert evaluation_of(platform, "raw_features", "table_contract").passed
    assert not evaluation_of(platform, "raw_features", "cell_identity_unique").passed
    assert "was not looked at" in str(
        evaluation_of(platform, "raw_features", "class_balance").description
    )


@pytest.mark.slow
def test_a_model_is_compared_with_the_last_one_that_was_accepted(strict, tmp_path):
    first = strict.first
    assert first.passed and "no earlier model was accepted" in str(first.description)
    # The same model again: still nothing earlier, though its own check has passed.
    platform = strict.checked_by(tmp_path)
    platform.run("classifier_evaluation")
    second = evaluation_of(platform, "classifier_evaluation", "auc_not_below_last_accepted")
    auc = first.metadata["auc"].value
    assert f"had {auc:.3f} ± " in str(second.description)
    assert second.metadata["change since the last accepted"].value == 0


@pytest.mark.slow
def test_a_model_that_has_got_worse_is_reported_and_not_taken_as_the_last_accepted(
    strict, tmp_path
):
    platform = strict.checked_by(tmp_path, auc_standard_errors=0)
    one_question = {"parameters": {"max_depth": 1, "n_estimators": 1}}
    stump = {"ops": {"autophagy_classifier": {"config": one_question}}}
    names = ("autophagy_classifier", "test_predictions", "classifier_evaluation")
    for _ in range(2):
        platform.run(*names, config=stump)
        worse = evaluation_of(platform, "classifier_evaluation", "auc_not_below_last_accepted")
        assert not worse.passed and "but it dropped by" in str(worse.description)
        assert f"had {strict.first.metadata['auc'].value:.3f}" in str(worse.description)


@pytest.mark.slow
def test_features_that_a_table_lacks_are_named(strict):
    platform, recorder = strict.platform, outsider()
    table = strict.given.tables["EI24KO"].drop(columns="nucleus_area")
    give_table(recorder, platform.study, "EI24KO", table)
    recorder.finish()
    platform.run("raw_features", "clean_features", "model_features", partition="EI24KO")
    # ko_predictions would refuse the table itself, and its check would not be run.
    context = dg.build_op_context(
        partition_key="EI24KO",
        instance=platform.instance,
        resources={"study": platform.defs.resources["study"]},
    )
    (said,) = check_ko_predictions(context)
    assert not said.passed and "it lacks nucleus_area: make both again" in str(said.description)


def test_fields_refused_at_ingest_are_reported_without_a_run(platform, tmp_path):
    folder = tmp_path / "images"
    write_images(folder, platform.study, seed=7)
    whole = (folder / "images/0_DAPI.tif").read_bytes()
    image(truncate)(folder)
    ingest(folder, platform.study)
    assert "excluded_fields" in platform.sync()
    said = evaluation_of(platform, "excluded_fields", "no_field_refused")
    assert not said.passed and said.severity == dg.AssetCheckSeverity.WARN
    assert "Fields of view excluded: 1 (" in str(said.description)
    made = said.target_materialization_data
    assert made is not None and made.run_id == platform.latest("excluded_fields").run_id
    (folder / "images/0_DAPI.tif").write_bytes(whole)
    ingest(folder, platform.study)
    assert "excluded_fields" in platform.sync()
    assert evaluation_of(platform, "excluded_fields", "no_field_refused").passed
