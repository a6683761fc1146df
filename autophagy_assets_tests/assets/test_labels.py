"""Models of audited and annotated labels, from the study file to the comparison of models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from autophagy_assets.analysis.evidence.comparison import POOLED
from autophagy_assets.analysis.identity import CLASS, IDENTITY
from autophagy_assets.automation.sensors import define_refresh_on_change
from autophagy_assets.cli.changes_output import show_since_last
from autophagy_assets.cli.output import show_status
from autophagy_assets.cli.summary import summarise
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.review.annotation_files import ANNOTATE, annotation_key
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.staleness.materializations import CAPTION
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.analysis.labels.answered import answers_of
from autophagy_assets_tests.automation.test_sensors import Daemon
from autophagy_assets_tests.checks.test_checks import evaluation_of
from autophagy_assets_tests.given import given_study
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

GIVEN = "as_published"


@pytest.fixture(scope="module")
def platform(store: object, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A study with one model three times, that differs in its labels alone."""
    folder = tmp_path_factory.mktemp("labels")
    few = {"folds": 3, "permutations": 2}
    file = study_file(folder, "study of labels", cross_validation=few)
    entries = yaml.safe_load(file.read_text())
    (model,) = entries["models"]
    others = [model | {"name": n, "labels": n, "primary": False} for n in ("audited", "annotated")]
    file.write_text(yaml.safe_dump(entries | {"models": [model, *others]}))
    platform = Platform(file)
    given_study(platform.study, folder)
    return platform


def answer(platform: Platform, cells: pd.DataFrame, said: list[str]) -> str:
    """Register answers, as 'autophagy annotate' does; gives their uid."""
    recorder = Recorder(Step(ANNOTATE, None, None, "by hand", "1"))
    output = recorder.put(
        lambda path: answers_of(cells, said).to_parquet(path, index=False),
        annotation_key(platform.study, "page1", "ada"),
        "Answers of ada",
        {"study": platform.study.name},
        rows=len(cells),
    )
    recorder.finish()
    return output.record.uid


def inputs(platform: Platform, asset: str, model: str) -> set[str]:
    run = connect().Artifact.get(uid=platform.artifact(asset, model).uid).run
    return {artifact.uid for artifact in run.input_artifacts.all()}


def test_a_model_of_annotated_labels_waits_for_answers_and_the_others_are_made(
    platform, capsys: pytest.CaptureFixture[str]
) -> None:
    done = platform.refresh()
    assert not done.complete and not done.held and not done.left
    (target,) = done.failed
    assert target == Target("cross_validation", "annotated")
    assert "asks for at least 10 annotated cells of the control" in done.failed[target]
    made = {str(target) for target in done.made}
    for model in (GIVEN, "audited"):
        assert {
            *(f"cross_validation[{model}]", f"autophagy_classifier[{model}]"),
            *(f"test_predictions[{model}]", f"label_audit_gallery[{model}]"),
        } <= made
    assert len(platform.table("annotations")) == 0
    show_status(platform.plan(), {}, platform.instance)
    shown = capsys.readouterr().out
    assert f"Failed: {target}: {done.failed[target]}" in shown and "To make" not in shown


def test_the_others_are_compared_without_it_and_the_report_says_so(platform, tmp_path) -> None:
    known = {GIVEN, "audited"}
    for asset, partition in (("model_comparison", None), ("effect_robustness", "EI24KO")):
        assert set(platform.table(asset, partition)["model"]) & {*known, "annotated"} == known
        caption = platform.latest(asset, partition).metadata[CAPTION]
        assert "Model annotated is not in it, as it could not be made: cross_validation[" in caption
    assert set(platform.table("ko_predictions", "EI24KO")["model"]) == known
    page = Path(platform.artifact("study_report").path).read_text()
    assert "Missing here, as it could not be made:" in page
    assert page.count("asks for at least 10 annotated cells of the control") > 1
    gallery = Path(platform.artifact("cell_gallery").path).read_text()
    assert (
        "Model annotated is not on this page, as it could not be made: cross_validation[" in gallery
    )
    for asset, check, partition in (
        ("ko_predictions", "features_are_the_models", "EI24KO"),
        ("cell_gallery", "scores_belong_to_their_cells", None),
    ):
        said = evaluation_of(platform, asset, check, partition)
        assert said.passed, said.description
    inputs = platform.latest("study_report").fingerprint.inputs
    assert inputs["score_reliability[annotated]"].startswith("could not be made: cross_validation[")


def test_the_daemon_launches_nothing_of_what_a_refresh_has_settled(platform) -> None:
    daemon = Daemon(platform, define_refresh_on_change())
    daemon.work()
    assert daemon.launched == []
    assert "study_report" not in str(platform.plan().ready | dict.fromkeys(platform.plan().waiting))


