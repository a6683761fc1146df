"""Connecting: an embedded store on first use, or the user's instance where one is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db.transaction import atomic, set_rollback
from lamindb_setup.core._settings_instance import is_local_db_url

from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store import instance
from autophagy_assets.registry.store.bucket import Bucket
from autophagy_assets.registry.store.instance import writing
from autophagy_assets_tests.object_store import ENVIRONMENT
from autophagy_assets_tests.registry.records import rows


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block has registered."""
    with atomic():
        yield
        set_rollback(True)


LOOK = """
import json, os
from autophagy_assets.registry.store.instance import connect, storage_root
ln = connect()
print(json.dumps({
    "instance": ln.setup.settings.instance.slug,
    "root": str(storage_root()),
    "labels": sorted(ln.ULabel.filter().values_list("name", flat=True)),
    "uid": ln.setup.settings.instance.uid,
}))
"""
LABEL = """
import json
from autophagy_assets.registry.store.instance import writing
from autophagy_assets.registry.store.labels import find_label
with writing() as ln:
    find_label(ln, "made in the first process")
print("null")
"""


def test_a_block_that_fails_leaves_nothing(store):
    before = rows()
    with pytest.raises(RuntimeError), writing() as ln:
        ln.ULabel(name="of a block that failed").save()
        raise RuntimeError
    assert rows() == before


@pytest.mark.slow
def test_the_embedded_store_is_made_once_and_only_below_the_home(run_script, tmp_path):
    home = tmp_path / "home"
    run_script(LABEL, home=home)
    found = run_script(LOOK, home=home)
    assert found["instance"].endswith("/autophagy")
    assert found["labels"] == ["made in the first process"]
    assert Path(found["root"]) == home / "store"
    assert [p.name for p in tmp_path.iterdir()] == ["home"], "something was left where it ran"


@pytest.mark.slow
def test_the_users_own_instance_is_the_store_where_one_is_named(run_script, tmp_path):
    settings = tmp_path / "users"
    init = (
        "import lamindb_setup, sys; lamindb_setup.init(storage=sys.argv[1], name='ours',"
        " _write_settings=False); from lamindb_setup import settings;"
        " settings.instance._persist(write_to_disk=True, write_current_instance_file=False);"
        " print('null')"
    )
    run_script(init, tmp_path / "own", LAMIN_SETTINGS_DIR=str(settings))
    users = {"LAMIN_SETTINGS_DIR": str(settings), "LAMIN_CURRENT_INSTANCE": "ours"}
    found = run_script(LABEL + LOOK, **users)
    assert found["instance"].endswith("/ours")
    assert Path(found["root"]) == tmp_path / "own"
    assert found["labels"] == ["made in the first process"]
    assert not (tmp_path / "home" / "store").exists()


def test_a_bucket_beside_the_users_own_instance_is_refused(isolated, tmp_path):
    isolated.setenv("AUTOPHAGY_HOME", str(tmp_path / "home"))
    isolated.setenv("AUTOPHAGY_STORAGE", "s3://lab/screens")
    isolated.setenv("LAMIN_CURRENT_INSTANCE", "lab/ours")
    with pytest.raises(InputError, match="your LaminDB instance lab/ours has a storage of its own"):
        instance.connect.__wrapped__()


@pytest.mark.slow
def test_a_bucket_is_of_one_store_and_another_is_refused(
    store, object_store, monkeypatch, tmp_path
):
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    ours = Bucket(object_store.address("lab", "ours"))
    for _ in range(2):  # the second time as after a kill in between
        with undone():
            for _ in range(2):
                instance._claim(store, ours, Home.locate())
            assert store.Storage.filter(root=ours.address).count() == 1
    with undone(), pytest.raises(InputError, match="s3://lab/ours/ keeps the files of another"):
        instance._claim(store, ours, Home(tmp_path))
    assert not store.Storage.filter(root=ours.address).exists()


def test_a_database_for_which_lamindb_wants_a_login_is_refused_in_one_sentence(isolated, tmp_path):
    isolated.setenv("LAMIN_SETTINGS_DIR", str(tmp_path))
    isolated.setenv("AUTOPHAGY_DATABASE_URL", "postgresql://me:secret@db.lab:5432/lab")
    with pytest.raises(InputError, match="on another machine") as refused:
        instance._create_embedded(Home(tmp_path / "home"))
    assert "secret" not in str(refused.value)
    for near in ("127.0.0.1:5432", "localhost:5432"):
        assert is_local_db_url(f"postgresql://me@{near}/lab")
        assert re.search(instance._NEAR, f"postgresql://me@{near}/lab")


def test_a_source_that_cannot_be_read_is_reported_in_one_sentence(run_script):
    script = """
import json
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.instance import source
try:
    source()
except InputError as error:
    print(json.dumps(str(error)))
"""
    message = run_script(script, AUTOPHAGY_SOURCE="nobody/nothing")
    assert message.startswith(
        "AUTOPHAGY_SOURCE=nobody/nothing: this LaminDB instance cannot be read"
    )
    assert "LAMIN_SETTINGS_DIR" in message
    assert "\n" not in message


def test_a_source_that_is_the_store_itself_is_refused_in_one_sentence(run_script):
    script = """
import json, os
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.instance import connect, source
name = os.environ["AUTOPHAGY_SOURCE"] = connect().setup.settings.instance.slug
try:
    source()
except InputError as error:
    print(json.dumps([name, str(error)]))
"""
    name, message = run_script(script)
    assert message.startswith(f"AUTOPHAGY_SOURCE={name}: this is the LaminDB instance of ")
    assert "unset AUTOPHAGY_SOURCE" in message and "\n" not in message
