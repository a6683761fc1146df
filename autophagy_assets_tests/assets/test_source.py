"""Another instance as the source: made with plain LaminDB, read from, never written to.

Each test has an instance of a lab that does not know this platform, in the settings folder
that both share, and runs the platform in a process of its own with ``AUTOPHAGY_SOURCE``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# What a lab does that has only LaminDB: no module of the package but the makers of test files.
LAB = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import lamindb_setup
storage, holds, labelling = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3]
lamindb_setup.init(storage=str(storage), name="examples", modules="bionty", _write_settings=False)
from lamindb_setup import settings
settings.instance._persist(write_to_disk=True, write_current_instance_file=False)
import lamindb as ln
import numpy as np, tifffile
from autophagy_assets_tests.analysis.synthetic import raw_features, write_h5sc, write_store

channels = ["DAPI", "Alexa488", "mCherry"]
like = SimpleNamespace(channels=channels)
kinds = ["study", "genotype", "stimulation", "cell_line_clone", "FOV", "artifact type", "channel"]
for kind in kinds:
    ln.Feature(name=kind, dtype="cat[ULabel]").save()
run = ln.Run(ln.Transform(key="lab.py", kind="script").save()).save()

def named(name):
    return ln.ULabel.filter(name=name).one_or_none() or ln.ULabel(name=name).save()

def add(path, key, description, values):
    artifact = ln.Artifact(path, key=key, description=description, run=run).save()
    for name in values.values():
        named(name)
    if labelling == "features":
        artifact.features.add_values(values)
    else:
        artifact.ulabels.add(*[named(name) for name in values.values()])
    return artifact

def field(genotype, stimulation, code, ids):
    place = f"autophagy/{genotype}/{stimulation}/{code}"
    folder = storage / "autophagy" / f"{genotype}{code}"
    folder.mkdir(parents=True)
    values = {"study": "autophagy imaging", "genotype": genotype, "stimulation": stimulation}
    if labelling == "features":
        values |= {"cell_line_clone": f"{genotype} clone {code // 2}", "FOV": "FOV1"}
    crops = add(
        write_h5sc(folder / "single_cell_data.h5ad", code, ids, channels),
        f"{place}/single_cell_data.h5ad", "single cells",
        values | {"artifact type": "scportrait single-cell images"},
    )
    random = np.random.default_rng(code)
    nuclei = {i: tuple(int(x) for x in random.integers(10, 110, 2)) for i in ids}
    add(
        write_store(folder / "spatialdata.zarr", nuclei, (120, 120), like),
        f"{place}/spatialdata.zarr", "field", values | {"artifact type": "spatialdata"},
    )
    return crops.uid

def raw(genotype, stimulation):
    for channel in channels:
        path = storage / "raw" / f"{genotype}{stimulation}{channel}.tif"
        path.parent.mkdir(exist_ok=True)
        seed = len(channel) + len(genotype + stimulation)
        pixels = np.random.default_rng(seed).integers(0, 999, (16, 16), dtype=np.uint16)
        tifffile.imwrite(path, pixels)
        add(path, f"raw/{path.name}", "raw image", {
            "study": "autophagy imaging", "genotype": genotype, "stimulation": stimulation,
            "cell_line_clone": f"{genotype} clone 1", "FOV": "FOV1", "channel": channel,
            "artifact type": "raw image",
        })

uids = {"tables": {}, "datasets": {}}
for seed, genotype in enumerate(["WT", "EI24KO"]):
    if "raw" in holds:
        raw(genotype, "untreated"), raw(genotype, "14h Torin-1")
    table = raw_features(seed, like, genotype, cells=16).reset_index(drop=True)
    if "datasets" in holds:
        mapping = {}
        for code, (name, cells) in enumerate(table.groupby("dataset")):
            stimulation = ["untreated", "14h Torin-1"][int(cells["class"].iloc[0])]
            ids = sorted(int(i) for i in cells["scportrait_cell_id"])
            mapping[name] = field(genotype, stimulation, code, ids)
        table["dataset"] = table["dataset"].map(mapping)
        uids["datasets"][genotype] = sorted(mapping.values())
    if "tables" in holds:
        path = storage / "autophagy" / f"{genotype}.parquet"
        table.to_parquet(path, index=False)
        uids["tables"][genotype] = add(
            path, f"autophagy/{genotype}.parquet", "featurized single-cell images",
            {"study": "autophagy imaging", "genotype": genotype},
        ).uid
print(json.dumps({"slug": ln.setup.settings.instance.slug, **uids}))
"""

PLATFORM = """
import json, os, sys
import dagster as dg
from autophagy_assets_tests.platform import Platform
from autophagy_assets.config.study import DEFAULT_STUDY
from autophagy_assets.registry.store.instance import connect
platform = Platform(DEFAULT_STUDY)
"""
# The same study with fewer trees and cells shown, and with one model.
TWO_MODELS = """
from pathlib import Path
from autophagy_assets_tests.platform import study_file
platform = Platform(study_file(Path("."), platform.study.name, models={}))
"""
ONE_MODEL = TWO_MODELS.replace(", models={}", "")

REFRESH = """
done = platform.refresh()
again = platform.refresh()
ln = connect()
inputs = lambda asset, p=None: sorted(
    a.uid for a in platform.artifact(asset, p).run.input_artifacts.all()
)
print(json.dumps({
    "failed": {str(t): e for t, e in done.failed.items()},
    "made": sorted(str(t) for t in done.made),
    "again": [str(t) for t in again.made],
    "samples": platform.partitions("sample"),
    "knockouts": platform.partitions("knockout"),
    "table inputs": {g: inputs("raw_features", g) for g in platform.partitions("genotype")},
    "gallery inputs": inputs("error_galleries"),
    "shown": sorted(set(platform.table("error_galleries")["dataset"])),
    "context inputs": inputs("spatial_context"),
    "cells": platform.table("clean_features", "WT").iloc[:, :7].astype(str).agg("|".join, axis=1)
        .str.split("|").str[3:6].drop_duplicates().values.tolist(),
    "ours": ln.setup.settings.instance.slug,
    "known here": sorted(ln.Artifact.filter(ulabels__name="autophagy imaging")
        .values_list("uid", flat=True).distinct()),
}))
"""

