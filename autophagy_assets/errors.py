"""Errors that are meant to be read by the person who gave the input."""

from __future__ import annotations

import errno
import os

# What the libraries raise when a database does not answer; by name, as none is imported here.
_OUTAGES = {"OperationalError", "InterfaceError", "DagsterPostgresException"}
# What the system says of a place that somebody has named, and what to do; else it is a fault here.
_OTHER_PLACE, _SPACE = "see to that, or name another place", "make space and try again"
_REMEDIES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _OTHER_PLACE),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG), _OTHER_PLACE),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _SPACE),
}


class InputError(ValueError):
    """Bad input, reported in one sentence: what was wrong, where, and what to do."""


class IntegrityError(RuntimeError):
    """Something stored is not what was recorded: a file is gone, changed or half-written."""


class StoreAwayError(RuntimeError):
    """The database or the bucket of the store does not answer; the step may be tried again."""


def store_away(error: BaseException) -> StoreAwayError | None:
    """What to show a person, if the reason of an error is that a database does not answer.

    Parameters
    ----------
    error : BaseException
        Whatever ended the work.

    Returns
    -------
    StoreAwayError or None
        None if it has another reason.
    """
    reason: BaseException | None = error
    found = None
    while reason is not None:
        if isinstance(reason, StoreAwayError):
            return reason
        if type(reason).__name__ in _OUTAGES:
            found = reason  # the innermost says most
        reason = reason.__cause__ or reason.__context__
    if found is None:
        return None
    return StoreAwayError(
        f"The database that keeps the records does not answer: {first_line(found)}; see that it "
        "runs and has disk space, then refresh again. What was recorded is kept, the rest is made "
        "again."
    )


def first_line(error: BaseException) -> str:
    """What a library says first of an error; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def unusable_place(error: BaseException) -> InputError | None:
    """What to show a person, if a file or folder cannot be used or the disk is full.

    Parameters
    ----------
    error : BaseException
        Whatever ended the work.

    Returns
    -------
    InputError or None
        None if it has another reason.
    """
    if not isinstance(error, OSError) or error.errno not in _REMEDIES:
        return None
    if error.strerror != os.strerror(error.errno):  # words of ours, which say it all
        return InputError(f"{error.strerror}.")
    where = f"{error.filename}: " if error.filename else ""
    return InputError(f"{where}{error.strerror}; {_REMEDIES[error.errno]}.")
