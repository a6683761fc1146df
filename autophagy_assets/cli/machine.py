"""The machine: granted processors and memory, and free disk space."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from pathlib import Path

from autophagy_assets.compute.limits import granted_memory, granted_processors
from autophagy_assets.config.settings import HOME_VARIABLE
from autophagy_assets.errors import InputError

LEAST_FREE_BYTES = 5 * 10**9


def check_disk(home: Path) -> None:
    """Refuse a disk that cannot be written to, or is nearly full.

    Parameters
    ----------
    home : pathlib.Path
        A folder that need not be there yet.

    Raises
    ------
    InputError
        Says what is wrong with it.
    """
    folder = _existing(home)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written to ({error.strerror}); give yourself the right to, or "
            f"set {HOME_VARIABLE} to another folder."
        ) from error
    if (free := shutil.disk_usage(folder).free) < LEAST_FREE_BYTES:
        raise InputError(
            f"{folder} has {_gigabytes(free)} of free disk left; free at least "
            f"{_gigabytes(LEAST_FREE_BYTES)}, since a refresh needs room."
        )


def granted() -> str:
    """Processors and memory that this process may use, in words."""
    memory = granted_memory()
    text = f"{memory / 2**30:.1f} GiB" if math.isfinite(memory) else "an unknown amount"
    return f"{granted_processors():g} cores and {text} of memory are granted"


def disk(home: Path) -> str:
    """What is free on the disk of a home, and what the home takes, in words."""
    free = _gigabytes(shutil.disk_usage(_existing(home)).free)
    size = 0
    for folder, _, files in os.walk(home):
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return f"{free} free; the home holds {_gigabytes(size)}"


def _existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that there is."""
    while not os.path.isdir(folder):  # of a folder that may not be looked into: no
        folder = folder.parent
    return folder


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
