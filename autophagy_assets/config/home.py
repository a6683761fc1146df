"""The home: the folder of one study, with everything that the platform keeps.

``AUTOPHAGY_HOME`` holds the Dagster home, the LaminDB instance and its cache. What the
user has set for LaminDB (``LAMIN_SETTINGS_DIR``, ``LAMIN_CURRENT_INSTANCE``,
``LAMIN_CACHE_DIR``) or Dagster (``DAGSTER_HOME``) is respected and never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from filelock import FileLock

from autophagy_assets.compute.limits import granted_memory, granted_processors
from autophagy_assets.compute.pool import PROCESS_BYTES, WORKER_BYTES, default_workers
from autophagy_assets.config import home_file, settings
from autophagy_assets.config.settings import (
    DATABASE_VARIABLE,
    HOME_VARIABLE,
    STORAGE_VARIABLE,
)
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import dagster as dg

INSTANCE_NAME = "autophagy"
DATABASE_FILE = "database.url"
STORAGE_FILE = "storage.url"
INGEST_TAG = "autophagy/ingest"
_DAGSTER_DATABASE_VARIABLE = "AUTOPHAGY_DAGSTER_DATABASE_URL"


@dataclass(frozen=True)
class Home:
    """The folders of a home.

    Parameters
    ----------
    root : pathlib.Path
        Absolute path of ``AUTOPHAGY_HOME``.
    """

    root: Path

    @classmethod
    def locate(cls, environment: Mapping[str, str] = os.environ) -> Home:
        """Find the home in the environment; default ``.autophagy`` in the working directory.

        Parameters
        ----------
        environment : mapping
            Environment variables.
        """
        return cls(settings.home_folder(environment).resolve())

    @property
    def dagster(self) -> Path:
        """Dagster's home: runs, events, logs."""
        return self.root / "dagster"

    @property
    def store(self) -> Path:
        """Storage root of the embedded LaminDB instance: every artifact's file."""
        return self.root / "store"

    @property
    def locks(self) -> Path:
        """Lock files that serialise writers on this machine."""
        return self.root / "locks"

    @property
    def progress(self) -> Path:
        """Progress of the steps that process fields of view at this moment."""
        return self.root / "progress"

    def prepare(self) -> None:
        """Create the folders and point Dagster and LaminDB at them, unless the user has.

        Call it before ``lamindb`` is imported: LaminDB reads its settings folder then.

        Raises
        ------
        InputError
            If the folder holds what is not of this platform.
        """
        home_file.admit(self.root)
        for folder in (self.root, self.dagster, self.locks):
            folder.mkdir(parents=True, exist_ok=True)
        os.environ[HOME_VARIABLE] = str(self.root)
        os.environ.setdefault("DAGSTER_HOME", str(self.dagster))
        # LaminDB appends ".lamin" to the settings folder; its instances are listed there.
        os.environ.setdefault("LAMIN_SETTINGS_DIR", str(self.root / "lamin"))
        os.environ.setdefault("LAMIN_CACHE_DIR", str(self.root / "cache"))
        self._settle_storage()
        self._settle_database()
        self._write_dagster_settings()

    def _settle_storage(self) -> None:
        """Keep a home with the bucket that it was made with, also where nobody names it."""
        record, wanted = self.root / STORAGE_FILE, settings.storage()
        if record.exists():
            made_with = record.read_text().strip()
            if wanted is not None and wanted != made_with:
                raise InputError(
                    f"{STORAGE_VARIABLE} is {wanted}, but {self.root} keeps its files in "
                    f"{made_with}; unset it, or choose another {HOME_VARIABLE}."
                )
            os.environ[STORAGE_VARIABLE] = made_with
        elif wanted:
            if self._has_instance():
                raise InputError(
                    f"{self.root} keeps its files in its folder store already; unset "
                    f"{STORAGE_VARIABLE}, or choose another {HOME_VARIABLE} for files in a bucket."
                )
            _write_private(record, wanted + "\n")

    def _has_instance(self) -> bool:
        """Whether LaminDB's instance of this home has been made."""
        known = Path(os.environ["LAMIN_SETTINGS_DIR"]) / ".lamin"
        return any(known.glob(f"instance--*--{INSTANCE_NAME}.env"))

    def _settle_database(self) -> None:
        """Keep a home with the database that it was made with, also where nobody names it."""
        record, wanted = self.root / DATABASE_FILE, settings.database()
        if record.exists():
            made_with = record.read_text().strip()
            if wanted is not None and wanted != made_with:
                raise InputError(
                    f"{DATABASE_VARIABLE} is not the database that {self.root} was made with; "
                    f"unset it, or choose another {HOME_VARIABLE}."
                )
            os.environ[DATABASE_VARIABLE] = made_with
        elif wanted:
            if self._has_instance():
                raise InputError(
                    f"{self.root} keeps its records in SQLite already; unset {DATABASE_VARIABLE}, "
                    f"or choose another {HOME_VARIABLE} for the records in PostgreSQL."
                )
            _write_private(record, wanted + "\n")
        if settings.database():
            # LaminDB keeps the address with its password there, in a file that anybody may read.
            (self.root / "lamin").mkdir(exist_ok=True)
            (self.root / "lamin").chmod(0o700)

    def _write_dagster_settings(self) -> None:
        file = self.dagster / "dagster.yaml"
        wanted = yaml.safe_dump(_dagster_settings(), sort_keys=False)
        if not file.exists() or file.read_text() != wanted:
            _write_private(file, wanted)


