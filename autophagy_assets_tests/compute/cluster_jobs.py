"""What the tests have workers do. A worker imports this module, so it imports no other test."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from autophagy_assets.errors import InputError

# What the workers of the tests claim to have installed.
INSTALLED = {"Python": "3", "numpy": "2.0", "cells.py": "abc"}


def square(number):
    return number * number


def noted(job):
    """Leave a line of who has done what; the one that is to kill does so."""
    folder, number, kills = job
    with Path(folder, "done.txt").open("a") as stream:
        stream.write(f"{number} {os.getpid()}\n")
    if kills == "always" or (kills == "once" and not Path(folder, "killed").exists()):
        Path(folder, "killed").touch()
        time.sleep(0.1)  # Dask sends what is to be told every 2 ms
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def full_disk(path):
    with Path(path).open("a") as stream:
        stream.write("tried\n")
    raise OSError(28, "No space left on device")


def bad(number):
    raise InputError(f"field {number} is bad")


def slow(job):
    folder, number = job
    Path(folder, str(number)).touch()
    time.sleep(0.5)
    return number


def array_in_a_job(number):
    """Compute a Dask array as scPortrait does; say in which processes."""
    import dask.array as da

    found = da.map_blocks(lambda block: block + os.getpid(), da.zeros(4, chunks=1)).compute()
    return {int(pid) for pid in found} == {os.getpid()}


def seceding(number):
    """Leave the worker's thread pool for a while, as some library may."""
    from distributed import rejoin, secede

    secede()
    rejoin()
    return number


def held(job):
    """Leave a line, and wait to be let go."""
    folder, number = job
    with Path(folder, "done.txt").open("a") as stream:
        stream.write(f"{number}\n")
    while not Path(folder, "go").exists():
        time.sleep(0.02)
    return number
