"""Another instance as the source: made with plain LaminDB, read from, never written to.

It is of a lab that does not know this platform, in the settings folder that both share, and holds
several studies. The platform runs once in a process of its own, with ``AUTOPHAGY_SOURCE``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.preloaded import run_python

pytestmark = pytest.mark.slow

# Name of a study to what the lab has of it, and whether its labels say what they are of.
STUDIES = {
    "whole study": ("datasets tables", "features"),
    "plain labels": ("datasets tables", "plain"),
    "crops alone": ("datasets", "features"),
    "raw images alone": ("raw", "features"),
}

# What a lab does that has only LaminDB: no module of the package but the makers of test files.
LAB = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import lamindb_setup
storage, studies = Path(sys.argv[1]), json.loads(sys.argv[2])
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

def add(path, key, description, values, labelling):
    artifact = ln.Artifact(path, key=key, description=description, run=run).save()
    for name in values.values():
        named(name)
    if labelling == "features":
        artifact.features.add_values(values)
    else:
        artifact.ulabels.add(*[named(name) for name in values.values()])
    return artifact

def field(study, labelling, genotype, stimulation, code, ids):
    place = f"{study}/{genotype}/{stimulation}/{code}"
    folder = storage / study / f"{genotype}{code}"
    folder.mkdir(parents=True)
    values = {"study": study, "genotype": genotype, "stimulation": stimulation}
    if labelling == "features":
        values |= {"cell_line_clone": f"{genotype} clone {code // 2}", "FOV": "FOV1"}
    crops = add(
        write_h5sc(folder / "single_cell_data.h5ad", code, ids, channels),
        f"{place}/single_cell_data.h5ad", "single cells",
        values | {"artifact type": "scportrait single-cell images"}, labelling,
    )
    random = np.random.default_rng(code)
    nuclei = {i: tuple(int(x) for x in random.integers(10, 110, 2)) for i in ids}
    add(
        write_store(folder / "spatialdata.zarr", nuclei, (120, 120), like),
        f"{place}/spatialdata.zarr", "field", values | {"artifact type": "spatialdata"},
        labelling,
    )
    return crops.uid

def raw(study, labelling, genotype, stimulation):
    for channel in channels:
        path = storage / "raw" / f"{genotype}{stimulation}{channel}.tif"
        path.parent.mkdir(exist_ok=True)
        seed = len(channel) + len(genotype + stimulation)
        pixels = np.random.default_rng(seed).integers(0, 999, (16, 16), dtype=np.uint16)
        tifffile.imwrite(path, pixels)
        add(path, f"raw/{path.name}", "raw image", {
            "study": study, "genotype": genotype, "stimulation": stimulation,
            "cell_line_clone": f"{genotype} clone 1", "FOV": "FOV1", "channel": channel,
            "artifact type": "raw image",
        }, labelling)

def has(seed, study, holds, labelling):
    uids = {"tables": {}, "datasets": {}}
    for number, genotype in enumerate(["WT", "EI24KO"]):
        if "raw" in holds:
            raw(study, labelling, genotype, "untreated")
            raw(study, labelling, genotype, "14h Torin-1")
        # Numbers of its own in each study: LaminDB knows equal files as one.
        table = raw_features(2 * seed + number, like, genotype, cells=16).reset_index(drop=True)
        if "datasets" in holds:
            mapping = {}
            for code, (name, cells) in enumerate(table.groupby("dataset")):
                stimulation = ["untreated", "14h Torin-1"][int(cells["class"].iloc[0])]
                ids = sorted(int(i) for i in cells["scportrait_cell_id"])
                mapping[name] = field(study, labelling, genotype, stimulation, code, ids)
            table["dataset"] = table["dataset"].map(mapping)
            uids["datasets"][genotype] = sorted(mapping.values())
        if "tables" in holds:
            path = storage / study / f"{genotype}.parquet"
            table.to_parquet(path, index=False)
            uids["tables"][genotype] = add(
                path, f"{study}/{genotype}.parquet", "featurized single-cell images",
                {"study": study, "genotype": genotype}, labelling,
            ).uid
    return uids

held = {name: has(seed, name, *how) for seed, (name, how) in enumerate(studies.items())}
print(json.dumps({"slug": ln.setup.settings.instance.slug, "held": held}))
"""

