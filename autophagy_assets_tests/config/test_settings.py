"""What is set wrong is reported in one sentence that names the variable, and no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autophagy_assets.config import settings
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError
from autophagy_assets_tests.conftest import ROOT

# What is set for a while is put back as it was; a home that is named needs none of the demo.
KEPT_RAW = {"launcher.py": {"WORKERS_VARIABLE"}, "demo.py": {"HOME_VARIABLE"}}

READ = {
    "AUTOPHAGY_AUTOMATE": settings.automate,
    "AUTOPHAGY_COMPUTE": settings.compute,
    "AUTOPHAGY_CACHE_GB": settings.cache_bytes,
    "AUTOPHAGY_DATABASE_URL": settings.database,
    "AUTOPHAGY_HOME": settings.home_folder,
    "AUTOPHAGY_INBOX": settings.inbox,
    "AUTOPHAGY_NIGHTLY": settings.nightly,
    "AUTOPHAGY_SOURCE": settings.source,
    "AUTOPHAGY_STORAGE": settings.storage,
    "AUTOPHAGY_STUDY": settings.study_file,
    "AUTOPHAGY_TIMEZONE": settings.timezone,
    "AUTOPHAGY_UI_URL": settings.ui_url,
    "AUTOPHAGY_WATCH_SECONDS": settings.watch_seconds,
    "AUTOPHAGY_WEBHOOK": settings.webhook,
    "AUTOPHAGY_WORKERS": settings.workers,
}
DEFAULTS = dict.fromkeys(READ) | {
    "AUTOPHAGY_AUTOMATE": False,
    "AUTOPHAGY_CACHE_GB": 50e9,
    "AUTOPHAGY_HOME": Path(".autophagy"),
    "AUTOPHAGY_TIMEZONE": "UTC",
    "AUTOPHAGY_WATCH_SECONDS": 60,
}


@pytest.mark.parametrize("variable", READ)
def test_nothing_has_to_be_set(monkeypatch, variable):
    monkeypatch.delenv(variable, raising=False)
    assert READ[variable]() == DEFAULTS[variable]
    for empty in ("", " "):
        monkeypatch.setenv(variable, empty)
        assert READ[variable]() == DEFAULTS[variable]


@pytest.mark.parametrize(
    ("variable", "setting", "value"),
    [
        ("AUTOPHAGY_AUTOMATE", "1", True),
        ("AUTOPHAGY_AUTOMATE", "Yes", True),
        ("AUTOPHAGY_AUTOMATE", "off", False),
        ("AUTOPHAGY_COMPUTE", "tcp://head:8786", "tcp://head:8786"),
        ("AUTOPHAGY_COMPUTE", "tls://10.0.0.1:8786", "tls://10.0.0.1:8786"),
        ("AUTOPHAGY_COMPUTE", "/etc/slurm.yaml", "/etc/slurm.yaml"),
        (
            "AUTOPHAGY_DATABASE_URL",
            "postgresql://me:secret@db/lab",
            "postgresql://me:secret@db/lab",
        ),
        (
            "AUTOPHAGY_DATABASE_URL",
            "postgresql://me:se%2Fc@ret@127.0.0.1:5432/lab?connect_timeout=9",
            "postgresql://me:se%2Fc@ret@127.0.0.1:5432/lab?connect_timeout=9",
        ),
        ("AUTOPHAGY_HOME", "here", Path("here")),
        ("AUTOPHAGY_SOURCE", "lab/screens", "lab/screens"),
        ("AUTOPHAGY_CACHE_GB", "0.5", 5e8),
        ("AUTOPHAGY_STORAGE", "s3://lab/screens/one/", "s3://lab/screens/one"),
        (
            "AUTOPHAGY_STORAGE",
            "s3://lab/screens?endpoint_url=http://store:9000/",
            "s3://lab/screens?endpoint_url=http://store:9000",
        ),
        ("AUTOPHAGY_STUDY", "study.yaml", Path("study.yaml")),
        ("AUTOPHAGY_NIGHTLY", " 30 3 * * 1-5 ", "30 3 * * 1-5"),
        ("AUTOPHAGY_TIMEZONE", "Europe/Vienna", "Europe/Vienna"),
        ("AUTOPHAGY_UI_URL", "https://lab.example/dagster/", "https://lab.example/dagster"),
        ("AUTOPHAGY_WATCH_SECONDS", "5", 5),
        ("AUTOPHAGY_WEBHOOK", "https://hooks.example/T/secret", "https://hooks.example/T/secret"),
        ("AUTOPHAGY_WORKERS", "3", 3),
        ("AUTOPHAGY_WORKERS", "0", None),
    ],
)
def test_what_is_set_is_used(monkeypatch, variable, setting, value):
    monkeypatch.setenv(variable, setting)
    assert READ[variable]() == value


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("AUTOPHAGY_AUTOMATE", "perhaps"),
        ("AUTOPHAGY_COMPUTE", "kubernetes"),
        ("AUTOPHAGY_COMPUTE", "tcp://head"),
        ("AUTOPHAGY_COMPUTE", "http://head:8786"),
        ("AUTOPHAGY_COMPUTE", "slurm.yaml"),
        ("AUTOPHAGY_DATABASE_URL", "mysql://me:secret@db/lab"),
        ("AUTOPHAGY_HOME", "~nobody-of-that-name/lab"),
        ("AUTOPHAGY_INBOX", "submissions/here"),
        ("AUTOPHAGY_INBOX", "~nobody-of-that-name/drops"),
        ("AUTOPHAGY_NIGHTLY", "every night"),
        ("AUTOPHAGY_NIGHTLY", "1"),
        ("AUTOPHAGY_NIGHTLY", "0 25 * * *"),
        ("AUTOPHAGY_NIGHTLY", "0 2 * * * *"),
        ("AUTOPHAGY_SOURCE", "two words"),
        ("AUTOPHAGY_CACHE_GB", "0"),
        ("AUTOPHAGY_CACHE_GB", "inf"),
        ("AUTOPHAGY_STORAGE", "/data/files"),
        ("AUTOPHAGY_STORAGE", "gs://lab/screens"),
        ("AUTOPHAGY_STORAGE", "s3://lab//screens"),
        ("AUTOPHAGY_STORAGE", "s3://lab/my screens"),
        ("AUTOPHAGY_STORAGE", "s3://lab?region=eu"),
        ("AUTOPHAGY_STORAGE", "s3://lab?endpoint_url=store:9000"),
        ("AUTOPHAGY_TIMEZONE", "Middle/Earth"),
        ("AUTOPHAGY_TIMEZONE", "../etc/passwd"),
        ("AUTOPHAGY_TIMEZONE", "Europe"),
        ("AUTOPHAGY_UI_URL", "lab.example:3000"),
        ("AUTOPHAGY_WATCH_SECONDS", "0"),
        ("AUTOPHAGY_WATCH_SECONDS", "a minute"),
        ("AUTOPHAGY_WEBHOOK", "file:///etc/passwd"),
        ("AUTOPHAGY_WEBHOOK", "ftp://secret.example/x"),
        ("AUTOPHAGY_WEBHOOK", "https://"),
        ("AUTOPHAGY_WEBHOOK", "https://host:port/x"),
        ("AUTOPHAGY_WEBHOOK", "https://host/a b"),
        ("AUTOPHAGY_WEBHOOK", "https://[half/x"),
        ("AUTOPHAGY_WORKERS", "two"),
        ("AUTOPHAGY_WORKERS", "-1"),
        ("AUTOPHAGY_WORKERS", "1.5"),
    ],
)
def test_what_is_set_wrong_is_reported_in_one_sentence(monkeypatch, variable, setting):
    monkeypatch.setenv(variable, setting)
    with pytest.raises(InputError) as raised:
        READ[variable]()
    message = str(raised.value)
    assert message.startswith(f"{variable} is ") and message.endswith(".") and "\n" not in message
    if variable in ("AUTOPHAGY_WEBHOOK", "AUTOPHAGY_DATABASE_URL"):
        assert setting.partition("://")[2] not in message or setting == "https://"
        assert raised.value.__cause__ is None  # which repeats the value
    with pytest.raises(InputError, match=variable):
        settings.check()


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        # Signs that divide an address: the password would be taken for the name of the database.
        *(("AUTOPHAGY_DATABASE_URL", f"postgresql://me:se{sign}cret@db/lab") for sign in "/?#"),
        ("AUTOPHAGY_DATABASE_URL", "postgresql://me:12?cret@db/lab"),
        ("AUTOPHAGY_STORAGE", "s3://key:cret@lab/screens"),
        ("AUTOPHAGY_STORAGE", "s3://lab?endpoint_url=https://key:cret@store"),
        ("AUTOPHAGY_COMPUTE", "tcp://me:cret@head:8786"),
    ],
)
def test_a_password_in_the_wrong_place_is_refused_and_not_repeated(monkeypatch, variable, setting):
    monkeypatch.setenv(variable, setting)
    with pytest.raises(InputError, match=f"{variable} is set wrongly") as raised:
        READ[variable]()
    assert "cret" not in str(raised.value) and raised.value.__cause__ is None


def test_wrong_workers_are_refused_the_same_way_by_a_home_and_by_each_sample(isolated, tmp_path):
    # A home used to ignore what a step refused.
    isolated.setenv("AUTOPHAGY_WORKERS", "x")
    with pytest.raises(InputError, match="AUTOPHAGY_WORKERS is 'x'; set it to 1 or more"):
        Home(tmp_path).prepare()


def test_every_variable_of_the_platform_has_one_reader():
    # A setting that is read anywhere else is refused there in another way, or not at all.
    for file in sorted((ROOT / "autophagy_assets").rglob("*.py")):
        if file.name == "settings.py":
            continue
        found = set(re.findall(r"environ\.get\((\w+_VARIABLE|\"AUTOPHAGY\w+)", file.read_text()))
        assert found <= KEPT_RAW.get(file.name, set()), file
