"""The judge says what is out of date and which input changed, from what steps really read."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from filelock import FileLock

from autophagy_assets.config.home import Home
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.registry.state import OUTSIDE
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.staleness.materializations import latest
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.given import give_table, outsider
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study

pytestmark = pytest.mark.slow

_numbers = itertools.count(5000)


@pytest.fixture
def made(published: Platform) -> Platform:
    """A study of given tables that is up to date; each test leaves it so."""
    return published


def again(platform: Platform, folder: Path, **changes: object) -> Platform:
    """The same home with another study file."""
    other = Platform(write_study(folder, platform.study.name, **changes))
    other.instance = platform.instance
    return other


# What was read is what counts.


def test_an_entry_that_a_body_reads_is_part_of_its_fingerprint_undeclared(made: Platform) -> None:
    read = {name: set(made.latest(name).fingerprint.study) for name in ("classifier_evaluation",)}
    assert "control" in read["classifier_evaluation"]
    assert "classes" in made.latest("clean_features", "WT").fingerprint.study
    assert "split" not in made.latest("class_gallery").fingerprint.study


def test_every_artifact_that_a_step_has_read_is_of_an_asset_upstream_of_it(
    made: Platform, store: object
) -> None:
    graph = made.defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        name = key.to_user_string()
        if name == "study_report":  # shows the lineage of its figures, which goes further up
            continue
        for partition in (
            made.partitions(graph.get(key).partitions_def.name)
            if graph.get(key).partitions_def
            else [None]
        ):
            found = latest(made.instance, key, partition)
            if found is None:
                continue
            inputs = {target.split("[")[0] for target in found.fingerprint.inputs}
            run = store.Run.get(uid=found.metadata["lamindb/run"])
            for artifact in run.input_artifacts.all():
                asset = artifact.key.split("/")[2].split(".")[0]
                given = "/given/" in artifact.key
                assert given or asset in inputs, f"{name} read {artifact.key}"


def test_inputs_are_all_that_the_asset_graph_says(made: Platform) -> None:
    plan = made.plan()
    for target, above in plan.upstream.items():
        found = latest(made.instance, target.key, target.partition)
        recorded = set(found.fingerprint.inputs)
        assert {str(one) for one in above} <= recorded
        assert {name.split("[")[0] for name in recorded - {str(one) for one in above}} <= set(
            OUTSIDE
        )


def test_a_study_edited_during_a_refresh_leaves_nothing_of_the_old_one(
    made: Platform, tmp_path: Path
) -> None:
    edited = again(made, tmp_path, split={"random_state": 5})
    seen = []

    def edit(target: Target, state: str) -> None:
        if (target.asset, state) == ("training_cells", "made") and not seen:
            seen.append(target)
            write_study(tmp_path, made.study.name, split={"random_state": 6})

    assert edited.refresh(progress=edit, parts=["classifier"]).complete
    splits = {
        name: edited.latest(name).fingerprint.study["split"]["random_state"]
        for name in ("training_cells", "test_cells")
    }
    assert splits == {"training_cells": 6, "test_cells": 6}
    assert made.refresh(parts=["classifier"]).complete  # all else is as it was
    assert made.plan().ready == {}


def test_what_changes_again_and_again_is_said_to_be_left(made: Platform, tmp_path: Path) -> None:
    edited = again(made, tmp_path, split={"random_state": 100})
    before = latest(made.instance, dg.AssetKey("last_refresh"), None)

    def edit(target: Target, state: str) -> None:
        if (target.asset, state) == ("training_cells", "made"):
            write_study(tmp_path, made.study.name, split={"random_state": next(_numbers)})

    done = edited.refresh(progress=edit)
    assert not done.complete and Target("training_cells") in done.left
    assert "split.random_state was" in done.left[Target("training_cells")]
    after = latest(made.instance, dg.AssetKey("last_refresh"), None)
    assert after == before
    assert made.refresh().complete


def test_parameters_of_a_single_run_are_called_so(made: Platform) -> None:
    config = {"ops": {"autophagy_classifier": {"config": {"parameters": {"max_depth": 3}}}}}
    made.run("autophagy_classifier", config=config)
    reason = made.plan().ready[Target("autophagy_classifier", AS_PUBLISHED)]
    assert reason == "made with other parameters than the study file has (max_depth 3)"
    assert made.refresh().complete


def test_a_code_location_loaded_before_the_study_was_edited_has_no_old_control_or_parameter(
    made: Platform, tmp_path: Path
) -> None:
    loaded = again(made, tmp_path)
    write_study(
        tmp_path, made.study.name, control="EI24KO", models={"as_published": {"n_estimators": 7}}
    )
    loaded.run("training_cells", "autophagy_classifier")
    cells, model = loaded.latest("training_cells"), loaded.latest("autophagy_classifier")
    assert set(loaded.table("training_cells")["genotype"]) == {"EI24KO"}
    assert list(cells.fingerprint.inputs) == ["clean_features[EI24KO]"]
    assert cells.fingerprint.study["control"] == "EI24KO"
    assert model.fingerprint.study["models.as_published"]["parameters"]["n_estimators"] == 7
    assert model.fingerprint.config == {}
    assert "control was EI24KO and is WT" in made.plan().ready[Target("training_cells")]
    assert made.refresh().complete


def test_a_step_that_loads_the_control_has_read_which_genotype_it_is(made: Platform) -> None:
    for name in ("training_cells", "test_cells", "class_gallery", "spatial_context"):
        found = made.latest(name).fingerprint
        assert found.study["control"] == "WT"
        assert [one for one in found.inputs if "clean_features" in one] == ["clean_features[WT]"]
    assert len([i for i in made.latest("wt_ko_gallery").fingerprint.inputs if "clean" in i]) == 2


def test_a_reason_names_the_entry_with_both_values(made: Platform, tmp_path: Path) -> None:
    other = again(made, tmp_path, galleries={"class_cells": 5})
    assert other.plan().ready == dict.fromkeys(
        [
            *(Target(name) for name in ("class_gallery", "wt_ko_gallery", "spatial_context")),
            *(Target("error_galleries", model.name) for model in made.study.models),
            *(Target("label_audit_gallery", model.name) for model in made.study.models),
            Target("marker_example"),
        ],
        "galleries.class_cells was 4 and is 5",
    )


def test_a_reason_names_the_input_that_changed(made: Platform, tmp_path: Path) -> None:
    (given,) = made.artifact("raw_features", "EI24KO").run.input_artifacts.all()
    table = pd.read_parquet(given.path)

    def give(table: pd.DataFrame) -> None:
        recorder = outsider("a changed table")
        give_table(recorder, made.study, "EI24KO", table)
        recorder.finish()

    give(table.iloc[1:])
    reasons = made.plan().ready
    assert reasons == {Target("raw_features", "EI24KO"): "source_features[EI24KO]: new content"}
    give(table)
    assert made.plan().ready == {}


@pytest.mark.parametrize("asset", ["error_galleries", "test_predictions", "autophagy_classifier"])
def test_a_flipped_byte_is_found_and_the_file_made_again(made: Platform, asset: str) -> None:
    path = Path(made.artifact(asset).path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    target = Target(asset, AS_PUBLISHED)
    assert made.plan().ready == {target: "its file has changed"}
    done = made.refresh()
    assert done.complete and done.made == [target]


def test_a_refresh_asks_again_only_for_what_was_made_since_its_last_look(
    made: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, fetch = Counter[str](), made.instance.fetch_materializations

    def noted(wanted, **more):
        asked[wanted.asset_key.to_user_string()] += 1
        return fetch(wanted, **more)

    monkeypatch.setattr(made.instance, "fetch_materializations", noted)
    Path(made.artifact("class_gallery").path).unlink()
    assert [str(target) for target in made.refresh().made] == ["class_gallery"]
    # It was looked at before and after; no step has read the evaluation meanwhile.
    assert asked["class_gallery"] >= 2 and asked["ko_evaluation"] == 1


def test_two_runs_never_make_the_same_partition_at_once(made: Platform) -> None:
    lock = FileLock(Home.locate().locks / "making" / derived(20, "test_cells"))
    with lock:
        run = threading.Thread(target=made.run, args=("test_cells",))
        run.start()
        run.join(timeout=3)
        assert run.is_alive(), "it was made though another process was making it"
    run.join(timeout=60)
    assert not run.is_alive()
