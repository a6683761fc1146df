"""A stored file is there whole or not at all, named by its content, and refused when changed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.errors import IntegrityError
from autophagy_assets.registry.store import files


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_folder(members: dict[str, bytes]):
    def write(path: Path) -> None:
        for name, content in members.items():
            member = path / name
            member.parent.mkdir(parents=True, exist_ok=True)
            member.write_bytes(content)

    return write


@pytest.fixture(params=["file", "folder"])
def write(request):
    if request.param == "file":
        return lambda path: path.write_bytes(b"cells")
    return write_folder({"zarr.json": b"{}", "c/0": b"cells"})


def test_file_is_named_by_its_content(tmp_path):
    stored = files.put(lambda path: path.write_bytes(b"cells"), tmp_path / "t", ".parquet")
    sha256 = hashlib.sha256(b"cells").hexdigest()
    assert stored.path == tmp_path / "t" / f"{sha256}.parquet"
    assert stored.path.read_bytes() == b"cells"
    assert (stored.sha256, stored.size) == (sha256, 5)
    assert files.recorded_hash(stored.path) == sha256


def test_same_content_twice_is_one_file(tmp_path, write):
    first = files.put(write, tmp_path, ".x")
    before = everything_in(tmp_path)
    assert files.put(write, tmp_path, ".x") == first
    assert everything_in(tmp_path) == before


def test_another_content_leaves_the_first_where_it_is(tmp_path):
    first = files.put(lambda path: path.write_bytes(b"1"), tmp_path, ".x")
    second = files.put(lambda path: path.write_bytes(b"2"), tmp_path, ".x")
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"1", b"2")


def test_nothing_is_visible_while_it_is_written(tmp_path):
    seen = []

    def write(path: Path) -> None:
        path.write_bytes(b"half")
        seen.extend(p.name for p in tmp_path.iterdir() if not p.name.startswith(files.TEMPORARY))

    files.put(write, tmp_path, ".x")
    assert seen == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_write_that_fails_leaves_nothing(tmp_path, kind):
    def write(path: Path) -> None:
        if kind == "folder":
            path.mkdir()
            (path / "0").write_bytes(b"half")
        else:
            path.write_bytes(b"half")
        raise RuntimeError("segmentation failed")

    with pytest.raises(RuntimeError, match="segmentation failed"):
        files.put(write, tmp_path, ".x")
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_reported_with_what_to_do_and_leaves_nothing(tmp_path, code):
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError, match="disk is full: free some space below") as raised:
        files.put(write, tmp_path, ".x")
    assert raised.value.errno == code
    assert everything_in(tmp_path) == []


def test_disk_that_fails_when_the_file_is_made_durable_leaves_nothing(tmp_path, write, monkeypatch):
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        files.put(write, tmp_path, ".x")
    assert everything_in(tmp_path) == []


def test_every_file_is_made_durable_before_it_is_renamed(tmp_path, write, monkeypatch):
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        order.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        order.append("renamed")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    stored = files.put(write, tmp_path, ".x")
    before = [Path(name) for name in order[: order.index("renamed")]]
    written = [p for p in [stored.path, *stored.path.rglob("*")] if p.is_file()]
    assert {path.name for path in before if path.suffix != ".x"} >= {
        path.name for path in written if path != stored.path
    }
    assert any(path.parent == tmp_path for path in before)
    assert order[-1] == str(tmp_path)  # the folder, so that the new name survives a power cut


def test_a_folder_that_was_changed_in_its_place_is_put_right(tmp_path):
    write = write_folder({"a": b"1", "b": b"2"})
    stored = files.put(write, tmp_path, ".zarr")
    (stored.path / "a").write_bytes(b"tampered")
    assert files.put(write, tmp_path, ".zarr") == stored
    files.verify(stored.path, stored.sha256, "field")


def test_a_file_that_was_changed_in_its_place_is_put_right(tmp_path):
    stored = files.put(lambda path: path.write_bytes(b"cells"), tmp_path, ".x")
    stored.path.write_bytes(b"tampered")
    files.put(lambda path: path.write_bytes(b"cells"), tmp_path, ".x")
    files.verify(stored.path, stored.sha256, "cells")


def test_verify_accepts_what_is_as_it_was(tmp_path, write):
    stored = files.put(write, tmp_path, ".x")
    files.verify(stored.path, stored.sha256, "test_cells")


@pytest.mark.parametrize("change", ["flipped", "truncated", "longer", "gone"])
def test_verify_refuses_a_changed_file_and_says_what_to_do(tmp_path, change):
    stored = files.put(lambda path: path.write_bytes(b"cells"), tmp_path, ".x")
    if change == "gone":
        stored.path.unlink()
    else:
        content = {"flipped": b"cellt", "truncated": b"cell", "longer": b"cells "}[change]
        stored.path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"test_cells: .*materialize it again"):
        files.verify(stored.path, stored.sha256, "test_cells")


@pytest.mark.parametrize("change", ["content", "name", "more", "less"])
def test_verify_refuses_a_changed_folder(tmp_path, change):
    stored = files.put(write_folder({"a": b"1", "b/c": b"2"}), tmp_path, ".zarr")
    if change == "content":
        (stored.path / "b/c").write_bytes(b"3")
    elif change == "name":
        (stored.path / "a").rename(stored.path / "z")
    elif change == "more":
        (stored.path / "d").write_bytes(b"")
    else:
        (stored.path / "a").unlink()
    with pytest.raises(IntegrityError, match="not the one that was recorded"):
        files.verify(stored.path, stored.sha256, "field")


@pytest.mark.parametrize("name", ["table.parquet", "0" * 63 + ".x", "G" * 64 + ".x", ""])
def test_only_a_hash_counts_as_a_recorded_hash(name):
    assert files.recorded_hash(Path("folder") / name) == ""


members = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.binary(max_size=4), min_size=1, max_size=3
)


@settings(max_examples=40)
@given(one=members, other=members)
def test_folders_have_one_hash_exactly_when_they_hold_the_same(tmp_path_factory, one, other):
    place = tmp_path_factory.mktemp("laws")
    write_folder(one)(place / "one")
    write_folder(other)(place / "other")
    equal = files.measure(place / "one") == files.measure(place / "other")
    assert equal == (one == other)
