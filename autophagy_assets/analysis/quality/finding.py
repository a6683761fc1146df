"""The answer to a question about the data: passed or not, in a sentence and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

Numbers = Mapping[str, int | float | str]

NAMED = 3  # so many examples are named in a sentence


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Parameters
    ----------
    sentence : str
        What was looked at, the number with n, the threshold, and what to do if it failed.
    numbers : mapping of str to (int, float or str)
        What a person may want to follow over time.
    table : pandas.DataFrame, optional
        A few rows behind the sentence.
    """

    passed: bool
    sentence: str
    numbers: Numbers = field(default_factory=dict)
    table: pd.DataFrame | None = None


def answer(passed: bool, observation: str, remedy: str, numbers: Numbers) -> Finding:
    """Build a finding; its sentence says what to do only if it failed.

    Parameters
    ----------
    observation : str
        The sentence without its end.
    remedy : str
        How it goes on where it failed.
    """
    return Finding(bool(passed), observation + ("." if passed else remedy), numbers)


def first_of(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are.

    Examples
    --------
    >>> first_of(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def counted(n: int, noun: str) -> str:
    """Number and noun, singular or plural.

    Parameters
    ----------
    noun : str
        For one of them; the plural ends in s.

    Examples
    --------
    >>> counted(1, "cell"), counted(0, "cell")
    ('1 cell', '0 cells')
    """
    head, _, tail = noun.partition(" of ")
    return f"{n} {head}{'' if n == 1 else 's'}{f' of {tail}' if tail else ''}"
