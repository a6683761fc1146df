"""What a study ought to be: its images, their labels and its study file; nothing of what is."""

from __future__ import annotations

import copy
import csv
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autophagy_assets.config.study import DEFAULT_STUDY
from autophagy_assets.simulation import simulate
from autophagy_assets.simulation.treatments import Condition

VARIANTS = 2
WT, KNOCKOUT, UNTREATED, STIMULATED = "WT", "EI24KO", "untreated", "14h Torin-1"
# Without both classes of the control there is no classifier, so that these stay.
BASE = ("WT untreated 1", "WT stimulated 1", "EI24KO untreated 1")
OTHERS = ("WT untreated 2", "EI24KO stimulated 1")
PLACES = {
    "WT untreated 1": Condition(WT, 1, UNTREATED, 1),
    "WT untreated 2": Condition(WT, 1, UNTREATED, 2),
    "WT stimulated 1": Condition(WT, 1, STIMULATED, 1),
    "EI24KO untreated 1": Condition(KNOCKOUT, 1, UNTREATED, 1),
    "EI24KO stimulated 1": Condition(KNOCKOUT, 1, STIMULATED, 1),
}
# Entry of the study file to its values; the first is what it is at the beginning.
ENTRIES: dict[str, list[Any]] = {
    "segmentation.nucleus_threshold": [0.2, 0.25],
    "models.as_published.parameters.max_depth": [10, 1],
    "split.random_state": [42, 7],
    "galleries.class_cells": [4, 3],
    "galleries.error_cells": [2, 3],
    "marker_name": ["LC3B", "LC3"],
}
# Label to its values. Those of one kind have one slug, so that the samples stay the same.
LABELS: dict[str, list[str]] = {
    "clone of WT": ["line clone 1", "line clone-1"],
    "clone of EI24KO": ["line KO clone 1", "line-KO clone 1"],
    "resolution": ["0.597976081", "0.25"],
}
_FASTER: dict[str, Any] = {
    "name": "state machine",
    "models.as_published.parameters.n_estimators": 5,
    "cross_validation.permutations": 1,
    "segmentation.image_size": 64,
    "segmentation.median_filter_px": 1,
    "checks.cells_per_field": [1, 300],
}


class Pool:
    """Images of every field in two variants, simulated once.

    Parameters
    ----------
    folder : pathlib.Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for variant in range(VARIANTS):
            simulate(
                folder / str(variant),
                seed=variant,
                size=320,
                cells_per_field=14,
                fields_per_sample=2,
                clones=1,
            )
        self._count = 0

    def folder_of(self, wanted: Wanted, places: list[str]) -> Path:
        """A folder as it is ingested, with some of the fields that are wanted."""
        self._count += 1
        folder = self.folder / f"ingest-{self._count}"
        (folder / "images").mkdir(parents=True)
        rows = []
        for place in places:
            condition = PLACES[place]
            for row in condition.metadata():
                path = str(row["image_path"])
                os.link(self.folder / str(wanted.fields[place]) / path, folder / path)
                clone = wanted.labels[f"clone of {condition.genotype}"]
                rows.append(
                    row | {"cell_line_clone": clone, "resolution": wanted.labels["resolution"]}
                )
        with (folder / "metadata_files.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return folder


@dataclass
class Wanted:
    """What ought to hold.

    Parameters
    ----------
    fields : dict
        Place to the variant of its images, of every field that is registered.
    labels, entries : dict
        Labels and entries of the study file by name.
    """

    fields: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BASE, 0))
    labels: dict[str, str] = field(default_factory=lambda: {k: v[0] for k, v in LABELS.items()})
    entries: dict[str, Any] = field(default_factory=lambda: {k: v[0] for k, v in ENTRIES.items()})

    def copy(self) -> Wanted:
        return copy.deepcopy(self)

    @property
    def key(self) -> str:
        """Two that ought to have the same contents have the same."""
        shown = {PLACES[place].genotype for place in self.fields}
        labels = {
            k: v for k, v in self.labels.items() if k == "resolution" or k.split()[-1] in shown
        }
        return json.dumps([self.fields, labels, self.entries], sort_keys=True)

    def name_of(self, place: str) -> str:
        """How messages call a field."""
        condition = PLACES[place]
        clone = self.labels[f"clone of {condition.genotype}"]
        return f"{condition.genotype}, {clone}, {condition.stimulation}, FOV{condition.fov}"

    def may_go(self, place: str) -> bool:
        """Whether the control keeps both classes without a field."""
        left = [PLACES[other] for other in self.fields if other != place]
        return {c.stimulation for c in left if c.genotype == WT} == {UNTREATED, STIMULATED}

    def write_study(self, path: Path) -> None:
        """Write the study file."""
        study = yaml.safe_load(DEFAULT_STUDY.read_text())
        # One model: each adds its assets to every one of some hundred refreshes.
        study["models"] = [_named(study["models"], "as_published") | {"primary": True}]
        for name, value in (_FASTER | self.entries).items():
            *sections, entry = name.split(".")
            part = study
            for section in sections:
                part = part[section] if isinstance(part, dict) else _named(part, section)
            part[entry] = value
        beside = path.with_suffix(".new")
        beside.write_text(yaml.safe_dump(study))
        beside.replace(path)


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The entry of a list that has a name, such as a model."""
    (found,) = (entry for entry in entries if entry["name"] == name)
    return found
