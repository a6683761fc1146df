"""A home whose files are in a bucket: the same content, the same laws as with a folder."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from autophagy_assets_tests.object_store import ENVIRONMENT, ObjectStore
from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.tiny import ASSETS, write_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(object_store: ObjectStore) -> str:
    return object_store.address("lab", "tiny")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, address: str) -> Iterator[ForkServer]:
    """A home on a bucket with everything made."""
    server = ForkServer(tmp_path_factory.mktemp("bucket"), AUTOPHAGY_STORAGE=address, **ENVIRONMENT)
    made(server)
    yield server
    server.end()


@pytest.fixture(autouse=True)
def line(object_store: ObjectStore) -> Iterator[None]:
    """A line to the bucket that works again after each test."""
    yield
    object_store.go_wrong("", 0)


def made(server: ForkServer) -> None:
    write_study(server.folder / "study.yaml", 1)
    assert call(server, "refresh") == {}


def call(home: ForkServer, function: str, **more: Any) -> Any:
    return home.call("bucketed", function, **more)[0]


def objects(store: ObjectStore) -> dict[str, int]:
    """Size of every object, by its key in the storage of LaminDB."""
    found = store.client.list_objects_v2(Bucket="lab", Prefix="tiny/").get("Contents", [])
    return {item["Key"].removeprefix("tiny/"): item["Size"] for item in found}


def test_everything_has_the_hash_that_it_has_in_a_folder_and_comes_back_from_the_bucket_alone(
    home, address, object_store, tmp_path
):
    local = ForkServer(tmp_path / "local")
    made(local)
    in_a_folder = call(local, "look")
    local.end()
    records = call(home, "records")
    assert {record["root"] for record in records} == {address}
    assert [record for record in records if record["fault"]] == []
    there = objects(object_store)
    assert [r for r in records if not any(key.startswith(r["object"]) for key in there)] == []
    call(home, "forget_copies")
    in_the_bucket = call(home, "look")
    assert in_the_bucket == in_a_folder
    assert in_the_bucket["faults"] == [] and len(in_the_bucket["hashes"]) == len(ASSETS)


def test_writers_of_the_same_content_at_once_leave_one_artifact_and_one_object(home, object_store):
    answers = home.call("bucketed", "write", 4, at=time.time() + 1, size=50_000)
    assert len({answer["uid"] for answer in answers}) == 1
    mine = [record for record in call(home, "records") if record["key"] == "races/same.x"]
    assert len(mine) == 1 and mine[0]["fault"] is None
    assert [size for key, size in objects(object_store).items() if "races" in key] == [50_000]


def test_a_bucket_that_is_away_and_a_kill_in_mid_upload_leave_nothing_and_are_made_good(
    home, object_store, tmp_path
):
    write_study(home.folder / "study.yaml", 3)
    before = call(home, "records"), objects(object_store)
    object_store.go_wrong("away")
    (seen,) = home.call("outage", "refresh")
    assert "does not answer as it should" in seen["said"] and "refresh again" in seen["said"]
    object_store.go_wrong("stalled", 1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, home, "refresh", pid_file=str(tmp_path / "pid"))
        assert object_store.stalled.wait(60)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        assert os.WTERMSIG(answer.result()["died"]) == signal.SIGKILL
    assert (call(home, "records"), objects(object_store)) == before
    repaired = home.ask("repair", reconcile_first=False)
    assert repaired["errors"] == {}
    assert repaired["after"]["faults"] == [] and repaired["late"]["left"] == []


def test_damaged_objects_are_found_refused_and_made_again(home, object_store):
    time.sleep(1.1)  # servers date in whole seconds
    damaged = {}
    for ending in ("cells.parquet", "picture.png", "page.html"):
        record = next(r for r in call(home, "records")[::-1] if r["key"].endswith(ending))
        place = {"Bucket": "lab", "Key": f"tiny/{record['object']}"}
        content = object_store.client.get_object(**place)["Body"].read()
        damaged[record["uid"]] = place, content
        if ending == "cells.parquet":
            object_store.client.delete_object(**place)
        else:
            wrong = content[:-9] if ending == "picture.png" else content[:-1] + b"?"
            object_store.client.put_object(**place, Body=wrong)
    assert {r["uid"] for r in call(home, "records") if r["fault"]} == damaged.keys()
    call(home, "forget_copies")
    refused = [call(home, "read", uid=uid) for uid in damaged]
    assert "is gone; put the recorded one back" in refused[0]
    assert all("is not the file that was recorded" in said for said in refused[1:])
    assert call(home, "refresh") == {}
    for place, content in damaged.values():
        assert object_store.client.get_object(**place)["Body"].read() == content
    assert [record for record in call(home, "records") if record["fault"]] == []
