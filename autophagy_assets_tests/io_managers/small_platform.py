"""A platform of a few assets whose content each test gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import joblib
import pandas as pd

from autophagy_assets.assets.definition import StudyResource, every, study_asset
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager
from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS, models, samples
from autophagy_assets_tests.platform import Platform

CONTENT: dict[str, Any] = {}


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=samples)
def part(context) -> pd.DataFrame:
    """One table of each sample, for these tests."""
    return CONTENT["part"](context.partition)


@study_asset(
    group="try",
    io="table_io",
    kinds={"parquet"},
    ins={"part": every(columns=["number"])},
)
def whole(context, part) -> pd.DataFrame:
    """A table of some of the samples, for these tests."""
    CONTENT["seen"] = part
    return CONTENT["whole"](part)


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=samples)
def same(context, part: pd.DataFrame) -> pd.DataFrame:
    """A table made of the same sample, for these tests."""
    return part.assign(again=part["number"] * 2)


@study_asset(group="try", io="model_io", kinds={"joblib"})
def model(context):
    """A model, for these tests."""
    return CONTENT["model"]


@study_asset(group="try", io="table_io", kinds={"parquet"})
def used(context, model) -> pd.DataFrame:
    """A table that needs the model, for these tests."""
    return pd.DataFrame({"model": [str(model)]})


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=models)
def of_model(context) -> pd.DataFrame:
    """A table of each model, for these tests."""
    return pd.DataFrame({"model": [context.partition]})


class Anything(JoblibIOManager):
    """Stores any value, as a model has more than these tests need."""

    def write(self, value: Any, path: Path) -> None:
        joblib.dump(value, path)

    def metadata(self, value: Any, path: Path) -> dict[str, Any]:
        return {}


class Small(Platform):
    """A platform of the assets above."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.defs = dg.Definitions(
            assets=[part, whole, same, model, used, of_model],
            resources={
                "study": StudyResource(study_file=str(file)),
                "table_io": ParquetIOManager(study_file=str(file)),
                "model_io": Anything(study_file=str(file)),
            },
            executor=dg.in_process_executor,
        )
        self.job = self.defs.resolve_implicit_global_asset_job_def()

    def read_by(self, asset: str, partition: str | None = None) -> set[str]:
        """Last part of the key of what a run has read."""
        inputs = self.artifact(asset, partition).run.input_artifacts.all()
        return {a.key.rsplit("/", 1)[1].split(".")[0] for a in inputs}


def make_parts(small: Small, *partitions: str) -> None:
    small.instance.add_dynamic_partitions(SAMPLE_PARTITIONS, partitions)
    for partition in partitions:
        small.run("part", partition=partition)
