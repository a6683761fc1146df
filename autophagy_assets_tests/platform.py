"""A small platform in the store of the session: its own study, its own Dagster, no segmentation.

``given_study`` registers what another lab would have left in LaminDB: crops, SpatialData and
featurized tables, made up and small. ``Platform`` runs the real assets on it, as Dagster would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import yaml

from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets.registry.datasets import FEATURIZED, SINGLE_CELL_IMAGES
from autophagy_assets.registry.fields import sample_key
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.staleness.materializations import UID, Materialization, latest
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS
from autophagy_assets_tests.analysis.synthetic import raw_features, write_h5sc, write_store

TREES = 12  # of the models in tests that are not about how good a model is
# Each cell in a gallery is drawn and has its lineage looked up; a few show what many would.
FEWER_CELLS = {"class_cells": 4, "error_cells": 3}


def study_file(
    folder: Path,
    name: str,
    models: dict[str, dict[str, Any] | None] | None = None,
    primary: str | None = None,
    **changes: Any,
) -> Path:
    """The default study under another name, with other values of some entries.

    ``models`` has parameters of estimators by model; None leaves a model out. Without it there is
    the published model alone, as each model adds its assets to every refresh. Galleries show few
    cells.
    """
    entries = yaml.safe_load(DEFAULT_STUDY.read_text()) | {"name": name}
    alone: dict[str, dict[str, Any] | None] = {"puncta": None}
    entries["models"] = list(_models(entries["models"], alone if models is None else models))
    if primary:
        entries["models"] = [m | {"primary": m["name"] == primary} for m in entries["models"]]
    entries["galleries"] |= FEWER_CELLS
    for entry, value in changes.items():
        entries[entry] = {**entries.get(entry, {}), **value} if isinstance(value, dict) else value
    file = folder / f"{slug(name)}.yaml"
    file.write_text(yaml.safe_dump(entries))
    return file


def with_conditions(*conditions: str) -> Study:
    """The default study with stimulations that are no class."""
    entries = yaml.safe_load(DEFAULT_STUDY.read_text())
    return Study.model_validate(entries | {"conditions": conditions})


def _models(
    models: list[dict[str, Any]], changes: dict[str, dict[str, Any] | None]
) -> Iterator[dict[str, Any]]:
    kept = [model for model in models if changes.get(model["name"], {}) is not None]
    only = {"primary": True} if len(kept) == 1 else {}
    for model in kept:
        change = {"n_estimators": TREES} | (changes.get(model["name"]) or {})
        yield model | {"parameters": model["parameters"] | change} | only


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


class Platform:
    """The definitions of a study with a Dagster of their own."""

    def __init__(self, file: Path) -> None:
        from autophagy_assets.definitions import build_defs

        self.file, self.study = file, Study.load(file)
        self.defs = build_defs(study_file=str(file))
        self.job = self.defs.resolve_implicit_global_asset_job_def()
        self.instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})

    def sync(self) -> list[str]:
        from autophagy_assets.automation.sync import sync

        return sync(self.instance, self.study)

    def partitions(self, name: str) -> list[str]:
        return sorted(self.instance.get_dynamic_partitions(name))

    def partitions_of(self, asset: dg.AssetKey) -> list[str] | list[None]:
        """Partitions of an asset; of one that has none, None."""
        node = self.defs.resolve_asset_graph().get(asset)
        partitions_name = getattr(node.partitions_def, "name", None)
        return self.partitions(partitions_name) if partitions_name else [None]

    def run(
        self, *assets: str, partition: str | None = None, check: bool = True, config: Any = None
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets in one run; with ``check`` it has to succeed.

        Without a partition, assets by model are of the published one, in a run of their own.
        """
        of_model = [name for name in assets if partition is None and self.published(name)]
        if of_model and len(of_model) < len(assets):
            others = [name for name in assets if name not in of_model]
            self.run(*others, check=check, config=config)
            assets = tuple(of_model)
        partition = AS_PUBLISHED if of_model else partition
        result = self.job.execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(name) for name in assets],
            raise_on_error=False,
            run_config=(config or {})
            | {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert result.success or not check, self.failure(result)
        return result

    def features(self) -> None:
        """Raw and clean features of every genotype."""
        self.sync()
        for genotype in self.partitions("genotype"):
            self.run("raw_features", "clean_features", "model_features", partition=genotype)

    def refresh(self, **options: Any) -> Any:
        """What ``autophagy refresh`` does, on this platform's own Dagster."""
        from autophagy_assets.automation.refresh import refresh

        return refresh(str(self.file), workers=1, instance=self.instance, **options)

    def refresh_here(self) -> dict[str, str]:
        """Make what is out of date, samples too in this process, where fakes are; gives errors."""
        from autophagy_assets.automation.launcher import run_request
        from autophagy_assets.automation.next_runs import look
        from autophagy_assets.automation.requests import requests

        errors: dict[str, str] = {}
        while not errors:
            state = look(self.instance, str(self.file))
            if not (todo := requests(state.plan, state.todo)):
                break
            for request in todo:
                failed = run_request(request, request.tags(state.plan), self.defs, self.instance)
                errors |= {str(target): error for target, error in failed.items()}
        return errors

    def plan(self) -> Any:
        """What is out of date, and why."""
        from autophagy_assets.staleness.judge import Judge
        from autophagy_assets.staleness.plan import make_plan

        self.sync()
        return make_plan(Judge(self.instance, self.defs, self.study))

    @staticmethod
    def failure(result: dg.ExecuteInProcessResult) -> str:
        """What a person reads of a failed run."""
        messages = []
        for event in result.filter_events(lambda event: event.is_step_failure):
            data = event.step_failure_data
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            by_us = data.user_failure_data.description if data.user_failure_data else None
            messages.append(by_us or (error.message if error else "failed"))
        return "\n".join(messages)

    def published(self, asset: str) -> str | None:
        """The published model, as the partition of an asset that has one for each model."""
        node = self.defs.resolve_asset_graph().get(dg.AssetKey(asset))
        by_model = getattr(node.partitions_def, "name", None) == MODEL_PARTITIONS
        return AS_PUBLISHED if by_model else None

    def latest(self, asset: str, partition: str | None = None) -> Materialization:
        partition = partition or self.published(asset)
        found = latest(self.instance, dg.AssetKey(asset), partition)
        assert found is not None, f"{asset}[{partition}] has not been materialized"
        return found

    def artifact(self, asset: str, partition: str | None = None) -> Any:
        from autophagy_assets.registry.store.instance import connect

        return connect().Artifact.get(uid=self.latest(asset, partition).metadata[UID])

    def table(self, asset: str, partition: str | None = None) -> pd.DataFrame:
        """The stored table of an asset; of a figure, the table of what it draws."""
        from autophagy_assets.registry.store.instance import connect

        remembered = self.latest(asset, partition).metadata
        uid = remembered.get("lamindb/table_uid", remembered[UID])
        return pd.read_parquet(connect().Artifact.get(uid=uid).path)
