"""Processors and memory that this process may use.

A container, a batch job or a service is granted a part of its machine by its *control group*.
The limits stand in files, of version 2 (``cpu.max``, ``memory.max``) or 1 (a folder for each
controller). A group is bound by the limits of all groups above it too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

MOUNT, GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def granted_processors(mount: Path = MOUNT, groups: Path = GROUPS) -> float:
    """Processors that this process may use at once.

    Parameters
    ----------
    mount : pathlib.Path
        Where the control groups are.
    groups : pathlib.Path
        File that names the groups of this process.

    Returns
    -------
    float
        May be a fraction.
    """
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        processors = os.cpu_count() or 1
    return min([processors, *_shares(mount, groups)])


def granted_memory(mount: Path = MOUNT, groups: Path = GROUPS) -> float:
    """Memory that this process may use, in bytes.

    Parameters
    ----------
    mount : pathlib.Path
        Where the control groups are.
    groups : pathlib.Path
        File that names the groups of this process.

    Returns
    -------
    float
        Of the whole machine where no group has a limit; infinite where nothing sets it.
    """
    try:
        machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not on Linux
        machine = math.inf
    return min([machine if machine > 0 else math.inf, *_memories(mount, groups)])


def _shares(mount: Path, groups: Path) -> Iterator[float]:
    for folder in _folders(mount, groups, "cpu"):
        if (folder / "cpu.max").exists():
            quota, period = (_read(folder / "cpu.max") + " - -").split()[:2]
        else:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        try:
            share = float(quota) / float(period)
        except (ValueError, ZeroDivisionError):  # no limit reads "max"
            continue
        if share > 0:  # no limit reads -1 in version 1
            yield share


def _memories(mount: Path, groups: Path) -> Iterator[float]:
    for folder in _folders(mount, groups, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            value = _read(folder / name)
            if value.isdecimal() and int(value) > 0:  # no limit reads "max", or a huge number
                yield float(value)


def _folders(mount: Path, groups: Path, controller: str) -> Iterator[Path]:
    """Folders of the groups that this process is in, with those above them.

    Within a container the path of the group may be the one on the host, which is not there;
    then the mount itself is the container's group.
    """
    yield mount
    yield mount / controller
    for line in _read(groups).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        folder = mount / controllers if controllers else mount
        if not folder.is_dir():
            folder = mount / controller
        parts = [part for part in path.split("/") if part not in ("", "..")]
        yield from (folder.joinpath(*parts[:end]) for end in range(1, len(parts) + 1))


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