PLATFORM = """
import json
from pathlib import Path
import autophagy_assets.compute.pool as compute
import autophagy_assets.analysis.imaging.featurization as featurization
import autophagy_assets.analysis.imaging.segmentation as segmentation
from autophagy_assets.registry.lineage.lineage import lineage_of
from autophagy_assets.registry.lineage.lineage_formats import render
from autophagy_assets.registry.store.instance import connect
from autophagy_assets_tests.assets.fakes import fake_featurize, fake_process_field, one_by_one
from autophagy_assets_tests.platform import Platform, study_file

ln = connect()

def platform_of(study, **models):
    return Platform(study_file(Path("."), study, **models))

def refreshed(platform):
    done = platform.refresh()
    again = platform.refresh()
    inputs = lambda asset, p=None: sorted(
        a.uid for a in platform.artifact(asset, p).run.input_artifacts.all()
    )
    return {
        "failed": {str(t): e for t, e in done.failed.items()},
        "made": sorted(str(t) for t in done.made),
        "again": [str(t) for t in again.made],
        "samples": platform.partitions("sample"),
        "knockouts": platform.partitions("knockout"),
        "table inputs": {g: inputs("raw_features", g) for g in platform.partitions("genotype")},
        "lineage": [
            render(lineage_of(platform.artifact("raw_features", "WT").uid), style)
            for style in ("tree", "dot")
        ],
        "gallery inputs": inputs("error_galleries"),
        "shown": sorted(set(platform.table("error_galleries")["dataset"])),
        "context inputs": inputs("spatial_context"),
        "cells": platform.table("clean_features", "WT").iloc[:, :7].astype(str)
            .agg("|".join, axis=1).str.split("|").str[3:6].drop_duplicates().values.tolist(),
    }

def imaged(platform):
    platform.sync()
    manifests = {}
    for sample in platform.partitions("sample"):
        platform.run("single_cell_images", "cell_features", partition=sample)
        manifests[sample] = platform.table("single_cell_images", sample).to_dict("records")
    platform.features()
    run = platform.artifact("single_cell_images", platform.partitions("sample")[0]).run
    genotypes = platform.partitions("genotype")
    return {
        "manifests": manifests,
        "genotypes": genotypes,
        "cells": {g: len(platform.table("clean_features", g)) for g in genotypes},
        "metadata": platform.table("clean_features", "WT")
            [["genotype", "stimulation", "clone", "fov"]].drop_duplicates().values.tolist(),
        "inputs": sorted(a.uid for a in run.input_artifacts.all()),
        "outputs": sorted(a.key.rsplit("/", 1)[1] for a in run.output_artifacts.all()),
    }

found = {"ours": ln.setup.settings.instance.slug}
found["whole study"] = refreshed(platform_of("whole study", models={}))
found["plain labels"] = refreshed(platform_of("plain labels"))
segmentation.process_field, featurization.featurize = fake_process_field, fake_featurize
compute.map_fields = one_by_one
for study in ("crops alone", "raw images alone"):
    found[study] = imaged(platform_of(study))
print(json.dumps(found, default=str))
"""


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


@dataclass
class Found:
    """What a lab has, and what the platform has made of it."""

    lab: dict[str, Any]
    here: dict[str, Any]
    unwritten: bool

    def of(self, study: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the lab has of a study, and what was made of that."""
        return self.lab["held"][study], self.here[study]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A lab's instance, and all that the platform makes with it as the source."""
    folder = tmp_path_factory.mktemp("source")
    storage, settings = folder / "lab", {"LAMIN_SETTINGS_DIR": str(folder / "settings")}

    def run(script: str, home: str, *arguments: Any, **more: str) -> dict[str, Any]:
        variables = clean_environment(folder / home, PYTHONPATH=str(ROOT), **settings, **more)
        done = run_python(["-c", script, *arguments], variables, folder)
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        return json.loads(done.stdout.strip().splitlines()[-1])

    lab = run(LAB, "labs", storage, json.dumps(STUDIES))
    before = state(storage)
    here = run(PLATFORM, "home", AUTOPHAGY_SOURCE=lab["slug"])
    return Found(lab, here, state(storage) == before)


def test_the_source_is_not_written_to(found):
    assert found.unwritten, "the source was written to"


def test_tables_and_crops_of_a_source_give_the_whole_study(found):
    made, done = found.of("whole study")
    assert done["failed"] == {}
    assert done["again"] == []
    assert done["samples"] == [], "imaging is not run where tables are there"
    assert done["knockouts"] == ["EI24KO"]
    of_models = {f"error_galleries[{model}]" for model in ("as_published", "puncta")}
    assert of_models | {"spatial_context", "ko_evaluation[EI24KO]"} <= set(done["made"])
    assert found.here["ours"] != found.lab["slug"]
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


def test_lineage_says_of_which_instance_a_table_was_read(found):
    _, done = found.of("whole study")
    for lineage in done["lineage"]:
        assert f"read from {found.lab['slug']}" in lineage
        assert "made by raw_features" in lineage and "lamindb_transfer" not in lineage


def test_labels_that_say_no_kind_are_enough(found):
    made, done = found.of("plain labels")
    assert done["failed"] == {}
    assert done["table inputs"] == {g: [uid] for g, uid in made["tables"].items()}
    assert sorted(done["cells"]) == [
        ["WT", "14h Torin-1", "unknown"],
        ["WT", "untreated", "unknown"],
    ]


def test_crops_alone_are_featurized_here(found):
    made, done = found.of("crops alone")
    assert done["genotypes"] == ["EI24KO", "WT"]
    rows = [row for manifest in done["manifests"].values() for row in manifest]
    uids = sorted(made["datasets"]["WT"] + made["datasets"]["EI24KO"])
    assert sorted(row["dataset"] for row in rows) == uids
    assert {row["status"] for row in rows} == {"ok"}
    assert all(count > 0 for count in done["cells"].values())
    assert all("unknown" not in row for row in done["metadata"])


def test_raw_images_alone_are_imaged_here(found):
    _, done = found.of("raw images alone")
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