def test_with_answers_it_stands_in_the_comparison_and_no_other_model_is_made_again(
    platform,
) -> None:
    cells = platform.table("clean_features", "WT").groupby(CLASS).head(8)
    classes = platform.study.classes
    uid = answer(platform, cells, [classes[1 - number] for number in cells[CLASS]])
    done = platform.refresh()
    assert done.complete, done
    made = {str(target) for target in done.made}
    assert {"annotations", "cross_validation[annotated]", "autophagy_classifier[annotated]"} <= made
    assert not {str(t) for t in done.made if t.partition in (GIVEN, "audited")}
    annotations = platform.artifact("annotations").uid
    for asset in ("cross_validation", "autophagy_classifier"):
        assert annotations in inputs(platform, asset, "annotated")
        assert annotations not in inputs(platform, asset, GIVEN) | inputs(
            platform, asset, "audited"
        )
    assert uid in {a.uid for a in platform.artifact("annotations").run.input_artifacts.all()}

    table = platform.table("model_comparison")
    pooled = table[(table["fold"] == POOLED) & (table["n_cells"] > 0)]
    assert pooled.groupby("model")["n_cells"].agg(["nunique", "size"]).nunique().tolist() == [1, 1]
    assert set(pooled["model"]) == {GIVEN, "audited", "annotated"}
    agreement = platform.table("annotation_agreement")
    label = agreement.query("measure == 'agreement' and who == 'label'").iloc[0]
    assert (label["n_cells"], label["count"]) == (16, 0)


def test_the_stored_models_are_trained_with_the_labels_that_they_ask_for(platform) -> None:
    from joblib import load

    models = {
        name: load(platform.artifact("autophagy_classifier", name).path)
        for name in (GIVEN, "audited", "annotated")
    }
    counts = {name: sum(model.n_training_cells.values()) for name, model in models.items()}
    assert counts["audited"] < counts[GIVEN] == counts["annotated"]
    assert len({str(model.n_training_cells) for model in models.values()}) >= 2
    scores = {name: platform.table("cross_validation", name) for name in models}
    for name in ("audited", "annotated"):
        assert scores[name][[*IDENTITY, CLASS]].equals(scores[GIVEN][[*IDENTITY, CLASS]])
        assert not scores[name]["score"].equals(scores[GIVEN]["score"])


def test_what_was_made_before_there_were_labels_of_models_is_not_out_of_date(
    platform, tmp_path: Path
) -> None:
    made = platform.latest("cross_validation", GIVEN).fingerprint
    assert "labels" not in made.study[f"models.{GIVEN}"]
    entries = yaml.safe_load(platform.file.read_text())
    (first, *rest) = entries["models"]
    said = entries | {"models": [first | {"labels": "as_given"}, *rest]}
    file = tmp_path / platform.file.name
    file.write_text(yaml.safe_dump(said))
    again = Platform(file)
    again.instance = platform.instance
    assert again.plan().ready == {}


def test_without_the_leading_model_the_others_are_compared_and_its_old_results_are_not_read(
    platform, tmp_path: Path
) -> None:
    entries = yaml.safe_load(platform.file.read_text())
    models = [one | {"primary": one["name"] == "annotated"} for one in entries["models"]]
    for one in models:
        one["excluded_features"] = ["_"] if one["primary"] else one.get("excluded_features", [])
    file = tmp_path / platform.file.name
    file.write_text(yaml.safe_dump(entries | {"models": models}))
    broken = Platform(file)
    broken.instance = platform.instance
    daemon = Daemon(broken, define_refresh_on_change())
    daemon.work()
    assert {t.partition for t in daemon.launched} == {"annotated", "EI24KO", None}
    assert set(broken.plan().failed) == {Target("cross_validation", "annotated")}
    done = broken.refresh()
    assert done.made == [] and set(done.failed) == {Target("cross_validation", "annotated")}
    assert set(broken.table("model_comparison")["model"]) == {GIVEN, "audited"}
    assert "Model annotated leads, and could not be made" in str(
        broken.table("knockout_effect", "EI24KO")["sentence"].iloc[0]
    )
    page = Path(broken.artifact("study_report").path).read_text()
    assert "Not known: model annotated, which leads this report, is missing." in page
    old = platform.artifact("cross_validation", "annotated").uid
    for asset in ("model_comparison", "annotation_agreement"):
        assert old not in {a.uid for a in broken.artifact(asset).run.input_artifacts.all()}
    found = summarise(broken.instance, broken.study)
    assert found.headline == "" and set(found.auc) >= {GIVEN, "audited"}
    show_since_last(broken.study)
