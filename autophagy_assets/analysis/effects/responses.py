"""Responses: what a stimulation changes in each clone and in each of its fields of view."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from autophagy_assets.analysis.evidence.field_groups import GROUP, field_groups
from autophagy_assets.analysis.identity import SCORE, field_numbers
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

POSITIVE_SHARE, MEAN_PROBABILITY = "positive share", "mean probability"
FIELD, CLONE = "field", "clone"
COLUMNS = ["genotype", "clone", "fov", "level", "stimulation", "measure", "n_cells", "value"]
FIELD_NUMBER = "field"
_LABELS = ["genotype", "clone", "stimulation", "fov", FIELD_NUMBER]
_KEYS = ["genotype", "clone", "fov", "level", "measure"]


def measure(
    cells: pd.DataFrame, threshold: float, features: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Measure every clone and every field of view under each stimulation.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, metadata and ``prob_class1`` of the control's and the knockouts' cells, by models
        that had not seen them; stimulations that are no class may be among them.
    threshold : float
        A cell is positive if its probability is above it.
    features : mapping of str to str, optional
        Columns of `cells` to be averaged too, such as the number of puncta, by what they are
        called.

    Returns
    -------
    pandas.DataFrame
        ``genotype``, ``clone``, ``fov``, ``level`` (field or clone), ``stimulation``, ``measure``,
        ``n_cells`` and ``value``: a mean over the cells. ``fov`` is the group of fields of view as
        `field_groups` gives it, and empty for a clone.

    Raises
    ------
    InputError
        If there are no cells, or a feature is not there.
    """
    table = cell_values(cells, threshold, features)
    measures = [column for column in table.columns if column not in _LABELS]
    parts = []
    for level in (FIELD, CLONE):
        by = ["genotype", "clone", "fov", "stimulation"]
        grouped = table.assign(fov=table["fov"] if level == FIELD else "").groupby(by)
        means = grouped[measures].mean()
        means["n_cells"] = grouped.size()
        long = means.reset_index().melt([*by, "n_cells"], measures, "measure", "value")
        parts.append(long.assign(level=level))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def cell_values(
    cells: pd.DataFrame, threshold: float, features: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Value of every cell in each measure.

    Parameters
    ----------
    cells, threshold, features
        As for `measure`.

    Returns
    -------
    pandas.DataFrame, shape (n_cells, n_columns)
        ``genotype``, ``clone``, ``stimulation``, ``fov`` (the group of fields of view),
        ``field`` (a number for each field), and a column by measure, whose mean over cells is the
        value of a field or a clone.

    Raises
    ------
    InputError
        If there are no cells, or a feature is not there.
    """
    if cells.empty:
        raise InputError("There are no scored cells whose response could be measured.")
    columns = dict(features or {})
    if absent := [column for column in columns.values() if column not in cells.columns]:
        raise InputError(f"The scored cells have no column {absent[0]!r}; name another feature.")
    values = pd.DataFrame(
        {POSITIVE_SHARE: (cells[SCORE] > threshold).astype(float), MEAN_PROBABILITY: cells[SCORE]}
        | {name: cells[column] for name, column in columns.items()}
    )
    fields, groups = field_numbers(cells), field_groups(cells)[GROUP].to_numpy()
    labels = cells.assign(**{"fov": groups[fields], FIELD_NUMBER: fields})[_LABELS]
    return pd.concat([labels, values], axis=1)


def responses(measured: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Stimulated minus untreated, of every clone and every field of view that has both.

    Parameters
    ----------
    measured : pandas.DataFrame
        As `measure` gives it.
    study : Study
        Says which stimulation is none (class 0).

    Returns
    -------
    pandas.DataFrame
        Columns of `measure`; ``stimulation`` is the one whose response it is, ``n_cells`` counts
        the cells of both sides and ``value`` is the difference.
    """
    untreated = measured["stimulation"] == study.classes[0]
    sides = measured[~untreated].merge(
        measured[untreated][[*_KEYS, "n_cells", "value"]], on=_KEYS, suffixes=("", " untreated")
    )
    sides["value"] -= sides["value untreated"]
    sides["n_cells"] += sides["n_cells untreated"]
    return sides[COLUMNS]


def without_response(measured: pd.DataFrame, study: Study) -> list[str]:
    """Clones without a response, as they lack untreated or stimulated cells, with the reason.

    Parameters
    ----------
    measured : pandas.DataFrame
        As `measure` gives it.

    Returns
    -------
    list of str
        A sentence each.
    """
    clones = measured[measured["level"] == CLONE]
    sentences = []
    for (genotype, clone), rows in clones.groupby(["genotype", "clone"]):
        found = set(rows["stimulation"])
        if study.classes[0] not in found:
            lacks = study.classes[0]
        elif len(found) == 1:
            lacks = study.classes[1]
        else:
            continue
        sentences.append(f"{clone} of {genotype} has no {lacks} cells, so it has no response.")
    return sentences
