"""Files that are as recorded are not hashed, or only once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autophagy_assets.registry.consistency.damage import (
    CHANGED,
    damaged,
)
from autophagy_assets.registry.store import files
from autophagy_assets_tests.given import outsider
from autophagy_assets_tests.registry.consistency.stored import (
    flip,
    put,
    write_file,
    write_zarr,
)


def test_what_was_just_registered_is_as_recorded_and_not_hashed(file, zarr, hashed):
    assert damaged([file[0], zarr[0]]) == {}
    assert hashed == []


@pytest.mark.parametrize("kind", ["file", "zarr"])
def test_a_touched_file_that_is_as_recorded_is_hashed_once(request, hashed, kind):
    uid, path = request.getfixturevalue(kind)
    for touched in [path, *path.rglob("*")]:
        os.utime(touched)
    assert damaged([uid]) == {}
    assert hashed
    hashed.clear()
    assert damaged([uid]) == {}
    assert hashed == []
    flip(path / "images/c/0" if kind == "zarr" else path)
    assert damaged([uid]) == {uid: CHANGED}


def test_content_that_is_made_again_is_hashed_once(store, hashed):
    recorder, key = outsider(), "damage/again/data.x"
    uid = recorder.put(write_file, key, "data", {}).record.uid
    recorder.finish()
    recorder = outsider()
    assert recorder.put(write_file, key, "data", {}).record.uid == uid
    recorder.finish()
    for times in (1, 0):
        hashed.clear()
        assert damaged([uid]) == {}
        assert len(hashed) == times


def test_a_file_that_changes_while_it_is_hashed_is_not_dated_back(file, monkeypatch):
    uid, path = file
    verify = files.verify

    def meanwhile(place: Path, *rest: str) -> None:
        verify(place, *rest)
        flip(place)

    os.utime(path)
    with monkeypatch.context() as patch:
        patch.setattr(files, "verify", meanwhile)
        damaged([uid])
    assert damaged([uid]) == {uid: CHANGED}


def test_two_thousand_untouched_artifacts_are_not_hashed(store, hashed):
    """As many rows as that, each a file or a folder, but few of them registered the slow way."""
    uids = put(*[write_file, write_zarr] * 4)
    rows = list(store.Artifact.filter(uid__in=uids))
    copies = []
    for number in range(2_000 // len(rows)):
        for row in rows:
            copy = type(row).objects.get(pk=row.pk)
            copy.pk, copy._state.adding = None, True
            copy.uid, copy.key = f"{number:04d}{row.uid[4:]}", f"{number}/{row.key}"
            copies.append(copy)
    type(rows[0]).objects.bulk_create(copies)
    uids = [copy.uid for copy in copies]
    store.Artifact.filter(uid__in=uids).update(created_at=rows[-1].created_at)
    hashed.clear()
    try:
        assert len(set(uids)) == 2_000
        assert damaged(uids) == {}
        assert hashed == []
    finally:
        type(rows[0]).objects.filter(uid__in=uids)._raw_delete("default")
