"""A bucket: objects are there whole or not at all, by their hash, whoever puts them when."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.errors import InputError, IntegrityError, StoreAwayError
from autophagy_assets.registry.store import bucket as module
from autophagy_assets.registry.store import parts
from autophagy_assets.registry.store.bucket import Bucket
from autophagy_assets.registry.store.files import measure
from autophagy_assets.registry.store.objects import content_hash, download, find, grouped, upload
from autophagy_assets_tests.object_store import ENVIRONMENT, ObjectStore

pytestmark = pytest.mark.slow  # starts a server

NAME = "lab"


@pytest.fixture
def lab(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A prefix with nothing in it, and a line to it that works."""
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    object_store.go_wrong("", 0)
    address = object_store.address(NAME, tmp_path.name)
    yield Bucket(address)
    object_store.go_wrong("", 0)
    object_store.require_rights(False)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def raw(lab: Bucket, key: str) -> dict[str, Any]:
    """Where an object is, for another program."""
    return {"Bucket": NAME, "Key": lab.uri(key).removeprefix(f"s3://{NAME}/")}


@pytest.mark.parametrize("of", [{"": b"cells"}, {"a.b": b"1", "a/b": b"2", "a/ü c": b""}])
def test_what_was_put_comes_back_with_its_hash(lab, tmp_path, of):
    source = tmp_path / "given"
    if "" in of:
        source.write_bytes(of[""])
    else:
        written(source, of)
    sha256, size = measure(source)
    name = f"group/{sha256}.x"
    for _ in range(2):  # putting it again changes nothing
        upload(lab, source, name, sha256)
    found = find(lab, name)
    assert sum(entry.size for entry in found.values()) == size
    assert content_hash(lab, name, found) == sha256
    assert grouped(lab.list()) == {name: found}
    download(lab, name, tmp_path / "back")
    assert measure(tmp_path / "back") == (sha256, size)


def test_an_object_that_is_right_is_not_replaced_and_another_one_is(lab, object_store, tmp_path):
    given = tmp_path / "given"
    given.write_bytes(b"cells")
    sha256, _ = measure(given)
    place = raw(lab, "one")
    lab.put("one", given, sha256)
    client = object_store.client
    client.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "first", "Value": "yes"}]})
    lab.put("one", given, sha256)
    assert client.get_object_tagging(**place)["TagSet"], "it was put again"
    for wrong in (b"cellz", b"cell", b""):
        client.put_object(**place, Body=wrong)
        assert lab.sha256("one") != sha256
        lab.put("one", given, sha256)
        assert client.get_object(**place)["Body"].read() == b"cells"


def test_what_somebody_adds_to_a_folder_or_takes_from_it_is_put_right(lab, object_store, tmp_path):
    folder = written(tmp_path / "given", {"a": b"1", "b/c": b"2"})
    sha256, _ = measure(folder)
    name = f"{sha256}.zarr"
    upload(lab, folder, name, sha256)
    client = object_store.client
    client.put_object(**raw(lab, f"{name}/more"), Body=b"3")
    client.delete_object(**raw(lab, f"{name}/b/c"))
    assert content_hash(lab, name, find(lab, name)) != sha256
    upload(lab, folder, name, sha256)
    assert content_hash(lab, name, find(lab, name)) == sha256


def test_writers_of_the_same_content_all_succeed_and_one_object_is_there(lab, tmp_path):
    folder = written(tmp_path / "given", {"a": b"1" * 100_000, "b/c": b"2"})
    sha256, size = measure(folder)
    together = threading.Barrier(4)

    def write(_: int) -> None:
        together.wait()
        upload(lab, folder, f"{sha256}.zarr", sha256)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = find(lab, f"{sha256}.zarr")
    assert (len(found), sum(entry.size for entry in found.values())) == (2, size)


def test_a_bucket_belongs_to_whoever_claims_it_first(lab):
    assert lab.claim("mark", "mine") == "mine"
    assert lab.claim("mark", "yours") == "mine"


def test_an_upload_that_does_not_arrive_whole_leaves_no_object(lab, object_store, tmp_path):
    given = tmp_path / "given"
    given.write_bytes(b"cells" * 100_000)
    sha256, _ = measure(given)
    object_store.go_wrong("away")
    with pytest.raises(StoreAwayError, match="does not answer as it should"):
        lab.put("one", given, sha256)
    object_store.go_wrong("", 0)
    assert lab.list() == {}
    lab.put("one", given, sha256)
    assert lab.sha256("one") == sha256


def test_a_download_that_breaks_off_is_begun_again(lab, object_store, tmp_path):
    given = tmp_path / "given"
    given.write_bytes(b"cells" * 100_000)
    sha256, _ = measure(given)
    lab.put("one", given, sha256)
    object_store.go_wrong("broken off", 2)
    lab.get("one", tmp_path / "back")
    assert measure(tmp_path / "back")[0] == sha256
    object_store.go_wrong("broken off")
    with pytest.raises(StoreAwayError, match="does not answer as it should"):
        lab.get("one", tmp_path / "never")
    with pytest.raises(FileNotFoundError):
        lab.get("two", tmp_path / "never")


