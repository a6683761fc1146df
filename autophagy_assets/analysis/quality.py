"""What a biologist asks of images, cells and scores, answered in a sentence and numbers.

Here: questions about fields, cells and tables. Not here: differences between samples
(``drift``) and how far the scores can be trusted (``calibration``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from autophagy_assets.analysis.features import (
    check_classes,
    check_columns,
    check_finite,
    check_identity,
)
from autophagy_assets.analysis.identity import CLASS, IDENTITY, SCORE, feature_columns
from autophagy_assets.errors import InputError
from autophagy_assets.study import Checks, Study

Numbers = Mapping[str, int | float | str]

_NAMED = 3  # so many examples are named in a sentence
_LONGEST = 200  # characters of a reason


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Parameters
    ----------
    passed : bool
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


def counted(n: int, noun: str) -> str:
    """Number of things, in words that fit it.

    Parameters
    ----------
    n : int
    noun : str
        For one of them; the plural ends in s.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "cell"), counted(0, "cell")
    ('1 cell', '0 cells')
    """
    head, _, tail = noun.partition(" of ")
    return f"{n} {head}{'' if n == 1 else 's'}{f' of {tail}' if tail else ''}"


def table_contract(table: pd.DataFrame, name: str, study: Study) -> Finding:
    """Tell whether a table has cells with identity, a known class, and features.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.
    study : Study
        Names the classes.

    Returns
    -------
    Finding
    """

    def look() -> None:
        check_columns(table, name)
        check_classes(table, name, tuple(study.classes))

    n = len(feature_columns(table))
    told = f"{name} has {len(table)} cells with identity, a known class and {n} features."
    return _unless_refused(look, told, {"cells": len(table), "features": n})


def identity_unique(table: pd.DataFrame, name: str) -> Finding:
    """Tell whether every cell is in a table once.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.

    Returns
    -------
    Finding
    """

    def look() -> None:
        check_columns(table, name)
        check_identity(table, name)

    told = f"Each of the {len(table)} cells of {name} is there once, by {' and '.join(IDENTITY)}."
    return _unless_refused(look, told, {"cells": len(table)})


def finite_values(table: pd.DataFrame, name: str) -> Finding:
    """Tell whether every feature of every cell is a finite number.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
        With the features that are used.
    name : str
        What the reader calls the table.

    Returns
    -------
    Finding
    """
    n = len(feature_columns(table))
    told = f"All {n} features that are used are finite numbers in all {len(table)} cells of {name}."
    return _unless_refused(lambda: check_finite(table, name), told, {"values": n * len(table)})


def _unless_refused(look: Callable[[], None], told: str, numbers: Mapping[str, int]) -> Finding:
    try:
        look()
    except InputError as error:
        return Finding(False, str(error), numbers)
    return Finding(True, told, numbers)


def class_balance(table: pd.DataFrame, name: str, study: Study) -> Finding:
    """Tell whether no class is rare among the cells of a table.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
    name : str
        What the reader calls the table.
    study : Study
        Names the classes and the smallest share.

    Returns
    -------
    Finding
    """
    counts = {label: int((table[CLASS] == code).sum()) for code, label in study.classes.items()}
    share = min(counts.values()) / max(len(table), 1)
    smallest = study.checks.smallest_class
    told = (
        f"Of {len(table)} cells of {name}, "
        f"{' and '.join(f'{n} are {label}' for label, n in counts.items())}; the rarer class has "
        f"{share:.0%}, and at least {smallest:.0%} is expected"
    )
    remedy = ": add fields of view of the rarer one, as few cells of it say little."
    numbers = {"share of the rarer class": share, **{f"cells, {k}": v for k, v in counts.items()}}
    return _told(share >= smallest, told, remedy, numbers)


def intensities_differ(table: pd.DataFrame, name: str, checks: Checks) -> Finding:
    """Tell whether nucleus and cytosol were measured apart from each other.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_cells, n_columns)
        Features named ``<channel>_<statistic>_<region>``, regions ``nucleus`` and ``cytosol``.
    name : str
        What the reader calls the table.
    checks : Checks
        The largest share of cells that may be the same in both.

    Returns
    -------
    Finding
        It fails also where a single pair of features is the same in too many cells.

    Notes
    -----
    The whole cell is larger than its nucleus, so its mean intensity is another number; the same
    number in both means that both masks are one, or that a column was filled from the other.
    """
    pairs = [
        (column, other)
        for column in feature_columns(table)
        if column.endswith("_nucleus")
        and (other := f"{column.removesuffix('_nucleus')}_cytosol") in table.columns
    ]
    if not pairs or table.empty:
        return Finding(True, f"{name} has no intensities of both nucleus and cytosol to compare.")
    nucleus = table[[a for a, _ in pairs]].to_numpy(dtype=float)
    cytosol = table[[b for _, b in pairs]].to_numpy(dtype=float)
    same = ((nucleus == cytosol) & (nucleus != 0)).mean(axis=0)
    worst = int(np.argmax(same))
    share, most = float(same[worst]), checks.same_intensity
    told = (
        f"{len(pairs)} intensities were compared between nucleus and cytosol in {len(table)} cells "
        f"of {name}; {pairs[worst][0]} is the same in both most often, in {share:.1%} of the "
        f"cells, and up to {most:.1%} is taken as usual"
    )
    remedy = ": look at the outlines in spatial_context, both masks may be the same one."
    numbers: Numbers = {"share of cells with the same": share, "feature": pairs[worst][0]}
    return _told(share <= most, told, remedy, {**numbers, "cells": len(table)})


def fields_accounted_for(registered: Collection[str], manifest: pd.DataFrame) -> Finding:
    """Tell whether each registered field of a sample is in its manifest, once.

    Parameters
    ----------
    registered : collection of str
        Fields of view that LaminDB has of the sample.
    manifest : pandas.DataFrame
        One row per field, with ``fov`` and ``status``.

    Returns
    -------
    Finding
    """
    known, rows = set(registered), manifest["fov"].astype(str)
    problems = {
        "missing": sorted(known - set(rows)),
        "not registered": sorted(set(rows) - known),
        "listed twice": sorted(set(rows[rows.duplicated()])),
    }
    told = (
        f"Of {counted(len(known), 'registered field of view')}, the manifest lists {len(rows)}; "
        f"{int((manifest['status'] == 'ok').sum())} of them could be used"
    )
    wrong = [f"{what}: {_first(names)}" for what, names in problems.items() if names]
    remedy = f" ({'; '.join(wrong)}): run 'autophagy refresh' to image the sample again."
    numbers = {"registered": len(known), "in the manifest": len(rows)}
    return _told(not wrong, told, remedy, numbers | {k: len(v) for k, v in problems.items()})


def fields_set_aside(reasons: Mapping[str, str], total: int | None = None) -> Finding:
    """Tell how many fields were set aside, and why.

    Parameters
    ----------
    reasons : mapping of str to str
        Name of a field that was set aside to the reason.
    total : int, optional
        Number of fields that there are.

    Returns
    -------
    Finding
        The reasons are shortened; at most 20 are among the numbers.
    """
    of = "" if total is None else f" of {total}"
    told = f"Fields of view set aside: {len(reasons)}{of}"
    short = {name: _shortened(reason) for name, reason in reasons.items()}
    first = "; ".join(f"{name}: {short[name]}" for name in list(short)[:_NAMED])
    more = f"; and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
    remedy = f" ({first}{more}): correct the images and ingest them again, or leave them out."
    numbers: dict[str, int | float | str] = {"set aside": len(reasons)}
    if total is not None:
        numbers["fields"] = total
    if short:
        numbers["reasons"] = "\n".join(f"{k}: {short[k]}" for k in list(short)[:20])
    return _told(not reasons, told, remedy, numbers)


def cells_per_field(manifest: pd.DataFrame, checks: Checks) -> Finding:
    """Tell whether the fields of a sample have about as many cells as usual.

    Parameters
    ----------
    manifest : pandas.DataFrame
        One row per field, with ``fov``, ``status`` and ``n_cells`` (-1 where it is not known).
    checks : Checks
        The usual range.

    Returns
    -------
    Finding
    """
    used = manifest[(manifest["status"] == "ok") & (manifest["n_cells"] >= 0)]
    low, high = checks.cells_per_field
    if used.empty:
        return Finding(True, "No field of view has a known number of cells.", {"fields": 0})
    counts = used["n_cells"]
    odd = used[(counts < low) | (counts > high)]
    names = [f"{row.fov} has {row.n_cells}" for row in odd.itertuples()]
    told = (
        f"{counted(len(used), 'field of view')} with {counts.min()} to {counts.max()} cells each; "
        f"{low} to {high} are taken as usual"
    )
    remedy = (
        f", and {len(odd)} outside ({_first(names)}): look at focus, density and the "
        "thresholds of the segmentation."
    )
    numbers = {
        "fewest cells": int(counts.min()),
        "median cells": float(counts.median()),
        "most cells": int(counts.max()),
        "fields": len(used),
        "fields outside": len(odd),
    }
    return _told(odd.empty, told, remedy, numbers)


def sides_apart(test: pd.DataFrame, training: pd.DataFrame) -> Finding:
    """Tell whether no test cell is also a training cell.

    Parameters
    ----------
    test, training : pandas.DataFrame
        Hold the identity of the cells.

    Returns
    -------
    Finding
    """
    shared = len(test[IDENTITY].merge(training[IDENTITY], on=IDENTITY))
    told = f"{shared} of {len(test)} test cells are also among the {len(training)} training cells"
    remedy = ": make training_cells and test_cells again together, as the AUC is too good."
    numbers = {"cells on both sides": shared, "test cells": len(test)}
    return _told(not shared, told, remedy, numbers | {"training cells": len(training)})


def scores_agree(drawn: pd.DataFrame, shown: str, predictions: pd.DataFrame) -> Finding:
    """Tell whether the score under each picture is that cell's score in the table.

    Parameters
    ----------
    drawn : pandas.DataFrame
        Identity of each cell that is drawn, and its score as it is shown.
    shown : str
        Column of the score in `drawn`.
    predictions : pandas.DataFrame
        Identity and ``prob_class1``.

    Returns
    -------
    Finding
        A cell that is not in the table has a wrong score.
    """
    both = drawn[[*IDENTITY, shown]].merge(
        predictions[[*IDENTITY, SCORE]], on=IDENTITY, how="left", validate="many_to_one"
    )
    wrong = int((both[shown] != both[SCORE]).sum())
    told = f"{wrong} of {len(drawn)} pictures carry a score that is not their cell's in the table"
    remedy = ": do not use the figure; make error_galleries again."
    return _told(not wrong, told, remedy, {"pictures": len(drawn), "wrong scores": wrong})


def features_match(table: Sequence[str], model: Sequence[str], name: str) -> Finding:
    """Tell whether a table has the features of a model and no others.

    Parameters
    ----------
    table : sequence of str
        Features of the table, in any order.
    model : sequence of str
        Features that the model was trained on.
    name : str
        What the reader calls the table.

    Returns
    -------
    Finding
    """
    lacking = [feature for feature in model if feature not in set(table)]
    unknown = [feature for feature in table if feature not in set(model)]
    told = f"{name} has {len(table)} features, and the classifier was trained on {len(model)}"
    wrong = [
        f"{what} {_first(names)}"
        for what, names in (("it lacks", lacking), ("the classifier does not know", unknown))
        if names
    ]
    remedy = f"; {' and '.join(wrong)}: make both again with the same study file."
    numbers = {"features": len(table), "lacking": len(lacking), "unknown": len(unknown)}
    return _told(not wrong, told, remedy, numbers)


def _told(passed: bool, told: str, remedy: str, numbers: Numbers) -> Finding:
    return Finding(bool(passed), told + ("." if passed else remedy), numbers)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _shortened(reason: str) -> str:
    words = " ".join(reason.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
