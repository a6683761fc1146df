"""A damaged file is found, whatever was done to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from autophagy_assets.registry.consistency import damage
from autophagy_assets.registry.consistency.damage import (
    CHANGED,
    EMPTY,
    GONE,
    INCOMPLETE,
    UNKNOWN,
    UNREADABLE,
    damaged,
)
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets_tests.registry.consistency.stored import flip, put, write_file


def test_a_flipped_byte_of_a_file_of_the_same_size_is_found(file):
    uid, path = file
    flip(path)
    assert damaged([uid]) == {uid: CHANGED}


def test_paths_of_many_files_are_cached_and_their_state_is_not(store, monkeypatch):
    monkeypatch.setattr(damage, "_FEW_FILES", 1)
    uids = put(*[write_file] * 3)
    assert damaged(uids) == damaged(uids) == damaged(uids[:2]) == {}
    first, second = (fetch(uid)[0] for uid in uids[:2])
    flip(first)
    second.unlink()
    assert damaged(uids) == {uids[0]: CHANGED, uids[1]: GONE}
    more = [*uids[1:], *put(write_file, write_file)]
    assert damaged(more) == {uids[1]: GONE}


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), GONE),
        (lambda path: os.truncate(path, 0), EMPTY),
        (lambda path: os.truncate(path, 100), INCOMPLETE),
        (lambda path: path.write_bytes(path.read_bytes() + b" "), CHANGED),
    ],
)
def test_a_file_that_is_gone_or_of_another_size_is_found_without_hashing(
    file, hashed, damage, fault
):
    uid, path = file
    damage(path)
    assert damaged([uid]) == {uid: fault}
    assert hashed == []


def emptied(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def all_members_truncated(path: Path) -> None:
    for member in path.rglob("*"):
        if member.is_file():
            os.truncate(member, 0)


def moved(path: Path) -> None:
    (path / "images/c/0").rename(path / "images/c/1")


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (shutil.rmtree, GONE),
        (emptied, EMPTY),
        (all_members_truncated, EMPTY),
        (lambda path: (path / "images/zarr.json").unlink(), INCOMPLETE),
        (lambda path: (path / "images/c/1").write_bytes(b""), CHANGED),
        (lambda path: flip(path / "images/c/0"), CHANGED),
        (moved, CHANGED),
    ],
)
def test_a_damaged_zarr_is_found(zarr, damage, fault):
    uid, path = zarr
    damage(path)
    assert damaged([uid]) == {uid: fault}
    assert damaged([uid]) == {uid: fault}  # nothing was dated back


def test_a_member_that_is_swapped_for_another_of_its_size_and_dated_back_is_found(zarr):
    """Taking a file away and adding one changes the folder."""
    uid, path = zarr
    member = path / "images/c/0"
    stat = member.stat()
    member.unlink()
    (path / "images/c/1").write_bytes(b"other" * 50)
    os.utime(path / "images/c/1", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert damaged([uid]) == {uid: CHANGED}


def test_a_thorough_look_finds_a_flipped_byte_that_was_dated_back(file, zarr):
    for (uid, path), member in ((file, ""), (zarr, "images/c/0")):
        place = path / member if member else path
        stat = place.stat()
        flip(place)
        os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert damaged([uid]) == {}
        assert damaged([uid], thorough=True) == {uid: CHANGED}


def test_a_file_that_may_not_be_read_is_reported(file, monkeypatch):
    uid, path = file
    os.utime(path)
    path.unlink()
    path.symlink_to(path)  # not even root can follow it
    assert damaged([uid]) == {uid: UNREADABLE}


def test_an_artifact_that_is_not_registered_is_reported(file):
    unknown = "x" * 20
    assert damaged([file[0], unknown]) == {unknown: UNKNOWN}


@pytest.mark.parametrize("made", ["changed", "gone"])
def test_what_the_platform_has_not_written_is_looked_at_when_all_is(store, made):
    from autophagy_assets.registry.store.instance import storage_root

    path = storage_root() / f"by_hand_{made}.txt"
    path.write_text("1")
    artifact = store.Artifact(path, key=path.name, description="by hand").save()
    assert damaged([artifact.uid], thorough=True) == {}
    path.write_text("2")
    expected = {artifact.uid: CHANGED}
    if made == "gone":
        path.unlink()
        expected = {}
    assert damaged([artifact.uid]) == {}
    assert damaged([artifact.uid], thorough=True) == expected
