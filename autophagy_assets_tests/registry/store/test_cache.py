"""Local copies of a bucket: no more than are allowed, and none that is in use is deleted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from autophagy_assets.registry.store import cache, processes
from autophagy_assets.registry.store.files import TEMPORARY

SIZE = 1_000


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of copies, of which four are allowed."""
    monkeypatch.setattr(cache, "_added", float("inf"))
    monkeypatch.setenv("AUTOPHAGY_CACHE_GB", str(4 * SIZE / 1e9))
    cache.release()
    return tmp_path


def copy(root: Path, number: int, used: float, folder: bool = False) -> Path:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    path = root / "group" / f"{sha256}{'.zarr' if folder else '.x'}"
    place = path / "a" / "b" if folder else path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"x" * SIZE)
    os.utime(path, (used, used))
    return path


def test_nothing_is_thrown_away_while_there_is_room(root):
    copies = [copy(root, number, number) for number in range(4)]
    cache.make_room(root, SIZE)
    assert all(path.exists() for path in copies)


def test_those_used_longest_ago_go_first_files_and_folders(root):
    copies = [copy(root, number, number, folder=number % 2 == 0) for number in range(6)]
    cache.make_room(root, SIZE)
    assert [path.exists() for path in copies] == [False] * 3 + [True] * 3
    assert not list(root.rglob(f"{TEMPORARY}*"))


def test_what_was_used_just_now_stays(root):
    copies = [copy(root, number, number) for number in range(5)]
    cache.hold(copies[0])
    cache.release()
    cache.make_room(root, SIZE)
    assert [path.exists() for path in copies] == [True, False, False, True, True]


def test_what_a_living_process_holds_stays_and_what_a_dead_one_held_does_not(root):
    copies = [copy(root, number, number) for number in range(6)]
    cache.hold(copies[0])
    cache.hold(copies[1])
    dead = cache._folder() / "elsewhere-1-1-deadbeef"
    dead.write_text(f"{copies[2].name}\n")
    os.utime(copies[0], (0, 0))
    os.utime(copies[1], (0, 0))
    cache.make_room(root, SIZE)
    assert [path.exists() for path in copies] == [True, True, False, False, False, True]
    assert not dead.exists()
    cache.release()
    assert not (cache._folder() / processes.announce()).exists()


def test_more_than_is_allowed_is_held_where_a_step_needs_it(root):
    copies = [copy(root, number, number) for number in range(8)]
    for path in copies:
        cache.hold(path)
    cache.make_room(root, SIZE)
    assert all(path.exists() for path in copies)
    cache.release()


def test_what_has_no_hash_as_its_name_is_not_touched(root):
    others = [root / "group" / name for name in ("notes.txt", f"{TEMPORARY}half.x")]
    copies = [copy(root, number, number) for number in range(8)]
    for other in others:
        other.write_bytes(b"x" * SIZE * 9)
    cache.make_room(root, SIZE)
    assert all(other.exists() for other in others)
    assert sum(path.exists() for path in copies) == 3
