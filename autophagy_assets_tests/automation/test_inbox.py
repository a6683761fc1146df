"""The inbox: every state of a submission, what people read of it, and when it is asked for."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.automation.inbox import CONTENT_TAG, read_cursor
from autophagy_assets.automation.submissions import SubmissionState, submission_folder
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.automation.inbox_folder import ONE
from autophagy_assets_tests.registry.image_folder import (
    BAD_METADATA,
    FIELD,
    OTHERS,
    cell,
    write_images,
)

pytestmark = pytest.mark.slow


def test_without_an_inbox_it_says_which_variable_to_set(inbox, monkeypatch):
    monkeypatch.delenv("AUTOPHAGY_INBOX")
    assert inbox.look() == [] and "set AUTOPHAGY_INBOX" in inbox.said


def test_an_inbox_that_is_away_is_reported_and_what_was_known_is_kept(inbox):
    inbox.put()
    inbox.look()
    before = inbox.cursor
    inbox.folder.rename(inbox.folder.with_name("away"))
    assert inbox.look() == []
    assert str(inbox.folder) in inbox.said and "No such file" in inbox.said
    assert inbox.cursor in (None, before)


def test_an_inbox_is_not_used_where_images_are_read_from_elsewhere(inbox, monkeypatch):
    inbox.put()
    monkeypatch.setenv("AUTOPHAGY_SOURCE", "somebody/else")
    for _ in range(3):
        assert inbox.look() == [] and "unset AUTOPHAGY_SOURCE" in inbox.said


def test_an_empty_inbox_is_empty(inbox):
    (inbox.folder / ".friday.partial").mkdir()
    assert inbox.look() == [] and inbox.said == f"{inbox.folder} is empty."


def test_files_outside_of_a_folder_are_reported(inbox):
    (inbox.folder / "DAPI.tif").write_text("x")
    assert inbox.look() == [] and "1 files lie outside of any folder" in inbox.said


def test_a_complete_submission_is_asked_for_at_the_second_look_and_never_again(inbox):
    inbox.put()
    assert inbox.look() == []
    assert inbox.said.startswith("friday: complete; ")
    (request,) = inbox.look()
    assert request.run_key == request.tags[CONTENT_TAG] and len(request.run_key) == 32
    for _ in range(3):
        assert inbox.look() == []
    assert inbox.said == "friday: its ingest was requested."


def test_a_folder_whose_name_is_not_utf_8_is_said_and_holds_up_no_other(inbox):
    """Dagster could not record its run, and the look would fail again and again."""
    inbox.put("friday").rename(inbox.folder / os.fsdecode(b"M\xfcller"))
    inbox.put("monday")
    assert inbox.look() == [] and inbox.names() == ["monday"]
    assert inbox.look() == [] and "is not in UTF-8; rename the folder" in inbox.said
    assert inbox.said.encode()


def test_a_growing_submission_is_left_alone_until_it_rests(inbox):
    folder = inbox.put()
    file = folder / "images" / "0_DAPI.tif"
    whole = file.read_bytes()
    for end in (10, 100, len(whole)):
        file.write_bytes(whole[:end])
        assert inbox.look() == [] and inbox.said.startswith("friday: complete; ")
    assert inbox.names() == ["friday"]


def test_a_change_of_time_alone_is_a_change(inbox):
    folder = inbox.put()
    inbox.look()
    os.utime(folder / "images" / "0_DAPI.tif", (1, 1))
    assert inbox.look() == []
    assert inbox.names() == ["friday"]


@pytest.mark.parametrize("name", BAD_METADATA)
def test_broken_metadata_is_reported_and_the_other_submissions_go_on(inbox, name):
    change, words = BAD_METADATA[name]
    change(inbox.put("broken", (FIELD, *OTHERS)))
    inbox.put("whole")
    inbox.look()
    assert inbox.names() == ["whole"]
    inbox.look()
    (line,) = [line for line in inbox.said.splitlines() if line.startswith("broken: ")]
    for word in words:
        assert word in line
    assert len(inbox.said.splitlines()) == 2, "one line for each submission"


def test_an_image_that_is_named_and_missing_is_waited_for(inbox):
    folder = inbox.put(fields=(FIELD, *OTHERS))
    files = sorted((folder / "images").iterdir())
    aside = inbox.folder.parent / "aside"
    aside.mkdir()
    for file in files[:5]:
        shutil.move(file, aside)
    for _ in range(3):
        assert inbox.look() == []
    assert f"5 of the {len(files)} images" in inbox.said and "and 2 more" in inbox.said
    for file in files[:5]:
        shutil.move(aside / file.name, file)
    assert inbox.look() == []
    assert inbox.names() == ["friday"]


@pytest.mark.parametrize("what", ["submission", "metadata", "image", "folder of images"])
def test_a_link_out_of_the_inbox_is_not_followed(inbox, tmp_path, what):
    folder = inbox.put()
    outside = tmp_path / "outside"
    linked = {
        "submission": folder,
        "metadata": folder / "metadata_files.csv",
        "image": folder / "images" / "0_DAPI.tif",
        "folder of images": folder / "images",
    }[what]
    linked.rename(outside)
    linked.symlink_to(outside)
    for _ in range(3):
        assert inbox.look() == []
    assert "is a link" in inbox.said or "leaves the folder" in inbox.said


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/b", "/etc", "gone", "file"])
def test_only_a_folder_in_the_inbox_is_a_submission(inbox, name):
    (inbox.folder / "file").write_text("x")
    (inbox.folder / "a" / "b").mkdir(parents=True)
    with pytest.raises(InputError):
        submission_folder(inbox.folder, name)


def test_a_submission_that_may_not_be_read_is_reported(inbox, monkeypatch):
    """As root reads everything, what a user would meet is made up."""
    inbox.put("private")
    inbox.put("whole")
    walk = os.walk

    def refuse(folder):
        if Path(folder).name == "private":
            raise PermissionError(13, "Permission denied")
        return walk(folder)

    monkeypatch.setattr(os, "walk", refuse)
    inbox.look()
    assert inbox.names() == ["whole"]
    inbox.look()
    assert "private: it cannot be read (Permission denied); see that" in inbox.said


def test_a_submission_that_is_put_back_as_it_was_is_ingested_again(inbox):
    """What is registered is then what another version had."""
    folder = inbox.put()
    shutil.copytree(folder, inbox.folder.parent / "before")
    keys = []
    for source in (None, "new", "before"):
        if source == "new":
            cell("magnification", "40X")(folder)
        elif source:
            shutil.rmtree(folder)
            shutil.copytree(inbox.folder.parent / source, folder)
        inbox.look()
        keys += [request.run_key for request in inbox.look()]
    assert len(set(keys)) == 3 and keys[2] == f"{keys[0]}-2"


def test_what_the_metadata_does_not_name_is_no_change(store, inbox):
    folder = inbox.put()
    inbox.look()
    inbox.look()
    (folder / "Thumbs.db").write_text("x")
    assert inbox.look() == [] and inbox.look() == []


def test_many_submissions_are_looked_at_bit_by_bit(inbox, monkeypatch):
    """A look is short, and each submission has its turn: a sensor that takes long is stopped."""
    from autophagy_assets.automation import submissions as module

    for number in range(4):
        inbox.put(f"submission{number}")
    clock = itertools.count()
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    known: dict[str, SubmissionState] = {}
    ready: list[str] = []
    for _ in range(60):
        submissions = module.find_submissions(inbox.folder, inbox.study, known, seconds=2.5)
        assert sum(submission.reason == module._WAITS for submission in submissions) <= 2
        known = {submission.name: submission.state for submission in submissions}
        ready += [submission.name for submission in submissions if submission.ready]
    assert sorted(ready) == [f"submission{number}" for number in range(4)]


@given(st.text() | st.dictionaries(st.text(), st.text() | st.none()).map(str))
def test_a_cursor_of_another_kind_is_no_harm(cursor):
    assert all(isinstance(state, SubmissionState) for state in read_cursor(cursor).values())


EVENTS = st.lists(st.sampled_from(["grow", "shrink", "touch", "remove", "restore", "look"]))


@given(EVENTS)
def test_whatever_happens_it_is_asked_for_once_and_only_at_rest(tmp_path_factory, events):
    """A submission is asked for when two looks in a row see the same complete content anew."""
    from autophagy_assets.automation.submissions import find_submissions

    folder = tmp_path_factory.mktemp("any")
    study = Study.load()
    write_images(folder / "submission", study, ONE)
    file = folder / "submission" / "images" / "0_DAPI.tif"
    whole, clock = file.read_bytes(), itertools.count(1)
    known: dict[str, SubmissionState] = {}
    last, asked = None, set()
    for event in [*events, "restore", "look", "look", "look"]:
        if event == "look":
            (submission,) = find_submissions(folder, study, known)
            known = {submission.name: submission.state}
            now = (file.stat().st_size, file.stat().st_mtime_ns) if file.exists() else None
            latest = submission.state.key if submission.ready else None
            assert not submission.ready or (now is not None and now == last)
            assert latest is None or latest not in asked
            asked |= {latest} - {None}
            last = now
        elif event == "remove":
            file.unlink(missing_ok=True)
        elif event == "restore" or not file.exists():
            file.write_bytes(whole)
            os.utime(file, (0, 0))
        elif event == "touch":
            os.utime(file, (next(clock), 0))
        else:
            file.write_bytes(file.read_bytes() + b"x" if event == "grow" else b"x")
            os.utime(file, (next(clock), 0))
    assert asked, "at rest and complete, so it has been asked for"
