"""The one study that a home holds: partitions, report folder and assets do not name it.

The home file says it. Where Dagster's records are not in the home, another home may
use them, so it stands in Dagster's records as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from autophagy_assets.config import home_file, settings
from autophagy_assets.config.home import INSTANCE_NAME, Home, dagster_instance
from autophagy_assets.config.settings import STUDY_VARIABLE
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import dagster as dg

_IN_DAGSTER = "autophagy/study"


def check(home: Home, study: str) -> None:
    """Refuse a study if a home, or the Dagster that it uses, holds another.

    Parameters
    ----------
    home : Home
        It has been prepared.
    study : str
        Name of the study.

    Raises
    ------
    InputError
        Says which study it holds, and what to do.
    """
    if (other := _other_study(home, study)) is not None:
        raise InputError(
            f"{home.root} holds study {other!r}, not {study!r}: set AUTOPHAGY_HOME to another "
            f"folder for this one, or {STUDY_VARIABLE} to the file of {other!r}."
        )
    with _shared_dagster(home) as dagster:
        # Where there is no asset yet, the note is of an ingest that was refused.
        noted = _noted(dagster) if dagster is not None and dagster.get_asset_keys() else None
    if noted not in (None, study):
        raise InputError(
            f"Dagster's records are those of study {noted!r}, not {study!r}: give this one a "
            f"DAGSTER_HOME or database of its own, or set {STUDY_VARIABLE} to the file of "
            f"{noted!r}."
        )


def require(study: str) -> None:
    """As :func:`check`, for the home of this process."""
    check(_prepared(), study)


def claim(study: str) -> None:
    """As :func:`require`, and note that the home is that study's, before anything is written."""
    home = _prepared()
    check(home, study)
    home_file.note_study(home.root, study)
    with _shared_dagster(home) as dagster:
        if dagster is not None and _noted(dagster) != study:
            dagster.daemon_cursor_storage.set_cursor_values({_IN_DAGSTER: study})


def _prepared() -> Home:
    home = Home.locate()
    home.prepare()
    return home


def _other_study(home: Home, study: str) -> str | None:
    known = home_file.read(home.root)
    if known is None or known.study == study:
        return None
    if known.study is None and not known.adopted:
        return None
    if os.environ.get("LAMIN_CURRENT_INSTANCE") not in (None, "", INSTANCE_NAME):
        return known.study  # other homes may keep their studies in the same instance
    held = _held(home)
    if known.study is None:  # older than its home file
        return held[0] if held and study not in held else None
    # A study of which nothing was ever registered does not keep others out: its only ingest
    # may have been refused.
    return known.study if known.study in held else None


def _held(home: Home) -> list[str]:
    """Studies of which the embedded store has or had images or results."""
    if not (home.store / ".lamindb").exists() and not settings.database():
        return []
    from autophagy_assets.registry.consistency.run_outputs import registered_studies

    return registered_studies()


@contextmanager
def _shared_dagster(home: Home) -> Iterator[dg.DagsterInstance | None]:
    """Dagster's instance, where its records are not the home's alone."""
    elsewhere = Path(os.environ["DAGSTER_HOME"]).expanduser().resolve() != home.dagster
    if not elsewhere and not settings.database():
        yield None
        return
    with dagster_instance() as instance:
        yield instance


def _noted(dagster: dg.DagsterInstance) -> str | None:
    return dagster.daemon_cursor_storage.get_cursor_values({_IN_DAGSTER}).get(_IN_DAGSTER)