IMAGING = (
    PLATFORM
    + """
from pathlib import Path
import pandas as pd
import autophagy_assets.compute.pool as compute
import autophagy_assets.analysis.imaging.featurization as featurization
import autophagy_assets.analysis.imaging.segmentation as segmentation
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field, one_by_one
segmentation.process_field, featurization.featurize = fake_process_field, fake_featurize
compute.map_fields = one_by_one
reported = platform.sync()
manifests = {}
for sample in platform.partitions("sample"):
    platform.run("single_cell_images", "cell_features", partition=sample)
    manifests[sample] = platform.table("single_cell_images", sample).to_dict("records")
platform.features()
ln = connect()
run = platform.artifact("single_cell_images", platform.partitions("sample")[0]).run
print(json.dumps({
    "reported": reported,
    "manifests": manifests,
    "genotypes": platform.partitions("genotype"),
    "cells": {g: len(platform.table("clean_features", g)) for g in platform.partitions("genotype")},
    "metadata": platform.table("clean_features", "WT")[["genotype", "stimulation", "clone", "fov"]]
        .drop_duplicates().values.tolist(),
    "inputs": sorted(a.uid for a in run.input_artifacts.all()),
    "outputs": sorted(a.key.rsplit("/", 1)[1] for a in run.output_artifacts.all()),
}, default=str))
"""
)


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with its content and its time of change."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def lab(run_script, tmp_path):
    """Make a lab's instance; gives what it holds, and how to run with it as the source."""

    def make(holds: str, labelling: str = "features"):
        settings = tmp_path / "settings"
        storage = tmp_path / "lab"
        made = run_script(
            LAB, storage, holds, labelling, home=tmp_path / "labs", LAMIN_SETTINGS_DIR=str(settings)
        )

        def run(script: str):
            return run_script(
                script, LAMIN_SETTINGS_DIR=str(settings), AUTOPHAGY_SOURCE=made["slug"]
            )

        return made, storage, run

    return make


def test_tables_and_crops_of_a_source_give_the_whole_study(lab):
    made, storage, run = lab("datasets,tables")
    before = state(storage)
    done = run(PLATFORM + TWO_MODELS + REFRESH)
    assert state(storage) == before, "the source was written to"
    assert done["failed"] == {}
    assert done["again"] == []
    assert done["samples"] == [], "imaging is not run where tables are there"
    assert done["knockouts"] == ["EI24KO"]
    of_models = {f"error_galleries[{model}]" for model in ("as_published", "puncta")}
    assert of_models | {"spatial_context", "ko_evaluation[EI24KO]"} <= set(done["made"])
    assert done["ours"] != made["slug"]
    # What was read of the source is known here, under the same uid.
    assert done["table inputs"] == {g: [uid] for g, uid in made["tables"].items()}
    assert set(done["shown"]) <= set(made["datasets"]["WT"]) & set(done["gallery inputs"])
    assert len(set(done["context inputs"]) & set(made["datasets"]["WT"])) == 1
    assert sorted(done["cells"]) == [
        ["WT", "14h Torin-1", "WT clone 0"],
        ["WT", "14h Torin-1", "WT clone 1"],
        ["WT", "untreated", "WT clone 0"],
        ["WT", "untreated", "WT clone 1"],
    ]


def test_labels_that_say_no_kind_are_enough(lab):
    made, storage, run = lab("datasets,tables", "plain")
    before = state(storage)
    done = run(PLATFORM + ONE_MODEL + REFRESH)
    assert state(storage) == before, "the source was written to"
    assert done["failed"] == {}
    assert done["table inputs"] == {g: [uid] for g, uid in made["tables"].items()}
    assert sorted(done["cells"]) == [
        ["WT", "14h Torin-1", "unknown"],
        ["WT", "untreated", "unknown"],
    ]


def test_crops_alone_are_featurized_here(lab):
    made, storage, run = lab("datasets")
    before = state(storage)
    done = run(IMAGING)
    assert state(storage) == before, "the source was written to"
    assert done["genotypes"] == ["EI24KO", "WT"]
    rows = [row for manifest in done["manifests"].values() for row in manifest]
    uids = sorted(made["datasets"]["WT"] + made["datasets"]["EI24KO"])
    assert sorted(row["dataset"] for row in rows) == uids
    assert {row["status"] for row in rows} == {"ok"}
    assert all(count > 0 for count in done["cells"].values())
    assert all("unknown" not in row for row in done["metadata"])


def test_raw_images_alone_are_imaged_here(lab):
    _, storage, run = lab("raw")
    before = state(storage)
    done = run(IMAGING)
    assert state(storage) == before, "the source was written to"
    assert len(done["manifests"]) == 4
    rows = [row for manifest in done["manifests"].values() for row in manifest]
    assert {row["status"] for row in rows} == {"ok"}
    assert len(done["inputs"]) == 3
    first = rows[0]["images"].split(";")
    assert sorted(first) == done["inputs"]
    assert done["outputs"].count("single_cell_data.h5ad") == 1
    assert sorted(done["metadata"]) == [
        ["WT", "14h Torin-1", "WT clone 1", "FOV1"],
        ["WT", "untreated", "WT clone 1", "FOV1"],
    ]
