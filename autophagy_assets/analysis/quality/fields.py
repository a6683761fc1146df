"""Checks of the fields of view of a sample: none lost, few excluded, enough cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from autophagy_assets.analysis.quality.finding import NAMED, Finding, answer, counted, first_of
from autophagy_assets.config.sections import Checks

_LONGEST = 200  # characters of a reason


def fields_accounted_for(registered: Collection[str], manifest: pd.DataFrame) -> Finding:
    """Check whether each registered field of a sample is in its manifest, once.

    Parameters
    ----------
    registered : collection of str
        Fields of view that LaminDB has of the sample.
    manifest : pandas.DataFrame
        One row per field, with ``fov`` and ``status``.
    """
    known, rows = set(registered), manifest["fov"].astype(str)
    problems = {
        "missing": sorted(known - set(rows)),
        "not registered": sorted(set(rows) - known),
        "listed twice": sorted(set(rows[rows.duplicated()])),
    }
    observation = (
        f"Of {counted(len(known), 'registered field of view')}, the manifest lists {len(rows)}; "
        f"{int((manifest['status'] == 'ok').sum())} of them could be used"
    )
    wrong = [f"{what}: {first_of(names)}" for what, names in problems.items() if names]
    remedy = f" ({'; '.join(wrong)}): run 'autophagy refresh' to image the sample again."
    numbers = {"registered": len(known), "in the manifest": len(rows)}
    return answer(
        not wrong, observation, remedy, numbers | {k: len(v) for k, v in problems.items()}
    )


def fields_excluded(reasons: Mapping[str, str], total: int | None = None) -> Finding:
    """Count the fields that were excluded, with the reasons.

    Parameters
    ----------
    reasons : mapping of str to str
        Name of an excluded field to the reason.
    total : int, optional
        Number of fields that there are.

    Returns
    -------
    Finding
        The reasons are shortened; at most 20 are among the numbers.
    """
    of = "" if total is None else f" of {total}"
    observation = f"Fields of view excluded: {len(reasons)}{of}"
    short = {name: _shortened(reason) for name, reason in reasons.items()}
    first = "; ".join(f"{name}: {short[name]}" for name in list(short)[:NAMED])
    more = f"; and {len(short) - NAMED} more" if len(short) > NAMED else ""
    remedy = f" ({first}{more}): correct the images and ingest them again, or leave them out."
    numbers: dict[str, int | float | str] = {"excluded": len(reasons)}
    if total is not None:
        numbers["fields"] = total
    if short:
        numbers["reasons"] = "\n".join(f"{k}: {short[k]}" for k in list(short)[:20])
    return answer(not reasons, observation, remedy, numbers)


def cells_per_field(manifest: pd.DataFrame, checks: Checks) -> Finding:
    """Check whether the fields of a sample have about as many cells as usual.

    Parameters
    ----------
    manifest : pandas.DataFrame
        One row per field, with ``fov``, ``status`` and ``n_cells`` (-1 where it is not known).
    checks : Checks
        The usual range.
    """
    used = manifest[(manifest["status"] == "ok") & (manifest["n_cells"] >= 0)]
    low, high = checks.cells_per_field
    if used.empty:
        return Finding(True, "No field of view has a known number of cells.", {"fields": 0})
    counts = used["n_cells"]
    odd = used[(counts < low) | (counts > high)]
    names = [f"{row.fov} has {row.n_cells}" for row in odd.itertuples()]
    observation = (
        f"{counted(len(used), 'field of view')} with {counts.min()} to {counts.max()} cells each; "
        f"{low} to {high} are taken as usual"
    )
    remedy = (
        f", and {len(odd)} outside ({first_of(names)}): look at focus, density and the "
        "thresholds of the segmentation."
    )
    numbers = {
        "fewest cells": int(counts.min()),
        "median cells": float(counts.median()),
        "most cells": int(counts.max()),
        "fields": len(used),
        "fields outside": len(odd),
    }
    return answer(odd.empty, observation, remedy, numbers)


def _shortened(reason: str) -> str:
    words = " ".join(reason.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
