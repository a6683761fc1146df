"""The Dagster code location."""

from typing import Any

import dagster as dg

from autophagy_assets import checks
from autophagy_assets.assets import classifier, features, galleries, knockouts, report
from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.assets.imaging import samples as imaging
from autophagy_assets.automation import sensors as automation
from autophagy_assets.config.home import Home
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers.figure import FigureIOManager
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.page import PageIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager


def build_defs(*, study_file: str | None = None) -> dg.Definitions:
    """Definitions of a study.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.config.study.Study.load`.

    Returns
    -------
    dagster.Definitions
    """
    study = Study.load(study_file)
    resources: dict[str, Any] = {
        "study": StudyResource(study_file=study_file),
        "table_io": ParquetIOManager(study_file=study_file),
        "model_io": JoblibIOManager(study_file=study_file),
        "figure_io": FigureIOManager(study_file=study_file),
        "page_io": PageIOManager(study_file=study_file),
    }
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        *imaging.assets,
        *features.assets,
        *classifier.assets(study),
        *knockouts.assets,
        *galleries.assets(study),
        *report.assets,
    ]
    return dg.Definitions(
        assets=assets,
        asset_checks=checks.checks,
        jobs=automation.jobs,
        schedules=automation.schedules,
        sensors=automation.sensors,
        resources=resources,
        # One process per run: a step process of its own would cost 3 s, most steps take less.
        executor=dg.in_process_executor,
    )


Home.locate().prepare()
Home.locate().require(Study.load().name)
defs = build_defs()
