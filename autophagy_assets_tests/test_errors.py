"""What a person is shown of an error of a library or of the system."""

from __future__ import annotations

import errno
import os

import pytest

from autophagy_assets.errors import store_away, unusable_place


class OperationalError(Exception):
    """As Django, SQLAlchemy and psycopg2 name theirs."""


@pytest.mark.parametrize(
    ("message", "said"), [("gone\nwith more", "gone;"), ("", "OperationalError;"), ("\n", "Op")]
)
def test_a_database_that_says_little_or_nothing_is_still_said_to_be_away(message, said):
    away = store_away(OperationalError(message))
    assert away is not None and f"does not answer: {said}" in str(away)


def test_what_is_no_fault_of_a_place_keeps_its_traceback():
    for error in (FileNotFoundError(errno.ENOENT, "x", "y"), OSError("no number"), ValueError()):
        assert unusable_place(error) is None
    for number in (errno.EACCES, errno.EROFS, errno.EDQUOT):
        place = unusable_place(OSError(number, os.strerror(number), "/there"))
        assert str(place).startswith(f"/there: {os.strerror(number)}; ")
