"""Types of settings that pydantic does not have: folders, addresses, buckets, times.

Each refuses text that cannot be one. Which variable has which type, and what a person is told of a
wrong value, is in ``settings``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from autophagy_assets.compute.slurm import is_file


def _expanded(folder: Path) -> Path:
    try:
        return folder.expanduser()
    except RuntimeError as error:  # ~somebody who is not there
        raise ValueError(error) from error


def _absolute(folder: Path) -> Path:
    if not folder.is_absolute():
        raise ValueError("relative")
    return folder


def _cron(value: str) -> str:
    import dagster as dg

    try:  # Dagster says of a schedule what it takes, and nowhere else in public
        dg.ScheduleDefinition(name="any", job_name="any", cron_schedule=value)
    except dg.DagsterInvalidDefinitionError as error:
        raise ValueError("no cron expression") from error
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError) as error:  # unknown, a folder of zones
        raise ValueError(error) from error
    return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises where it is no number
    web = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not web or not value.isprintable() or " " in value:
        raise ValueError("no address of the web")
    return value


def _database(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port
    # An @ behind the host is that of a password with an unescaped / ? or #, which would be shown
    # as the name of the database.
    if parts.scheme != "postgresql" or "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("no address of a database")
    return value


def _place(value: str) -> str:
    if is_file(value):
        return str(_absolute(Path(value)))
    parts = urlsplit(value)
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port or not bare:
        raise ValueError("no address of a scheduler")
    return value


def _bucket(value: str) -> str:
    place, _, query = value.partition("?")
    name, _, endpoint = query.partition("=")
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[^/\s]+)*/?", place):
        raise ValueError("no bucket")
    if (query and name != "endpoint_url") or "@" in endpoint:  # keys are read from elsewhere
        raise ValueError("no endpoint")
    return place.rstrip("/") + (f"?{name}={_address(endpoint).rstrip('/')}" if query else "")


Folder = Annotated[Path, AfterValidator(_expanded)]
AbsoluteFolder = Annotated[Folder, AfterValidator(_absolute)]
CronExpression = Annotated[str, AfterValidator(_cron)]
TimeZone = Annotated[str, AfterValidator(_zone)]
WebAddress = Annotated[str, AfterValidator(_address)]
Place = Annotated[str, AfterValidator(_place)]
DatabaseAddress = Annotated[str, AfterValidator(_database)]
BucketAddress = Annotated[str, AfterValidator(_bucket)]
