"""What is set wrong is told in one sentence that names the variable, and no secret."""

from __future__ import annotations

import pytest

from autophagy_assets.config import settings
from autophagy_assets.errors import InputError

READ = {
    "AUTOPHAGY_AUTOMATE": settings.automate,
    "AUTOPHAGY_INBOX": settings.inbox,
    "AUTOPHAGY_NIGHTLY": settings.nightly,
    "AUTOPHAGY_TIMEZONE": settings.timezone,
    "AUTOPHAGY_UI_URL": settings.ui_url,
    "AUTOPHAGY_WATCH_SECONDS": settings.watch_seconds,
    "AUTOPHAGY_WEBHOOK": settings.webhook,
}
DEFAULTS = dict.fromkeys(READ) | {
    "AUTOPHAGY_AUTOMATE": False,
    "AUTOPHAGY_TIMEZONE": "UTC",
    "AUTOPHAGY_WATCH_SECONDS": 60,
}


@pytest.mark.parametrize("variable", READ)
def test_nothing_has_to_be_set(monkeypatch, variable):
    monkeypatch.delenv(variable, raising=False)
    assert READ[variable]() == DEFAULTS[variable]
    monkeypatch.setenv(variable, "")
    assert READ[variable]() == DEFAULTS[variable]


@pytest.mark.parametrize(
    ("variable", "told", "value"),
    [
        ("AUTOPHAGY_AUTOMATE", "1", True),
        ("AUTOPHAGY_AUTOMATE", "Yes", True),
        ("AUTOPHAGY_AUTOMATE", "off", False),
        ("AUTOPHAGY_NIGHTLY", " 30 3 * * 1-5 ", "30 3 * * 1-5"),
        ("AUTOPHAGY_TIMEZONE", "Europe/Vienna", "Europe/Vienna"),
        ("AUTOPHAGY_UI_URL", "https://lab.example/dagster/", "https://lab.example/dagster"),
        ("AUTOPHAGY_WATCH_SECONDS", "5", 5),
        ("AUTOPHAGY_WEBHOOK", "https://hooks.example/T/secret", "https://hooks.example/T/secret"),
    ],
)
def test_what_is_set_is_used(monkeypatch, variable, told, value):
    monkeypatch.setenv(variable, told)
    assert READ[variable]() == value


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("AUTOPHAGY_AUTOMATE", "perhaps"),
        ("AUTOPHAGY_INBOX", "drops/here"),
        ("AUTOPHAGY_NIGHTLY", "every night"),
        ("AUTOPHAGY_NIGHTLY", "1"),
        ("AUTOPHAGY_NIGHTLY", "0 25 * * *"),
        ("AUTOPHAGY_NIGHTLY", "0 2 * * * *"),
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
    ],
)
def test_what_is_set_wrong_is_told_in_one_sentence(monkeypatch, variable, told):
    monkeypatch.setenv(variable, told)
    with pytest.raises(InputError) as raised:
        READ[variable]()
    message = str(raised.value)
    assert message.startswith(variable) and message.endswith(".") and "\n" not in message
    if variable == "AUTOPHAGY_WEBHOOK":
        assert told.partition("://")[2] not in message or told == "https://"
