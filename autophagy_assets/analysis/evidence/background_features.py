"""Features of the marker without a cell, and of cells on the background of another class.

Here: measuring them. Not here: how they are made (``field_background``, ``background``) and what
they say of a model (``shortcuts``, ``altered_data``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.field_background import FieldBackground, read_background
from autophagy_assets.analysis.features.sets import CONTRAST, LEVEL, PREFIX, UNITS
from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    FIELD_OF_VIEW,
    IDENTITY,
    KIND,
    METADATA,
    of_classes,
)
from autophagy_assets.analysis.marker.columns import names
from autophagy_assets.analysis.marker.features import in_units, known_size, on_contrast
from autophagy_assets.analysis.marker.views import edge_px, rescaled, view
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

Place = tuple[str, str]  # dataset and field of view

PATCH, SWAPPED = "patch", "swapped"


def background_features(
    cells: pd.DataFrame,
    stores: Mapping[str, str | os.PathLike[str]],
    pixel_um: Mapping[str, float],
    study: Study,
) -> tuple[pd.DataFrame, list[str]]:
    """Measure patches of the background, and cells on the background of another class.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        Identity, class and metadata of the control's cells; those of no class are left out.
    stores : mapping of str to path-like
        SpatialData zarr store of each dataset that has one. Each is read once.
    pixel_um : mapping of str to float
        Size of a pixel by dataset, where it is known.
    study : Study
        Gives the marker's channel, what is measured and the random state.

    Returns
    -------
    table : pandas.DataFrame
        Identity, class, metadata, ``kind`` and features of the marker on both scales. *patch*: the
        background of a field seen through the outlines of its cells, as many as it has cells and at
        most 60; ``scportrait_cell_id`` counts them within the field, from where the ids of its
        cells begin. *swapped*: every cell on the background of a field of the other class, of the
        same clone where there is one.
    sentences : list of str
        What was left out and why. The rest goes on.
    """
    cells = of_classes(cells)
    fields, said = _read(cells, stores, study)
    known = cells[[DATASET, CLASS, *METADATA]].drop_duplicates(FIELD_OF_VIEW)
    known = known.set_index(FIELD_OF_VIEW, drop=False).loc[list(fields)]
    rows: list[dict] = []
    for place, field in fields.items():
        label = known.loc[place].to_dict()
        dataset = str(label[DATASET])
        size = known_size(pixel_um.get(dataset), study.marker)
        rows += [label | row for row in _of_patches(field, study, size)]
        others = [fields[other] for other in _other_class(place, known, fields)]
        rows += [label | row for row in _of_swapped(field, others, study, size)]
        if not others:
            said.append(
                f"Cells of dataset {dataset} keep their background: no field of another class has "
                "a patch of background."
            )
    return _table(rows, study), said


def _read(
    cells: pd.DataFrame, stores: Mapping[str, str | os.PathLike[str]], study: Study
) -> tuple[dict[Place, FieldBackground], list[str]]:
    fields, said = {}, []
    for (dataset, fov), part in cells.groupby(FIELD_OF_VIEW, sort=True):
        if dataset not in stores:
            said.append(f"Dataset {dataset} is left out: LaminDB has its crops, not its field.")
            continue
        try:
            field = read_background(stores[dataset], set(part[CELL_ID]), study)
        except InputError as error:
            said.append(f"Dataset {dataset} is left out. {error}")
            continue
        fields[dataset, fov] = field
        if field.refused:
            said.append(f"Dataset {dataset} has no patches. {field.refused}")
        if missing := set(part[CELL_ID]) - set(field.cells):
            said.append(
                f"Dataset {dataset}: {len(missing)} of {len(part)} cells are left out, as they are "
                "not in the field; image it again."
            )
    return fields, said


def _other_class(
    place: Place, known: pd.DataFrame, fields: Mapping[Place, FieldBackground]
) -> list[Place]:
    """Fields of another class that have background, of the same clone where there is one."""
    own = known.loc[place]
    there = known[[fields[name].behind is not None for name in known.index]]
    other = there[there[CLASS] != own[CLASS]]
    same = other[other["clone"] == own["clone"]]
    return list((same if len(same) else other).index)


def _of_patches(field: FieldBackground, study: Study, size: float) -> Iterator[dict]:
    if field.patches is None:
        return
    found = zip(field.patches.images, field.patches.cells, field.patches.nuclei, strict=True)
    highest = field.highest - field.level
    for number, (image, cell, nucleus) in enumerate(found, start=1):
        measured = _measured(image[0] - field.level, cell, nucleus, highest, study, size)
        # As it is, not above the field's background: that is what differs between images.
        level = float(np.median(image[0][cell]))
        yield {CELL_ID: field.first_id + number, KIND: PATCH, **measured, LEVEL: level}


def _of_swapped(
    field: FieldBackground, others: list[FieldBackground], study: Study, size: float
) -> Iterator[dict]:
    if not others:
        return
    random = np.random.default_rng(study.cross_validation.random_state)
    for number, (cell_id, box) in enumerate(field.cells.items()):
        other = others[number % len(others)]
        assert other.behind is not None  # others have background
        behind = other.behind[random.integers(len(other.behind))]
        marker, shift = box.on(behind, field.level)
        # Saturated pixels are shifted with the rest, and are still the highest ones.
        highest = field.highest + shift - other.level
        found = _measured(marker - other.level, box.cell, box.nucleus, highest, study, size)
        yield {CELL_ID: cell_id, KIND: SWAPPED, **found}


def _measured(
    marker: np.ndarray, cell: np.ndarray, nucleus: np.ndarray, highest: float, study: Study,
    size: float,
) -> dict[str, float]:  # fmt: skip
    """Features on both scales of a marker above its background."""
    settings = study.marker
    seen = view(marker, cell, nucleus, edge_px(settings, size))
    contrast = on_contrast(rescaled(seen, settings.contrast_percentiles), settings, size)
    # As exact as the marker itself is held, or no pixel would reach it.
    units = in_units(seen, float(np.float32(highest)), settings, size)
    return {
        f"{PREFIX}{what}_{scale}": value
        for scale, found in ((CONTRAST, contrast), (UNITS, units))
        for what, value in found.items()
    }


def _table(rows: list[dict], study: Study) -> pd.DataFrame:
    radii = study.marker.radii_um
    features = [*names(radii, CONTRAST), *names(radii, UNITS), LEVEL]
    table = pd.DataFrame(rows, columns=[*IDENTITY, CLASS, *METADATA, KIND, *features])
    table[features] = table[features].astype("float64").fillna(0)
    return table.astype({CELL_ID: "int64", CLASS: "int64"})
