"""Errors that are meant to be read by the person who gave the input."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, told in one sentence: what was wrong, where, and what to do."""


class IntegrityError(RuntimeError):
    """Something stored is not what was recorded: a file is gone, changed or half-written."""


class StoreAwayError(RuntimeError):
    """The database of the store does not answer; the step may be tried again."""
