"""What another lab would have left in LaminDB: crops, SpatialData, tables; made up and small."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.study import Study
from autophagy_assets.registry.datasets import FEATURIZED, SINGLE_CELL_IMAGES
from autophagy_assets.registry.fields import sample_key
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets_tests.analysis.synthetic import raw_features, write_h5sc, write_store


@dataclass
class Given:
    """What was registered: tables by genotype, uids of tables, paths of crops by dataset."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    crops: dict[str, Path] = field(default_factory=dict)


def outsider(name: str = "another lab") -> Recorder:
    """Recorder of somebody who is not this platform's imaging."""
    return Recorder(Step(name, None, None, "by hand", "1"))


def given_study(
    study: Study,
    folder: Path,
    genotypes: Iterable[str] = ("WT", "EI24KO"),
    side: int = 8,
    **sizes: int,
) -> Given:
    """Register crops of so many px, SpatialData and a featurized table for each genotype."""
    given, recorder = Given(), outsider()
    for seed, genotype in enumerate(genotypes):
        table = raw_features(seed, study, genotype, **sizes).reset_index(drop=True)
        uids = {}
        for code, (name, cells) in enumerate(table.groupby(DATASET)):
            ids = sorted(int(cell) for cell in cells[CELL_ID])
            label = study.classes[int(cells[CLASS].iloc[0])]
            uid, path = give_dataset(recorder, study, folder, genotype, label, code, ids, side)
            uids[name] = uid
            given.crops[uid] = path
        table[DATASET] = table[DATASET].map(uids)
        given.tables[genotype] = table
        given.uids[genotype] = give_table(recorder, study, genotype, table)
    recorder.finish()
    return given


def give_dataset(
    recorder: Recorder,
    study: Study,
    folder: Path,
    genotype: str,
    stimulation: str,
    code: int,
    ids: list[int],
    side: int = 8,
) -> tuple[str, Path]:
    """One field of view: its crops, and its SpatialData beside them."""
    clone, fov = f"clone {1 + code // 2}", "FOV1"
    sample = sample_key(genotype, clone, stimulation)
    labels = {
        "study": study.name,
        "genotype": genotype,
        "stimulation": stimulation,
        "cell_line_clone": clone,
        "FOV": fov,
        "resolution": "0.5",
    }
    place = f"{slug(study.name)}/given/{sample}/{fov}"
    crops = recorder.put(
        lambda path: write_h5sc(path, code, ids, study.channels, side),
        f"{place}/single_cell_data.h5ad",
        f"single cells of {sample}",
        labels | {"artifact type": SINGLE_CELL_IMAGES},
        rows=len(ids),
    )
    random = np.random.default_rng(code)
    size = max(120, 2 * side)
    edge = side // 2 + 6  # their crops lie within the field
    nuclei = {i: tuple(int(x) for x in random.integers(edge, size - edge, 2)) for i in ids}
    recorder.put(
        lambda path: write_store(path, nuclei, (size, size), study),
        f"{place}/spatialdata.zarr",
        f"field of {sample}",
        labels | {"artifact type": "spatialdata"},
    )
    return crops.record.uid, crops.file.path


def give_table(recorder: Recorder, study: Study, genotype: str, table: pd.DataFrame) -> str:
    """A featurized table; the version that is found is the one given last."""
    output = recorder.put(
        lambda path: table.to_parquet(path, index=False),
        f"{slug(study.name)}/given/{slug(genotype)}.parquet",
        FEATURIZED,
        {"study": study.name, "genotype": genotype},
        rows=len(table),
    )
    return output.record.uid
