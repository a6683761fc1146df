"""The job of the inbox: each submission is ingested once, and again only when it has changed."""

from __future__ import annotations

import shutil

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from autophagy_assets.automation.inbox import ingest_submission
from autophagy_assets.errors import InputError
from autophagy_assets_tests.automation.inbox_folder import ONE, numbers
from autophagy_assets_tests.conftest import contents
from autophagy_assets_tests.registry.image_folder import (
    FIELD,
    OTHERS,
    cell,
    image,
    truncate,
    write_images,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["..", "../outside", "linked"])
def test_the_job_takes_no_other_folder(store, inbox, tmp_path, name):
    write_images(tmp_path / "outside", inbox.study, ONE)
    (inbox.folder / "linked").symlink_to(tmp_path / "outside")
    config = {"ops": {"ingest_images": {"config": {"folder": name}}}}
    done = inbox.run(dg.RunRequest(run_key="k", run_config=config))
    assert not done.success and not done.retry_attempts_for_node("ingest_images")


def test_a_submission_is_ingested_and_its_samples_are_partitions(store, inbox):
    before = contents(inbox.put())
    inbox.look()
    (request,) = inbox.look()
    assert inbox.run(request).success
    assert inbox.instance.get_dynamic_partitions("sample") == ["WT__clone-1__untreated"]
    assert inbox.look() == [] and inbox.said == "friday: ingested."
    assert contents(inbox.folder / "friday") == before, "the inbox is not ours to change"


def test_a_submission_is_known_by_its_content_and_not_by_its_name(store, inbox):
    folder = inbox.put()
    inbox.look()
    (request,) = inbox.look()
    assert inbox.run(request).success
    folder.rename(inbox.folder / "renamed")
    shutil.copytree(inbox.folder / "renamed", inbox.folder / "copied")
    asked = [r for _ in range(3) for r in inbox.look()]
    # Dagster launches no second run for a run key.
    assert {r.run_key for r in asked} == {request.run_key}
    assert inbox.look() == []
    assert inbox.said.splitlines() == ["copied: ingested.", "renamed: ingested."]


def test_a_submission_that_was_another_one_only_when_its_run_looked_is_ingested(store, inbox):
    metadata = inbox.put() / "metadata_files.csv"
    inbox.look()
    (request,) = inbox.look()
    whole = metadata.read_bytes()
    metadata.write_bytes(whole + b"\n")
    assert inbox.run(request).success
    metadata.write_bytes(whole)
    (again,) = inbox.look()
    assert again.run_key != request.run_key
    assert inbox.run(again).success
    assert inbox.instance.get_dynamic_partitions("sample") == ["WT__clone-1__untreated"]
    for _ in range(3):
        assert inbox.look() == [] and inbox.said == "friday: ingested."


def test_an_ingest_whose_process_was_killed_is_not_said_to_go_on(store, inbox):
    """Dagster would let no other ingest begin: one at a time."""
    inbox.put()
    inbox.look()
    (request,) = inbox.look()
    run = inbox.instance.create_run_for_job(
        ingest_submission,
        run_config=request.run_config,
        tags=dict(request.tags),
        status=dg.DagsterRunStatus.STARTED,
    )
    pid = {"pid": dg.MetadataValue.text(str(2**22 + 1))}  # more than Linux has
    inbox.instance.report_engine_event("begun", run, EngineEventData(pid))
    assert inbox.look() == [] and f"has failed, run {run.run_id}" in inbox.said
    assert not inbox.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))


def test_a_submission_that_has_changed_is_ingested_again(store, inbox):
    seed = next(numbers)
    folder = inbox.folder / "friday"
    write_images(folder, inbox.study, ONE, seed=seed)
    inbox.look()
    (first,) = inbox.look()
    assert inbox.run(first).success
    # The first field draws the same random numbers again, the other one is new.
    write_images(folder, inbox.study, (FIELD, OTHERS[1]), seed=seed)
    assert inbox.look() == []
    (second,) = inbox.look()
    assert second.run_key != first.run_key
    assert inbox.run(second).success
    assert sorted(inbox.instance.get_dynamic_partitions("genotype")) == ["KO", "WT"]
    assert inbox.look() == [] and inbox.said == "friday: ingested."


def test_a_failed_ingest_is_reported_and_not_tried_again_before_the_submission_changes(
    store, inbox
):
    folder = inbox.put()
    image(truncate)(folder)
    inbox.look()
    (request,) = inbox.look()
    done = inbox.run(request)
    assert not done.success
    (event,) = done.filter_events(lambda event: event.is_step_failure)
    reason = event.step_failure_data.user_failure_data.description
    assert "0_DAPI.tif" in reason and "\n" not in reason
    for _ in range(3):
        assert inbox.look() == []
    assert f"its ingest has failed: {reason} See run {done.run_id};" in inbox.said
    write_images(folder, inbox.study, ONE, seed=next(numbers))
    assert inbox.look() == []
    (again,) = inbox.look()
    assert inbox.run(again).success


def test_a_submission_that_would_replace_images_is_left_until_it_is_confirmed(store, inbox):
    folder = inbox.put()
    inbox.look()
    (first,) = inbox.look()
    assert inbox.run(first).success
    write_images(folder, inbox.study, ONE, seed=next(numbers))
    inbox.look()
    (second,) = inbox.look()
    assert not inbox.run(second).success
    for _ in range(3):
        assert inbox.look() == []
    assert "would be replaced" in inbox.said and "autophagy ingest --replace" in inbox.said
    confirmed = second.run_config["ops"]["ingest_images"]["config"] | {"replace": True}
    again = dg.RunRequest(
        run_config={"ops": {"ingest_images": {"config": confirmed}}}, tags=second.tags
    )
    assert inbox.run(again).success
    assert inbox.look() == [] and inbox.said == "friday: ingested."


def test_a_submission_that_changed_after_it_was_asked_for_is_not_ingested_half(store, inbox):
    folder = inbox.put()
    inbox.look()
    (request,) = inbox.look()
    cell("FOV", "FOV9")(folder)
    assert inbox.run(request).success
    assert inbox.instance.get_dynamic_partitions("sample") == []
    assert inbox.look() == []


def test_a_bad_field_is_excluded_and_the_others_are_ingested(store, inbox):
    folder = inbox.put(fields=(FIELD, *OTHERS))
    image(truncate)(folder)
    inbox.look()
    (request,) = inbox.look()
    assert inbox.run(request).success
    assert len(inbox.instance.get_dynamic_partitions("sample")) == 2


@pytest.mark.parametrize(
    ("error", "attempts"), [(OSError("no route to the file server"), 3), (InputError("bad."), 1)]
)
def test_what_may_pass_is_tried_again_and_bad_data_are_not(
    store, inbox, monkeypatch, error, attempts
):
    from autophagy_assets.registry.ingest import ingest as module

    tried = []

    def fail(*_: object) -> None:
        tried.append(error)
        raise error

    monkeypatch.setattr(module, "ingest", fail)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # nobody waits for the backoff
    inbox.put()
    inbox.look()
    (request,) = inbox.look()
    assert not inbox.run(request).success
    assert len(tried) == attempts
