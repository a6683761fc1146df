"""A small platform in the store of the session: its own study, its own Dagster, no segmentation.

``Platform`` runs the real assets, as Dagster would, on what ``given_study`` has registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import yaml

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.staleness.materializations import UID, Materialization, latest
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS

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
