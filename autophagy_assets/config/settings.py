"""Settings: the environment variables ``AUTOPHAGY_*``, read and checked in one place.

Each is read when it is asked for. One that is empty counts as not set. A wrong value is an
``InputError`` of one sentence, wherever it is read, which does not repeat what may hold a secret.
Not here: what others read from the environment (``DAGSTER_HOME``, ``LAMIN_*``): ``home`` sets it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from autophagy_assets.config.setting_types import (
    AbsoluteFolder,
    BucketAddress,
    CronExpression,
    DatabaseAddress,
    Folder,
    Place,
    TimeZone,
    WebAddress,
)
from autophagy_assets.errors import InputError

AUTOMATE_VARIABLE = "AUTOPHAGY_AUTOMATE"
COMPUTE_VARIABLE = "AUTOPHAGY_COMPUTE"
CACHE_VARIABLE = "AUTOPHAGY_CACHE_GB"
DATABASE_VARIABLE = "AUTOPHAGY_DATABASE_URL"
HOME_VARIABLE = "AUTOPHAGY_HOME"
INBOX_VARIABLE = "AUTOPHAGY_INBOX"
NIGHTLY_VARIABLE = "AUTOPHAGY_NIGHTLY"
SOURCE_VARIABLE = "AUTOPHAGY_SOURCE"
STORAGE_VARIABLE = "AUTOPHAGY_STORAGE"
STUDY_VARIABLE = "AUTOPHAGY_STUDY"
TIMEZONE_VARIABLE = "AUTOPHAGY_TIMEZONE"
UI_URL_VARIABLE = "AUTOPHAGY_UI_URL"
WATCH_VARIABLE = "AUTOPHAGY_WATCH_SECONDS"
WEBHOOK_VARIABLE = "AUTOPHAGY_WEBHOOK"
WORKERS_VARIABLE = "AUTOPHAGY_WORKERS"

AT_TWO = "0 2 * * *"
# Variables whose values nobody but the platform should know.
SECRET = (DATABASE_VARIABLE, WEBHOOK_VARIABLE)
_NOT_REPEATED = (*SECRET, UI_URL_VARIABLE)  # an address may hold a password
_WEB = "give it an address of the web, which begins with https:// or http://"


def automate() -> bool:
    """Whether the sensors run without being turned on in the UI: ``AUTOPHAGY_AUTOMATE``."""
    return bool(_read(AUTOMATE_VARIABLE, bool, "set it to 1 or 0"))


def compute() -> str | None:
    """Where fields of view are worked on, when it is not this machine.

    Returns
    -------
    str or None
        ``AUTOPHAGY_COMPUTE``, the address of a Dask scheduler or the path of a file that says how
        workers are come by; None where it is not set.
    """
    remedy = (
        "give it the address of a Dask scheduler, tcp://host:8786, or the absolute path of a "
        "cluster file, which ends in .yaml; or unset it to work on this machine"
    )
    return _read(COMPUTE_VARIABLE, Place, remedy)


def cache_bytes() -> float:
    """Bytes that local copies of a bucket's files may take: ``AUTOPHAGY_CACHE_GB``, else 50 GB."""
    kind = Annotated[float, Field(gt=0, allow_inf_nan=False)]
    return (_read(CACHE_VARIABLE, kind, "give it a number of gigabytes above 0") or 50) * 1e9


