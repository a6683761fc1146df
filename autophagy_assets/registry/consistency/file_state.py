"""State of stored files: size, members and times of change, known without reading a file.

Not here: what is wrong with a file whose state is not the recorded one (``damage``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Any

# Databases keep the moment of registration in milliseconds, and some cut off the rest.
SLACK_NS = 2_000_000


@dataclass(frozen=True)
class FileState:
    """Size, members and times of change of a file or folder.

    Parameters
    ----------
    size, members : int
        Bytes, and number of files.
    times : dict
        Time of change in ns of each file and folder, in the order in which they can be set.
    """

    size: int
    members: int
    times: dict[str, int]

    def later_than(self, moment: int) -> list[str]:
        """Files and folders that were changed after a moment."""
        return [path for path, changed in self.times.items() if changed > moment + SLACK_NS]


def state_of(path: Path) -> FileState:
    """State of a file, or of a folder with all that is in it."""
    found = list(_walk(str(path), os.stat(path)))
    whole = [stat for _, stat, is_folder in found if not is_folder]
    return FileState(
        sum(stat.st_size for stat in whole),
        len(whole),
        {place: stat.st_mtime_ns for place, stat, _ in found},
    )


def date_now(path: Path) -> None:
    """Set the time of change of a damaged file to now, so that every check hashes it."""
    with suppress(OSError):
        os.utime(path)


def nanoseconds(moment: Any) -> int:
    """Nanoseconds since 1970 of a moment, to the microsecond."""
    return int(moment.timestamp() * 1_000_000) * 1000


def _walk(path: str, stat: os.stat_result) -> Iterator[tuple[str, os.stat_result, bool]]:
    """All that is in a folder, and the folder itself: taking a file away changes only that."""
    is_folder = S_ISDIR(stat.st_mode)
    if is_folder:
        with os.scandir(path) as entries:
            for entry in entries:
                yield from _walk(entry.path, entry.stat())
    yield path, stat, is_folder
