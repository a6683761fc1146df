"""The LaminDB instance that is the store, and the source instance.

Here belongs how a connection is made and how writers take turns; what is written is
elsewhere, and so are the database (``database``) and what is not public of LaminDB
(``lamin_internals``). LaminDB connects once per process, so ``lamindb`` is imported inside
functions only, after :func:`connect` has set the process up.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from filelock import FileLock

from autophagy_assets.config import home_file, settings
from autophagy_assets.config.home import INSTANCE_NAME, Home
from autophagy_assets.config.settings import (
    DATABASE_VARIABLE,
    HOME_VARIABLE,
    SOURCE_VARIABLE,
    STORAGE_VARIABLE,
)
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store import database
from autophagy_assets.registry.store.bucket import Bucket
from autophagy_assets.registry.store.identifiers import derived
from autophagy_assets.registry.store.lamin_internals import (
    STORAGE_MARK,
    add_storage,
    make_instance,
    storage_mark,
)

# What LaminDB takes for a database that needs no login to LaminHub.
_NEAR = r"@(localhost:|0\.0\.0\.0:|127\.0\.0\.1)"


@cache
def connect() -> ModuleType:
    """Connect this process to the store, creating the embedded one on first use.

    Returns
    -------
    module
        ``lamindb``, connected.

    Notes
    -----
    The store is the instance that the user names in ``LAMIN_CURRENT_INSTANCE``, else an
    embedded one below ``AUTOPHAGY_HOME``: SQLite, or PostgreSQL where
    ``AUTOPHAGY_DATABASE_URL`` is set.
    """
    home = Home.locate()
    home.prepare()
    with contextlib.redirect_stdout(io.StringIO()):  # importing lamindb prints
        named = os.environ.get("LAMIN_CURRENT_INSTANCE")
        if named and named != INSTANCE_NAME and settings.storage():
            raise InputError(
                f"{STORAGE_VARIABLE} is for the store in the home, and your LaminDB instance "
                f"{named} has a storage of its own; unset one of them."
            )
        if not named:
            with FileLock(home.locks / "create.lock"):
                _create_embedded(home)
            os.environ["LAMIN_CURRENT_INSTANCE"] = INSTANCE_NAME
        import lamindb as ln

        ln.settings.verbosity = "error"
        database.tune_sqlite()
        if address := settings.storage():
            _claim(ln, Bucket(address), home)
    return ln


def _create_embedded(home: Home) -> None:
    """Initialise the embedded instance unless its settings are already on disk."""
    settings_folder = Path(os.environ["LAMIN_SETTINGS_DIR"]) / ".lamin"
    for known in settings_folder.glob(f"instance--*--{INSTANCE_NAME}.env"):
        found = re.search(r"storage_root=(.*)", known.read_text())
        if found and found[1] == str(home.store):
            return
        if settings_folder == home.root / "lamin" / ".lamin":
            made_at = Path(found[1]).parent if found else "another place"
            raise InputError(
                f"{home.root} was made at {made_at}, and its records name the files by that path: "
                "put it back there and set AUTOPHAGY_HOME to it."
            )
        raise InputError(
            f"LAMIN_SETTINGS_DIR={os.environ['LAMIN_SETTINGS_DIR']} belongs to another "
            f"AUTOPHAGY_HOME than {home.root}; unset it, or give each home its own."
        )
    records = settings.database()
    if records and not re.search(_NEAR, records):
        raise InputError(
            f"{DATABASE_VARIABLE} names a database on another machine, for which LaminDB asks for "
            "a login to LaminHub: forward a port of this machine to it, with ssh -L or a proxy, "
            "and name 127.0.0.1 and that port (docs/postgres.md)."
        )
    make_instance(home.store, INSTANCE_NAME, records)


def _claim(ln: ModuleType, bucket: Bucket, home: Home) -> None:
    """Register a bucket as this store's; refuse one that is another's, or cannot be used."""
    with database.transaction(home.locks / "lamindb.lock"):
        known = ln.Storage.filter(root=bucket.address).one_or_none()
        # Derived, so that a process that was killed in between finds the mark to be its own; and
        # from the home, as another machine may have the same paths and databases.
        made = getattr(home_file.read(home.root), "created", "")
        of_home = (bucket.address, socket.gethostname(), str(home.root), made)
        uid = known.uid if known else derived(12, "storage", *of_home)
        if bucket.claim(STORAGE_MARK, storage_mark(ln, uid)).split("\n")[0] != uid:
            raise InputError(
                f"{bucket.uri('')} keeps the files of another store already; give "
                f"{STORAGE_VARIABLE} another prefix, and choose another {HOME_VARIABLE}."
            )
        if known is None:
            add_storage(ln, bucket.address, uid)


@contextlib.contextmanager
def writing() -> Iterator[ModuleType]:
    """One transaction on the store, one writer at a time.

    Yields
    ------
    module
        ``lamindb``, connected. All that the block writes is there after it, or nothing.

    Notes
    -----
    LaminDB derives a new version from the latest one, so two writers of one key would
    derive the same.
    """
    ln = connect()
    with database.transaction(Home.locate().locks / "lamindb.lock"):
        yield ln


def retried(function: Any) -> Any:
    """Call a function that writes to the store, again while the database is away or busy.

    Parameters
    ----------
    function : callable
        Takes nothing; safe to repeat, since a failed attempt leaves nothing.

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    StoreAwayError
        If the database has not answered for about twelve seconds.
    """
    connect()
    return database.repeated(function)


def storage_root() -> Path:
    """Folder below which every artifact of the store has its file."""
    return Path(str(connect().settings.storage.root))


def source_name() -> str | None:
    """Name of the instance that datasets are read from, when it is not the store.

    Returns
    -------
    str or None
        ``owner/name`` from ``AUTOPHAGY_SOURCE``.
    """
    return settings.source()


@cache
def source() -> Any:
    """Registries that datasets are read from: another instance's, else the store's.

    Returns
    -------
    object
        Has ``Artifact``, ``ULabel`` and the other registries as attributes.

    Raises
    ------
    InputError
        If ``AUTOPHAGY_SOURCE`` names an instance that cannot be reached, or the store itself.
    """
    ln = connect()
    name = source_name()
    if name is None:
        return ln
    if name == ln.setup.settings.instance.slug:
        # LaminDB finds instances by name, so one of the same name elsewhere would not be opened.
        raise InputError(
            f"{SOURCE_VARIABLE}={name}: this is the LaminDB instance of {Home.locate().root} "
            f"itself, so nothing would be read from another; unset {SOURCE_VARIABLE}, or give the "
            "instance to be read from a name of its own (docs/configuration.md)."
        )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            registries = ln.DB(name)
            registries.Artifact.filter().exists()
    except Exception as error:
        raise InputError(
            f"{SOURCE_VARIABLE}={name}: this LaminDB instance cannot be read ({error}); check the "
            "name (owner/name), your login (lamin login) and LAMIN_SETTINGS_DIR."
        ) from error
    return registries