def database() -> str | None:
    """PostgreSQL database that keeps the records.

    Returns
    -------
    str or None
        ``AUTOPHAGY_DATABASE_URL``; None where it is not set: then it is SQLite.
    """
    remedy = (
        "it must be postgresql://user:password@127.0.0.1:port/database, with / ? # of a password "
        "as %2F %3F %23"
    )
    return _read(DATABASE_VARIABLE, DatabaseAddress, remedy)


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The home as the environment names it: perhaps relative, perhaps a link.

    Parameters
    ----------
    environment : mapping
        Environment variables.

    Returns
    -------
    pathlib.Path
        ``AUTOPHAGY_HOME``; ``.autophagy`` where it is not set.
    """
    found = _read(HOME_VARIABLE, Folder, "give it the path of a folder", environment)
    return found or Path(".autophagy")


def inbox() -> Path | None:
    """Folder that is watched for new images.

    Returns
    -------
    pathlib.Path or None
        ``AUTOPHAGY_INBOX``, an absolute path, as web server and daemon may have other working
        folders; None where it is not set. It may be away, as a network folder is at times.
    """
    return _read(INBOX_VARIABLE, AbsoluteFolder, "give it an absolute path")


def nightly() -> str | None:
    """When the nightly refresh runs, as a cron expression of five parts.

    Returns
    -------
    str or None
        ``AUTOPHAGY_NIGHTLY``; None where it is not set: then it does not run.
    """
    remedy = f"give it a cron expression such as '{AT_TWO}', every night at two"
    return _read(NIGHTLY_VARIABLE, CronExpression, remedy)


def source() -> str | None:
    """Name of the LaminDB instance that datasets are read from, when it is not the store.

    Returns
    -------
    str or None
        ``owner/name`` from ``AUTOPHAGY_SOURCE``; whether there is one is seen when it is opened.
    """
    kind = Annotated[str, Field(pattern=r"^\S+$")]
    return _read(SOURCE_VARIABLE, kind, "give it the name of a LaminDB instance, owner/name")


def storage() -> str | None:
    """Bucket that keeps the files: ``AUTOPHAGY_STORAGE``; None where a folder of the home does."""
    remedy = "it must be s3://bucket/prefix, or s3://bucket/prefix?endpoint_url=https://server"
    return _read(STORAGE_VARIABLE, BucketAddress, remedy)


def study_file() -> Path | None:
    """File that says what the study is.

    Returns
    -------
    pathlib.Path or None
        ``AUTOPHAGY_STUDY``; None where it is not set: then it is the notebook's study.
    """
    return _read(STUDY_VARIABLE, Path, "give it the path of a study file")


def timezone() -> str:
    """Time zone of the nightly refresh.

    Returns
    -------
    str
        ``AUTOPHAGY_TIMEZONE``; UTC where it is not set.
    """
    remedy = "give it the name of a time zone, such as 'Europe/Vienna' or 'UTC'"
    return _read(TIMEZONE_VARIABLE, TimeZone, remedy) or "UTC"


def ui_url() -> str | None:
    """Address at which people reach the Dagster UI, for links.

    Returns
    -------
    str or None
        ``AUTOPHAGY_UI_URL`` without a slash at its end; None where it is not set.
    """
    value = _read(UI_URL_VARIABLE, WebAddress, _WEB)
    return value.rstrip("/") if value else None


def watch_seconds() -> int:
    """Seconds between two looks of a sensor.

    Returns
    -------
    int
        ``AUTOPHAGY_WATCH_SECONDS``; 60 where it is not set.
    """
    kind = Annotated[int, Field(gt=0)]
    return _read(WATCH_VARIABLE, kind, "give it a whole number of seconds, 1 or more") or 60


def webhook() -> str | None:
    """Address to which failures are posted: ``AUTOPHAGY_WEBHOOK``; None where it is not set."""
    return _read(WEBHOOK_VARIABLE, WebAddress, _WEB)


def workers() -> int | None:
    """Processes that image the fields of a sample.

    Returns
    -------
    int or None
        ``AUTOPHAGY_WORKERS``; None, where it is 0 or not set, for as many as the machine can run.
    """
    kind = Annotated[int, Field(ge=0)]
    remedy = "set it to 1 or more processes, or unset it for as many as this machine can run"
    return _read(WORKERS_VARIABLE, kind, remedy) or None


def check() -> None:
    """Read every setting once, so that a wrong one is refused before it is needed.

    Raises
    ------
    InputError
        If one of them is wrong.
    """
    for read in _ALL:
        read()


def _read(
    variable: str, kind: Any, remedy: str, environment: Mapping[str, str] = os.environ
) -> Any:
    """Value of a variable; None where it is not set."""
    text = environment.get(variable, "").strip()
    if not text:
        return None
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError:
        # Without its cause, which repeats the value.
        hidden = variable in _NOT_REPEATED or "@" in text  # somebody's keys, in any address
        value = "set wrongly" if hidden else repr(text)
        raise InputError(f"{variable} is {value}; {remedy}.") from None


_ALL: tuple[Callable[[], Any], ...] = (
    *(automate, cache_bytes, compute, database, home_folder, inbox, nightly, source),
    *(storage, study_file, timezone, ui_url, watch_seconds, webhook, workers),
)
