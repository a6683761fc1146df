"""A study that takes seconds: one asset for each format, stored by the real IO managers.

``field`` leaves a file and a folder in the store as imaging does, ``cells`` reads them,
``forest`` is trained on the cells, ``picture`` draws them and ``page`` describes them.
"""

import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import yaml

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.figures import Picture, new_figure
from autophagy_assets.analysis.report.content import ReportPage
from autophagy_assets.assets.definition import StudyResource, study_asset
from autophagy_assets.automation.launcher import run_request
from autophagy_assets.automation.requests import requests
from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.study import DEFAULT_STUDY, Study
from autophagy_assets.io_managers.figure import FigureIOManager, StoredPicture
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.page import PageIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager
from autophagy_assets.staleness.judge import Judge
from autophagy_assets.staleness.plan import make_plan

ASSETS = ["field", "cells", "forest", "picture", "page"]
GROUP = "tiny"
# Latest ones: of each asset, two of the field, the picture's table, the page's claims, environment.
ARTIFACTS = 10


def write_study(path: Path, seed: int) -> None:
    """A study file; every asset's content depends on the seed."""
    entries = yaml.safe_load(DEFAULT_STUDY.read_text()) | {"name": "tiny study"}
    entries["split"]["random_state"] = seed
    for model in entries["models"]:
        model["parameters"]["n_estimators"] = 3
    path.write_text(yaml.safe_dump(entries))


def _define(io: str, **more):
    return study_asset(group=GROUP, io=io, kinds=set(), **more)


@_define("table_io")
def field(context) -> pd.DataFrame:
    """A file and a folder, as imaging leaves them, and a table that names them."""
    seed = context.study.split.random_state
    random = np.random.default_rng(seed)
    key = f"tiny-study/{GROUP}/field/FOV1"
    with context.scratch() as scratch:
        (scratch / "crops").write_bytes(random.bytes(200_000))
        for name in ("a", "b/c", "b/d"):
            member = scratch / "zarr" / name
            member.parent.mkdir(parents=True, exist_ok=True)
            member.write_bytes(random.bytes(50_000))
        crops = context.recorder.put(
            lambda path: shutil.move(scratch / "crops", path), f"{key}/crops.h5ad", "crops", {}
        )
        zarr = context.recorder.put(
            lambda path: shutil.move(scratch / "zarr", path), f"{key}/field.zarr", "field", {}
        )
    return pd.DataFrame({"dataset": [crops.record.uid], "spatialdata": [zarr.record.uid]})


@_define("table_io")
def cells(context, field: pd.DataFrame) -> pd.DataFrame:
    """Cells with features."""
    crops = context.read(field["dataset"][0]).read_bytes()
    context.read(field["spatialdata"][0])
    random = np.random.default_rng(list(crops[:8]))
    n = 400
    table = pd.DataFrame(
        {
            "dataset": field["dataset"][0],
            "scportrait_cell_id": np.arange(n),
            "class": random.integers(0, 2, n),
        }
    )
    for i in range(6):
        table[f"feature_{i}"] = random.normal(size=n) + table["class"]
    return table


@_define("model_io")
def forest(context, cells: pd.DataFrame) -> TrainedClassifier:
    """A small forest."""
    return classification.train(
        cells, context.study.model(AS_PUBLISHED), context.version_of("cells")
    )


@_define("figure_io")
def picture(context, forest: TrainedClassifier, cells: pd.DataFrame) -> Picture:
    """A small figure."""
    figure = new_figure(2, 2)
    figure.subplots().plot(cells["feature_0"].to_numpy()[:50])
    return Picture(figure, cells.iloc[:20, :4], "tiny")


@_define("page_io")
def page(context, picture: StoredPicture, cells: pd.DataFrame) -> ReportPage:
    """A page about the picture."""
    return ReportPage(f"<html>{len(picture.png)} {cells.head(20).to_html()}</html>", [])


def build_defs(file: str) -> dg.Definitions:
    """Definitions of the tiny study."""
    return dg.Definitions(
        assets=[field, cells, forest, picture, page],
        resources={
            "study": StudyResource(study_file=file),
            "table_io": ParquetIOManager(study_file=file),
            "model_io": JoblibIOManager(study_file=file),
            "figure_io": FigureIOManager(study_file=file),
            "page_io": PageIOManager(study_file=file),
        },
        executor=dg.in_process_executor,
    )


def run_all(instance: dg.DagsterInstance, file: Path, assets: list[str] = ASSETS) -> bool:
    """Make everything, or some assets, in one Dagster run, out of date or not."""
    job = build_defs(str(file)).resolve_implicit_global_asset_job_def()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset) for asset in assets],
        run_config=quiet,
        raise_on_error=False,
    ).success


def refresh(instance: dg.DagsterInstance, file: Path) -> dict[str, str]:
    """Make what is out of date, as ``autophagy refresh`` does; gives errors by asset."""
    defs, study = build_defs(str(file)), Study.load(file)
    errors: dict[str, str] = {}
    attempted = set()
    while True:
        plan = make_plan(Judge(instance, defs, study))
        todo = [target for target in plan.ready if target not in attempted]
        if not todo or errors:
            return errors
        attempted.update(todo)
        for request in requests(plan, todo):
            failed = run_request(request, request.tags(plan), defs, instance)
            errors |= {target.asset: error for target, error in failed.items()}
