"""Settings of the automation: environment variables, read and checked in one place.

Where things are kept is in :mod:`autophagy_assets.config.home`, what a study is in its study file.
No message repeats a value that may hold a secret.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from autophagy_assets.errors import InputError

AUTOMATE_VARIABLE = "AUTOPHAGY_AUTOMATE"
INBOX_VARIABLE = "AUTOPHAGY_INBOX"
NIGHTLY_VARIABLE = "AUTOPHAGY_NIGHTLY"
TIMEZONE_VARIABLE = "AUTOPHAGY_TIMEZONE"
UI_URL_VARIABLE = "AUTOPHAGY_UI_URL"
WATCH_VARIABLE = "AUTOPHAGY_WATCH_SECONDS"
WEBHOOK_VARIABLE = "AUTOPHAGY_WEBHOOK"

AT_TWO = "0 2 * * *"
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def automate() -> bool:
    """Whether the sensors run without being turned on in the UI.

    Returns
    -------
    bool
        ``AUTOPHAGY_AUTOMATE``; False where it is not set.

    Raises
    ------
    InputError
        If it is neither yes nor no.
    """
    told = os.environ.get(AUTOMATE_VARIABLE, "").strip().lower()
    if told not in (*_YES, *_NO):
        raise InputError(f"{AUTOMATE_VARIABLE} is {told!r}; set it to 1 or 0.")
    return told in _YES


def watch_seconds() -> int:
    """Seconds between two looks of a sensor.

    Returns
    -------
    int
        ``AUTOPHAGY_WATCH_SECONDS``; 60 where it is not set.

    Raises
    ------
    InputError
        If it is not a whole number above 0.
    """
    told = os.environ.get(WATCH_VARIABLE) or "60"
    if not told.isdecimal() or int(told) == 0:
        raise InputError(f"{WATCH_VARIABLE} is {told!r}; give it a whole number of seconds.")
    return int(told)


def nightly() -> str | None:
    """When the nightly refresh runs, as a cron expression.

    Returns
    -------
    str or None
        ``AUTOPHAGY_NIGHTLY``; None where it is not set: then it does not run.

    Raises
    ------
    InputError
        If it is no cron expression of five parts.
    """
    told = os.environ.get(NIGHTLY_VARIABLE, "").strip()
    if not told:
        return None
    from dagster._utils.schedules import is_valid_cron_string

    if not is_valid_cron_string(told):
        raise InputError(
            f"{NIGHTLY_VARIABLE} is {told!r}; give it a cron expression such as '{AT_TWO}', "
            "every night at two."
        )
    return told


def timezone() -> str:
    """Time zone of the nightly refresh.

    Returns
    -------
    str
        ``AUTOPHAGY_TIMEZONE``; UTC where it is not set.

    Raises
    ------
    InputError
        If there is no such zone.
    """
    told = os.environ.get(TIMEZONE_VARIABLE, "").strip() or "UTC"
    try:
        ZoneInfo(told)
    except (KeyError, ValueError, OSError) as error:  # unknown, a path, a folder of zones
        raise InputError(
            f"{TIMEZONE_VARIABLE} is {told!r}, which is no time zone; give it a name such as "
            "'Europe/Vienna' or 'UTC'."
        ) from error
    return told


def inbox() -> Path | None:
    """Folder that is watched for new images.

    Returns
    -------
    pathlib.Path or None
        ``AUTOPHAGY_INBOX``; None where it is not set. It may be away, as a network folder is
        at times.

    Raises
    ------
    InputError
        If it is not an absolute path: web server and daemon may have other working folders.
    """
    told = os.environ.get(INBOX_VARIABLE, "").strip()
    if not told:
        return None
    folder = Path(told).expanduser()
    if not folder.is_absolute():
        raise InputError(f"{INBOX_VARIABLE} is {told!r}; give it an absolute path.")
    return folder


def webhook() -> str | None:
    """Address to which failures are posted.

    Returns
    -------
    str or None
        ``AUTOPHAGY_WEBHOOK``; None where it is not set.

    Raises
    ------
    InputError
        If it is not an address of the web; the message does not repeat it, as it is a secret.
    """
    return _address(WEBHOOK_VARIABLE)


def ui_url() -> str | None:
    """Address at which people reach the Dagster UI, for links.

    Returns
    -------
    str or None
        ``AUTOPHAGY_UI_URL`` without a slash at its end; None where it is not set.

    Raises
    ------
    InputError
        If it is not an address of the web.
    """
    told = _address(UI_URL_VARIABLE)
    return told.rstrip("/") if told else None


def check() -> None:
    """Read every setting once, so that a wrong one is told before it is needed.

    Raises
    ------
    InputError
        If one of them is wrong.
    """
    for read in (automate, inbox, nightly, timezone, ui_url, watch_seconds, webhook):
        read()


def _address(variable: str) -> str | None:
    told = os.environ.get(variable, "").strip()
    if not told:
        return None
    try:
        parts = urlsplit(told)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and told.isprintable()
        _ = parts.port  # raises where it is no number
    except ValueError:
        fine = False
    if not fine or " " in told:
        raise InputError(
            f"{variable} is no address of the web; it begins with https:// or http://."
        )
    return told