def _write_private(path: Path, text: str) -> None:
    """Write a file that may hold a password, whole or not at all."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.touch(mode=0o600)
    beside.write_text(text)
    os.replace(beside, path)


def concurrent_runs() -> int:
    """Count the Dagster runs that fit this machine at the same time.

    Returns
    -------
    int
        At least 1. Each may image a sample with as many processes as ``AUTOPHAGY_WORKERS``
        says, by default on every core. Two then share the cores, since most runs image nothing;
        but memory has to hold what all of them need. Where fields are worked on elsewhere, a run
        waits most of the time, so that four share a core.
    """
    if settings.compute():
        return int(max(1, min(granted_memory() / PROCESS_BYTES, 4 * granted_processors())))
    workers = settings.workers() or default_workers()
    fitting = granted_memory() / (PROCESS_BYTES + workers * WORKER_BYTES)
    return int(max(1, min(fitting, max(2, granted_processors() // workers))))


def _dagster_settings() -> dict:
    wanted: dict = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},  # no dialog that asks for an e-mail address
        "concurrency": {
            "runs": {
                "max_concurrent_runs": concurrent_runs(),
                # Two submissions may hold images of the same field.
                "tag_concurrency_limits": [{"key": INGEST_TAG, "limit": 1}],
            }
        },
    }
    if url := settings.database():
        # SQLAlchemy takes the driver from the scheme, and its default is not the one that
        # dagster-postgres installs. LaminDB wants the scheme without a driver.
        driven = "postgresql+psycopg2://" + url.split("://", 1)[1]
        # By name: Dagster hands its settings to child processes as arguments, which anybody on
        # the machine can read.
        os.environ[_DAGSTER_DATABASE_VARIABLE] = driven
        wanted["storage"] = {"postgres": {"postgres_url": {"env": _DAGSTER_DATABASE_VARIABLE}}}
    return wanted


def dagster_instance(*, capture: bool = True) -> dg.DagsterInstance:
    """Dagster's instance in the home; the home is created when it is not there.

    Parameters
    ----------
    capture : bool
        Whether what a run prints goes to Dagster's logs. A command that runs steps itself
        prints its progress meanwhile: that belongs on the terminal and in no step's log, and
        capturing starts four more processes for each run.
    """
    home = Home.locate()
    home.prepare()
    import dagster as dg
    from dagster._core.instance.ref import InstanceRef

    from autophagy_assets.config.storage_cache import cache_storage

    cache_storage()
    # Where there are no databases yet, processes that begin at once would all make the tables.
    with FileLock(home.locks / "dagster.lock"):
        if capture:
            return dg.DagsterInstance.get()
        folder = Path(os.environ["DAGSTER_HOME"]).expanduser()
        uncaptured = {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        }
        ref = InstanceRef.from_dir(str(folder), overrides={"compute_logs": uncaptured})
        return dg.DagsterInstance.from_ref(ref)
