"""Identifiers that are derived from content or labels, the same everywhere.

LaminDB draws uids at random. Derived ones make two processes that register the same
label or transform meet in one row, and make a table that names datasets by uid the same
table in every installation that has the same images.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from autophagy_assets.errors import InputError

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STEM, _VERSION = 16, 4


def derived(length: int, *parts: str) -> str:
    """Base-62 name of fixed length derived from parts.

    Parameters
    ----------
    length : int
        Number of characters.
    *parts : str
        What the name is derived from.
    """
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest())
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)


def artifact_uid(key: str, sha256: str) -> str:
    """Uid of a version of an artifact: its key gives the stem, its content the version.

    Parameters
    ----------
    key : str
        LaminDB key.
    sha256 : str
        Hash of the content.

    Returns
    -------
    str
        20 characters.
    """
    return derived(_STEM, "artifact", key) + derived(_VERSION, "content", sha256)


def is_version_of(uid: str, key: str) -> bool:
    """Whether a uid is that of a version of a key.

    Returns
    -------
    bool
        False also for an artifact that was not registered by this platform.
    """
    return uid[:_STEM] == artifact_uid(key, "")[:_STEM]


@lru_cache(100_000)  # each field of view asks for those of its labels again and again
def slug(label: str) -> str:
    """Form of a label for keys, partition names and file names.

    Parameters
    ----------
    label : str
        Any label; letters of any script are kept.

    Returns
    -------
    str
        Letters, digits, ``+``, ``.`` and ``-`` only; never empty, ``.`` or ``..``.

    Raises
    ------
    InputError
        If the label has a path separator or nothing that a name could be made of.
    """
    if any(separator in label for separator in "/\\\0"):
        raise InputError(f"Label {label!r} has a path separator; rename it without / and \\.")
    text = unicodedata.normalize("NFC", label)
    name = re.sub(r"[^\w+.-]+|_+", "-", text).strip("-.")
    if not name:
        raise InputError(f"Label {label!r} has no letter or digit; give it a name.")
    return name
