"""Groups of fields of view: one of each stimulation, of the same clone.

An image holds one class, so a single one says nothing of how well classes are told apart.
"""

from __future__ import annotations

import re

import pandas as pd

from autophagy_assets.analysis.identity import DATASET, FIELD_OF_VIEW

STIMULATION, CLONE, FOV, GENOTYPE = "stimulation", "clone", "fov", "genotype"
GROUP = "field_group"


def field_groups(cells: pd.DataFrame) -> pd.DataFrame:
    """Group fields of view of one clone and different stimulations.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Holds ``dataset``, ``genotype``, ``clone``, ``fov`` and ``stimulation``.

    Returns
    -------
    pandas.DataFrame, shape (n_fields, 6)
        ``dataset``, ``genotype``, ``clone``, ``fov``, ``stimulation`` and ``field_group``: the
        label of the field, or labels joined by "with" where they differ. A row for each field, in
        the order of `identity.field_numbers`.

    Notes
    -----
    Fields of one label go together. Of the labels that occur under one stimulation only, the first
    ones of the stimulations go together, then the second ones, in the order in which people count
    (FOV2 before FOV10). Where a stimulation has more fields than the others, those left over join
    the earlier groups in turn; where a clone has one stimulation, each of its fields is a group.
    """
    columns = [DATASET, GENOTYPE, CLONE, FOV, STIMULATION]
    fields = cells[columns].drop_duplicates(FIELD_OF_VIEW)
    fields = fields.sort_values(FIELD_OF_VIEW, ignore_index=True)
    fields[GROUP] = ""
    for _, part in fields.groupby([GENOTYPE, CLONE], sort=True):
        fields.loc[part.index, GROUP] = part[FOV].map(_groups_of(part))
    return fields


def _groups_of(fields: pd.DataFrame) -> dict[str, str]:
    """Group of each label of the fields of one clone."""
    under = fields.groupby(FOV)[STIMULATION].agg(set)
    shared = [label for label, found in under.items() if len(found) > 1]
    single: dict[str, list[str]] = {}
    for label in sorted(set(under.index) - set(shared), key=natural):
        single.setdefault(next(iter(under[label])), []).append(str(label))
    members = [[str(label)] for label in sorted(shared, key=natural)]
    if len(single) > 1:
        pairs = min(len(labels) for labels in single.values())
        by_stimulation = [single[stimulation] for stimulation in sorted(single)]
        members += [[labels[n] for labels in by_stimulation] for n in range(pairs)]
        left_over = [label for labels in by_stimulation for label in labels[pairs:]]
    else:
        left_over = [label for labels in single.values() for label in labels]
        if not members:
            members, left_over = [[label] for label in left_over], []
    for n, label in enumerate(left_over):
        members[n % len(members)].append(label)
    return {label: " with ".join(labels) for labels in members for label in labels}


def natural(label: object) -> list[tuple[int, int, str]]:
    """Sorting key that counts as people do: FOV2 before FOV10.

    Parameters
    ----------
    label : object
        Its text is sorted.

    Examples
    --------
    >>> sorted(["FOV10", "FOV2"], key=natural)
    ['FOV2', 'FOV10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", str(label))
    return [
        (0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part)
        for part in parts
    ]