def test_a_listing_of_more_than_a_page_is_read_to_its_end(lab, object_store, monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 2)
    client = object_store.client
    for number in range(5):
        client.put_object(**raw(lab, f"{number}"), Body=b"")
    assert sorted(lab.list()) == ["0", "1", "2", "3", "4"]


def sentence(error: type[Exception], lab: Bucket, tmp_path: Path) -> str:
    given = tmp_path / "given"
    given.write_bytes(b"cells")
    with pytest.raises(error) as raised:
        lab.put("one", given, measure(given)[0])
    assert raised.value.__cause__ is None
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)
    return str(raised.value)


def test_credentials_that_have_expired_are_told_in_a_sentence(lab, object_store, tmp_path):
    object_store.go_wrong("expired")
    assert "the credentials have expired; renew them" in sentence(StoreAwayError, lab, tmp_path)


def test_a_bucket_without_rights_is_told_in_a_sentence(lab, object_store, tmp_path):
    object_store.require_rights(True)
    said = sentence(InputError, lab, tmp_path)
    assert "refuses put_object" in said
    assert "may list, read, put and delete" in said


def test_a_bucket_that_does_not_exist_is_told_in_a_sentence(lab, object_store, tmp_path):
    nowhere = Bucket(f"s3://nowhere/x?endpoint_url={object_store.endpoint}")
    assert "Bucket nowhere" in (said := sentence(InputError, nowhere, tmp_path))
    assert "does not exist; make it, or correct AUTOPHAGY_STORAGE" in said


def test_nobody_at_the_endpoint_is_told_in_a_sentence(lab, tmp_path):
    nobody = Bucket("s3://lab/x?endpoint_url=http://127.0.0.1:9")
    assert "see that it runs and can be reached" in sentence(StoreAwayError, nobody, tmp_path)


def test_missing_credentials_are_told_in_a_sentence(lab, monkeypatch, tmp_path):
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    module._client.cache_clear()
    try:
        assert "AWS_ACCESS_KEY_ID" in sentence(InputError, lab, tmp_path)
    finally:
        module._client.cache_clear()


def test_a_file_that_is_too_large_is_told_in_a_sentence(lab, monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "PART", 0)
    assert "a file in a bucket may have at most" in sentence(InputError, lab, tmp_path)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, str]:
    """A file of two parts, which have 5 MiB at least, and its hash."""
    monkeypatch.setattr(module, "LARGEST", part := 5 * 2**20)
    monkeypatch.setattr(parts, "PART", part)
    given = tmp_path / "large"
    given.write_bytes(bytes(range(256)) * (6 * 2**12))
    return given, measure(given)[0]


def uploads(lab: Bucket, object_store: ObjectStore) -> list[Any]:
    """What has been begun below a prefix and not ended."""
    begun = object_store.client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])
    return [one for one in begun if one["Key"].startswith(raw(lab, "")["Key"])]


def test_a_large_file_comes_back_with_its_hash_and_replaces_only_another_one(
    lab, object_store, large, tmp_path
):
    given, sha256 = large
    place, client = raw(lab, "one"), object_store.client
    lab.put("one", given, sha256)
    assert client.head_object(**place)["ETag"].endswith('-2"')
    assert lab.sha256("one") == sha256
    lab.get("one", tmp_path / "back")
    assert measure(tmp_path / "back")[0] == sha256
    client.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "first", "Value": "yes"}]})
    lab.put("one", given, sha256)
    assert client.get_object_tagging(**place)["TagSet"], "it was put again"
    client.put_object(**place, Body=b"another")
    lab.put("one", given, sha256)
    assert lab.sha256("one") == sha256
    assert uploads(lab, object_store) == []


def test_writers_of_the_same_large_file_all_succeed(lab, object_store, large):
    given, sha256 = large
    together = threading.Barrier(3)

    def write(_: int) -> None:
        together.wait()
        lab.put("one", given, sha256)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    assert lab.sha256("one") == sha256 and uploads(lab, object_store) == []


def test_a_large_upload_that_fails_or_is_of_a_changed_file_leaves_nothing(
    lab, object_store, large, monkeypatch
):
    given, sha256 = large
    with pytest.raises(IntegrityError, match="was changed while it was uploaded"):
        lab.put("one", given, "0" * 64)
    ask = lab._ask

    def away(operation: str, *expected: Any, **more: Any) -> Any:
        object_store.go_wrong("away" if operation == "upload_part" else "", 1)
        return ask(operation, *expected, **more)

    with monkeypatch.context() as patch:
        patch.setattr(lab, "_ask", away)
        with pytest.raises(StoreAwayError, match="does not answer as it should"):
            lab.put("one", given, sha256)
    assert lab.list() == {} and uploads(lab, object_store) == []
    lab.put("one", given, sha256)
    assert lab.sha256("one") == sha256
