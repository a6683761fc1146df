"""Claims: each number of the text of a report, with the table that it comes from.

A report whose text says what its tables do not hold is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from autophagy_assets.errors import InputError

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?(?:e-\d+)?")
SENTENCE = "sentence"


@dataclass(frozen=True)
class Claim:
    """A number of the text, or a sentence, and where it stands in a table.

    Attributes
    ----------
    says : str
        As the text has it.
    value : float or str
        As the table has it.
    unit, n : str
        Of what it is, and how many things it rests on.
    asset : str
        With its partition in brackets if it has one.
    uid : str
        LaminDB uid of the figure whose table it is.
    rows : str
        Which rows of the table, as ``pandas.DataFrame.query`` takes it.
    how : str
        ``one`` row, or the ``count``, ``min`` or ``max`` of several.
    """

    says: str
    value: float | str
    unit: str
    n: str
    asset: str
    uid: str
    rows: str
    column: str
    how: str = "one"

    def as_json(self) -> dict[str, Any]:
        """JSON-like form."""
        return asdict(self)


@dataclass(frozen=True)
class Source:
    """A table that claims are made from.

    Attributes
    ----------
    asset : str
        With its partition in brackets if it has one.
    uid : str
        LaminDB uid of the figure that draws it.
    """

    asset: str
    uid: str
    table: pd.DataFrame

    def number(
        self, rows: str, column: str, unit: str, n: str = "", style: str = ".2f", how: str = "one"
    ) -> Claim:
        """Make a claim of a number.

        Parameters
        ----------
        rows, column, how
            As of `Claim`.
        unit, n : str
            What it is, and how many things it rests on.
        style : str
            Format of the number in the text.
        """
        value = looked_up(self.table, rows, column, how, self.asset)
        said = format(abs(value) if style.startswith("|") else value, style.lstrip("|"))
        return Claim(said, value, unit, n, self.asset, self.uid, rows, column, how)

    def sentence(self, rows: str) -> Claim:
        """Make a claim of a sentence that the table holds.

        Parameters
        ----------
        rows : str
            Which row.
        """
        found = self.table.query(rows, engine="python")[SENTENCE].unique()
        if len(found) != 1:
            raise InputError(f"{self.asset} has {len(found)} sentences for {rows}, not one.")
        said = str(found[0])
        return Claim(said, said, "", "", self.asset, self.uid, rows, SENTENCE)


def looked_up(table: pd.DataFrame, rows: str, column: str, how: str, asset: str) -> float:
    """Look up the number of a claim in its table.

    Parameters
    ----------
    rows, column, how : str
        As of `Claim`.
    asset : str
        What the reader calls the table.

    Raises
    ------
    InputError
        If the table does not have it.
    """
    try:
        found = table.query(rows, engine="python")[column]
    except (KeyError, pd.errors.UndefinedVariableError) as error:
        raise InputError(f"{asset} has no {column} for {rows}; make it again.") from error
    if how == "count":
        return float(len(found))
    if found.empty or (how == "one" and len(found) != 1):
        raise InputError(f"{asset} has {len(found)} rows for {rows}, and one is asked for.")
    return float(found.iloc[0] if how == "one" else getattr(found.abs(), how)())


def check_claims(
    paragraphs: Iterable[str],
    claims: Sequence[Claim],
    tables: Mapping[str, pd.DataFrame],
    names: Iterable[str],
) -> None:
    """Refuse a text with a number that no table supports.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By asset, as they are now.
    names : iterable of str
        Labels of the study, whose digits are no numbers.

    Raises
    ------
    InputError
        If a claim is not what its table has, or a number of the text is in no claim.
    """
    for claim in claims:
        _check(claim, tables)
    sentences = [claim.says for claim in claims if claim.column == SENTENCE]
    supported = {claim.says for claim in claims}
    for text in paragraphs:
        left = text
        for said in sorted(sentences, key=len, reverse=True):
            left = left.replace(said, " ")
        for name in sorted(names, key=len, reverse=True):
            # As a word: a label such as "1" is no part of 0.91.
            left = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w|\.\d)", " ", left)
        for number in _NUMBER.findall(left):
            if number.rstrip(",") not in supported:
                raise InputError(
                    f"The text of the report says {number} in {text!r}, and no table supports "
                    "that; make the report again, and report this as a bug if it comes back."
                )


def _check(claim: Claim, tables: Mapping[str, pd.DataFrame]) -> None:
    table = tables.get(claim.asset)
    if table is None:
        raise InputError(f"The report says {claim.says}, of {claim.asset}, which is not there.")
    if claim.column == SENTENCE:
        held: float | str = str(table.query(claim.rows, engine="python")[SENTENCE].iloc[0])
    else:
        held = looked_up(table, claim.rows, claim.column, claim.how, claim.asset)
    if held != claim.value:
        raise InputError(
            f"The report says {claim.says}, which {claim.asset} no longer supports: it has {held}. "
            "Make the report again."
        )
