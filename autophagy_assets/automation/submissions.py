"""The inbox: a folder in which each sub-folder is a *submission* of images, and the state of each.

A submission is complete when its metadata file can be read and every image that it names is there,
and ready when nothing of that has changed between two looks. What is said of a submission is for
people to read. Nothing in the inbox is ever changed.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from autophagy_assets.config.settings import INBOX_VARIABLE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.ingest.metadata import FILE_NAME, read_metadata

# Dagster gives a sensor a minute; about 0.1 s goes into a submission of a hundred images.
LONGEST_S = 20.0
_WAITS = "there are many submissions; it is checked soon."
_NAMED = 3  # missing images that a message names; it counts the rest


@dataclass(frozen=True)
class SubmissionState:
    """State of a submission that is kept from one look to the next.

    Parameters
    ----------
    files : str
        Fingerprint of all that lies in the folder, whether the metadata names it or not.
    content : str
        Fingerprint of the metadata and of the images that it names; empty if incomplete.
    asked : str
        Fingerprint of the content that was last asked to be ingested; empty if none was.
    attempt : int
        How often other content has been asked for before.
    """

    files: str = ""
    content: str = ""
    asked: str = ""
    attempt: int = 0

    @property
    def key(self) -> str:
        """Name of the ingest that was asked for: its content, and the attempt if there was other.

        A submission that is as it was two versions ago has to be ingested again.
        """
        return f"{self.asked}-{self.attempt}" if self.attempt else self.asked


@dataclass(frozen=True)
class Submission:
    """A submission as one look finds it.

    Parameters
    ----------
    name : str
        Name of the folder.
    ready : bool
        Complete, at rest, and not yet asked for.
    reason : str
        Why it is left alone; empty where it is ready or has been asked for.
    """

    name: str
    state: SubmissionState
    ready: bool = False
    reason: str = ""


def submission_folder(inbox: Path, name: str) -> Path:
    """Folder of a submission.

    Parameters
    ----------
    name : str
        Of the folder in the inbox, without a path.

    Raises
    ------
    InputError
        If it is not a folder directly in the inbox, or leads out of it.
    """
    folder = inbox / name
    if name in ("", ".", "..") or Path(name).name != name:
        raise InputError(f"{name!r} is not the name of a folder in {inbox} ({INBOX_VARIABLE}).")
    try:
        name.encode()
    except UnicodeEncodeError as error:  # Dagster could not record a run of it
        raise InputError(f"its name, {name!r}, is not in UTF-8; rename the folder.") from error
    if folder.is_symlink() or folder.resolve() != inbox.resolve() / name:
        raise InputError(f"{folder} is a link; put the folder itself there.")
    if not folder.is_dir():
        raise InputError(f"{folder} is not there any more, or is no folder.")
    return folder


def content_of(folder: Path, study: Study) -> str:
    """Fingerprint of a complete submission.

    Parameters
    ----------
    study : Study
        The same images are to be ingested again for another study.

    Returns
    -------
    str
        Of the metadata's content, and of path, size and time of change of each image: images
        are too large to be read at every look. The name of the submission is no part of it.

    Raises
    ------
    InputError
        If it is not complete; says what is missing.
    """
    metadata = folder / FILE_NAME
    if metadata.is_symlink():
        raise InputError(f"{metadata} is a link; put the file itself there.")
    named = sorted({path for row in read_metadata(folder, study) for _, path, _ in row.images})
    missing = [str(path.relative_to(folder)) for path in named if not path.is_file()]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise InputError(
            f"{len(missing)} of the {len(named)} images that {FILE_NAME} names are not there: "
            f"{', '.join(missing[:_NAMED])}{more}."
        )
    digest = sha256(f"{study.name}\n".encode() + metadata.read_bytes())
    for path in named:
        state = path.stat()
        digest.update(
            f"\n{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}".encode()
        )
    return digest.hexdigest()[:32]


def find_submissions(
    inbox: Path, study: Study, known: dict[str, SubmissionState], seconds: float = LONGEST_S
) -> list[Submission]:
    """Find every submission of an inbox and its state; a broken one does not stop the others.

    Parameters
    ----------
    known : dict
        Name of a submission to what was remembered at the last look.
    seconds : float
        How long to look, in s; submissions that are left then are looked at another time.

    Returns
    -------
    list of Submission
        By name. Folders whose name begins with a dot are no submissions: programs that copy make
        such.
    """
    with os.scandir(inbox) as entries:
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and (entry.is_dir() or entry.is_symlink())
        ]
    # In any order: submissions that take long do not keep the same others waiting again and again.
    end, submissions = time.monotonic() + seconds, []
    for name in random.sample(names, len(names)):
        state = known.get(name, SubmissionState())
        if time.monotonic() < end:
            submissions.append(_look_at(inbox, name, study, state))
        else:
            waits = "" if state.asked and state.asked == state.content else _WAITS
            submissions.append(Submission(name, state, reason=waits))
    return sorted(submissions, key=lambda submission: submission.name)


def _look_at(inbox: Path, name: str, study: Study, known: SubmissionState) -> Submission:
    try:
        folder = submission_folder(inbox, name)
        files = _fingerprint(folder)
        if known.asked and known.asked == known.content and files == known.files:
            return Submission(name, known)  # asked for, and untouched since: need not be read
        content = content_of(folder, study)
    except InputError as error:
        return Submission(name, replace(known, files="", content=""), reason=str(error))
    except OSError as error:  # not ours to read, or gone between two steps
        return Submission(
            name,
            replace(known, files="", content=""),
            reason=f"it cannot be read ({error.strerror or error}); see that the user who runs "
            "the daemon may read it.",
        )
    found = replace(known, files=files, content=content)
    if content == known.asked:
        return Submission(name, found)
    if content != known.content:
        return Submission(
            name, found, reason="complete; it is ingested if the next look finds it unchanged."
        )
    attempt = known.attempt + bool(known.asked)
    return Submission(name, replace(found, asked=content, attempt=attempt), ready=True)


def _fingerprint(folder: Path) -> str:
    digest = sha256()
    for path, state in _files(folder):
        digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            yield os.fsencode(path.relative_to(folder)).hex(), path.lstat()


def loose_files(inbox: Path) -> int:
    """Count the files that lie in the inbox itself, where they belong to no submission."""
    with os.scandir(inbox) as entries:
        return sum(entry.is_file() and not entry.name.startswith(".") for entry in entries)
