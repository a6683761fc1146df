"""Datasets of a study: single-cell images and featurized tables.

Everything is found by label, as a person would look for it, in the source instance if
one is set and else in the store. Downstream nothing knows which of the two it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from autophagy_assets.analysis.identity import DATASET, FIRST_ID, METADATA
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.provenance.runs import transform_key
from autophagy_assets.registry.shared_datasets import fields_of
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.instance import connect, source, source_name
from autophagy_assets.registry.store.keys import beside
from autophagy_assets.registry.store.labels import labels_of
from autophagy_assets.registry.store.lamin_internals import label_links

SINGLE_CELL_IMAGES = "scportrait single-cell images"
FEATURIZED = "featurized single-cell images"
RESOLUTION = "resolution"
UNKNOWN = "unknown"


def single_cell_datasets(study: Study, *, every_version: bool = False) -> pd.DataFrame:
    """Single-cell image datasets of a study with their labels.

    Parameters
    ----------
    every_version : bool
        Give older versions too.

    Returns
    -------
    pandas.DataFrame
        One row per field of view: ``dataset`` (uid), ``key``, ``genotype``, ``stimulation``,
        ``clone``, ``fov``, ``pixel_um`` (float, NaN where unknown), ``n_cells``, and
        ``own`` (whether this platform made it in this store); sorted by key. Where fields share
        a dataset, also ``first_id``.
    """
    return _described(_single_cell_datasets(study, every_version), study)


def _single_cell_datasets(study: Study, every_version: bool) -> Any:
    found = source().Artifact.filter(ulabels__name=study.name)
    # Not as a second join: a database would begin with the study's label, so with all its images.
    links = label_links().objects.using(found.db).filter(ulabel__name=SINGLE_CELL_IMAGES)
    found = found.filter(id__in=links.values("artifact_id"))
    return found if every_version else found.filter(is_latest=True)


def foreign_datasets(study: Study, *, every_version: bool = False) -> pd.DataFrame:
    """Single-cell image datasets of a study that were not made by this platform.

    Parameters
    ----------
    every_version : bool
        Give older versions too: a feature table may name them.

    Returns
    -------
    pandas.DataFrame
        As :func:`single_cell_datasets`.
    """
    found = _single_cell_datasets(study, every_version)
    if source_name() is None:  # those of this platform may be very many
        found = found.exclude(run__transform__key=transform_key("single_cell_images"))
    return _described(found, study)


def _described(found: Any, study: Study) -> pd.DataFrame:
    own = transform_key("single_cell_images") if source_name() is None else None
    known = labels_of(found)
    rows: list[dict[str, Any]] = []
    for uid, key, n_cells, maker, notes in found.values_list(
        "uid", "key", "n_observations", "run__transform__key", "extra_data"
    ).distinct():
        row = {
            DATASET: uid,
            "key": key,
            "genotype": known[uid].get(lab.GENOTYPE) or _guess(known[uid], study),
            "stimulation": _stimulation(known[uid], study),
            "clone": known[uid].get(lab.CLONE, UNKNOWN),
            "fov": known[uid].get(lab.FOV, UNKNOWN),
            "pixel_um": pixel_um(known[uid]),
            "n_cells": n_cells,
            "own": own is not None and maker == own,
        }
        fields = fields_of(notes)
        parts = [{name: field[name] for name in ("fov", "n_cells", FIRST_ID)} for field in fields]
        rows += [row | part for part in parts or [{}]]
    columns = [DATASET, "key", *METADATA, "pixel_um", "n_cells", "own"]
    columns += [FIRST_ID] if any(FIRST_ID in row for row in rows) else []
    table = pd.DataFrame(rows, columns=columns)
    table = table.sort_values([c for c in ("key", DATASET, FIRST_ID) if c in table])
    return table.reset_index(drop=True).astype({"pixel_um": float})


def pixel_um(labels: Mapping[str, str]) -> float:
    """Size of a pixel according to labels.

    Parameters
    ----------
    labels : mapping
        Kind of label to name.

    Returns
    -------
    float
        In um; NaN where they do not say.
    """
    return float(pd.to_numeric(labels.get(RESOLUTION), errors="coerce"))


def _stimulation(known: dict[str, str], study: Study) -> str:
    named = known.get(lab.STIMULATION)
    plain = [name for name in known.values() if name in study.stimulations]
    return named or (plain[0] if plain else UNKNOWN)


def _guess(known: dict[str, str], study: Study) -> str:
    """Genotype of an artifact whose labels were attached without saying their kind."""
    plain = {name for kind, name in known.items() if kind.startswith(lab.PLAIN)}
    plain -= {study.name, SINGLE_CELL_IMAGES, FEATURIZED, *study.stimulations}
    if study.control in plain:
        return study.control
    return plain.pop() if len(plain) == 1 else UNKNOWN


def featurized_tables(study: Study) -> dict[str, str]:
    """Featurized tables that were not computed here, by genotype.

    Returns
    -------
    dict
        Genotype label to artifact uid.

    Raises
    ------
    InputError
        If a genotype has two: which of them was meant nobody can know.
    """
    found = source().Artifact.filter(
        ulabels__name=study.name, is_latest=True, description=FEATURIZED
    )
    own: set[str] = set()
    if source_name() is None:  # in the store stand also those that were computed here
        computed = found.filter(run__transform__key=transform_key("raw_features"))
        own = set(computed.values_list("uid", flat=True))
    tables: dict[str, str] = {}
    known: dict[str, str] = {}  # by the name of the partition
    for uid, entry in sorted(labels_of(found).items()):
        genotype = entry.get(lab.GENOTYPE) or _guess(entry, study)
        if uid in own or genotype == UNKNOWN:
            continue
        if (other := known.setdefault(slug(genotype), uid)) != uid:
            raise InputError(
                f"Study {study.name!r} has two featurized tables of genotype {genotype!r} ({other} "
                f"and {uid}): take the label of the study off the one that is not meant, or put "
                "both into one table."
            )
        tables[genotype] = uid
    return tables


def genotype_labels(study: Study) -> list[str]:
    """Genotypes of a study, with images, datasets or tables.

    Returns
    -------
    list of str
        Labels, sorted.
    """
    found = {field.genotype for field in raw_fields(study)}
    found |= set(single_cell_datasets(study)["genotype"]) | set(featurized_tables(study))
    return sorted(found - {UNKNOWN})


def companion(uid: str, name: str) -> str:
    """Uid of a file that was saved beside another one under the same folder key.

    Parameters
    ----------
    uid : str
        Uid of a single-cell image dataset, whose key ends in ``single_cell_data.h5ad``.
    name : str
        Last part of the other one's key, such as ``spatialdata.zarr``.

    Returns
    -------
    str
        Full uid.

    Raises
    ------
    LookupError
        If there is none.
    """
    for registries in (connect(), source()):
        dataset = registries.Artifact.filter(uid=uid).one_or_none()
        if dataset is None:
            continue
        others: Any = registries.Artifact.filter(key=beside(dataset.key, name))
        others = others.order_by("-is_latest", "-id")
        if dataset.run_id is not None:
            # The same run wrote both; a later run's file would show another segmentation.
            others = others.filter(run_id=dataset.run_id) or others
        if (other := others.first()) is not None:
            return other.uid
    raise LookupError(f"Dataset {uid} has no {name} beside it in LaminDB.")
